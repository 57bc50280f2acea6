#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::memory {

/// What becomes of an attempt to connect.
enum class Dialling {
    answered,    ///< The listener decides.
    refused,     ///< As if nothing listened: Disconnected{unreachable} after a round trip.
    unanswered,  ///< As if every datagram was lost: Disconnected{handshake_timeout}.
};

/// How a simulated network behaves. Everything but `seed` and `start` may be changed while it runs,
/// by `Network::config()`, and holds for what is sent from then on.
struct NetworkConfig {
    std::uint64_t seed = 1;  ///< The same seed and the same calls give the same run.
    TimePoint start{};       ///< What the virtual clock shows at the beginning.

    Duration delay_min = std::chrono::milliseconds{1};   ///< One way, for each piece anew.
    Duration delay_max = std::chrono::milliseconds{20};  ///< The longest way of a piece.
    /// Streams are cut into pieces of 1 to so many bytes: a datagram's worth.
    std::size_t piece_bytes_max = 1200;
    std::size_t datagram_bytes_max = 1200;  ///< `send_datagram` refuses longer ones.
    unsigned datagram_loss_percent = 0;     ///< Streams lose nothing.

    Dialling dialling = Dialling::answered;  ///< What becomes of attempts to connect.
    bool channel_binding_fails = false;      ///< `channel_binding` fails, at both ends.
    /// Connections dialled from now on are a page's: the server is told so, and the page has no
    /// `channel_binding`.
    std::optional<PageSession> page{};
    /// Connections dialled from now on are cut when so many bytes of streams have arrived, both
    /// directions counted together.
    std::optional<std::size_t> cut_after_bytes{};
};

}  // namespace quicchat::memory

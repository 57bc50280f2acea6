#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "quicchat/base/config.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat::quic {

/// Says when to give memory back to the system: glibc keeps what was freed below anything that is
/// still in use, so a server would stay as large as its busiest moment. When more than half of the
/// connections and many have gone, for long enough that it is quiet.
class MemoryTrim {
public:
    static constexpr std::size_t gone_min = 256;  ///< 16 MiB of handshakes, or more.
    /// So long the connections must be few before memory is given back.
    static constexpr Duration quiet = std::chrono::seconds{10};

    /// `connections`: those that there are now, handshakes included. True if it is time.
    bool is_due(std::size_t connections, TimePoint now);

    /// When `is_due` may be true; nothing while too few have gone.
    std::optional<TimePoint> next_deadline() const { return due_at_; }

private:
    std::size_t most_ = 0;  ///< Since the last time.
    std::optional<TimePoint> due_at_{};
};

/// Gives back what is free, where the C library can. It takes a millisecond for each 5 MiB or so.
QUICCHAT_DECL void trim_memory();

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/memory_trim.ipp"
#endif

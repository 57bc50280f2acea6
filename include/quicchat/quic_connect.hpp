#pragma once

// `quic::connect`: the short way to a chat client over QUIC, which calls your functions.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/client.hpp"
#include "quicchat/quic/address_tokens.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/handlers.hpp"
#include "quicchat/quic/trust.hpp"

namespace quicchat::quic {

/// Who goes where.
struct ConnectOptions {
    std::string host = "localhost";  ///< A name, or a numeric address.
    std::uint16_t port = 12345;      ///< Of UDP.
    std::string user{};              ///< Who logs in.
    std::string password{};          ///< Their password.
    /// The key that the server must have, "sha256:..." as servers print it. Empty: `trust` counts.
    std::string fingerprint{};
    Trust trust = Trust::system();  ///< Whom to believe that it is the server.
    /// Where the server's address token is kept from run to run; null: nowhere.
    std::shared_ptr<AddressTokens> tokens{};
    quicchat::ClientConfig config{};  ///< Limits, and how to come back.
};

/// A client that calls your functions, with its sockets. For programs that do not want to put these
/// parts together themselves; `client()` has all the rest.
///
/// Single-threaded but for `stop`. What a handler throws leaves `run` and `turn`, and its event was
/// taken; the chat can go on.
class Chat {
public:
    /// Takes over the connection; what is left can only be destroyed.
    Chat(Chat&&) noexcept;
    /// The same.
    Chat& operator=(Chat&&) noexcept;
    ~Chat();

    /// Calls `handler(event)` for each event of the type that it takes, see session/event.hpp, as
    /// in `chat.on([](const RoomMessage& message) { ... })`; or for all, if it takes a ClientEvent.
    template <class Handler>
    void on(Handler handler) {
        handlers().add(std::move(handler));
    }

    /// All that it can do.
    quicchat::Client<Endpoint>& client();

    // The two that nearly everybody needs, at any time, also before the connection is there. What
    // the server refuses comes as Refused.

    /// `invalid_name`, `already_joined`: nothing was asked.
    Errc join(std::string_view room);
    /// Says something in a room that was joined. Acked follows when it is stored. `not_in_room`,
    /// `message_too_long`, `invalid_text`, `queue_full`: nothing was sent.
    Errc say(std::string_view room, std::string text);

    /// Runs until `stop`, or until trying again cannot help. Closes the connection in the first
    /// case, and says why it ended in the second. Then the chat is over.
    std::error_code run();

    /// Thread-safe and async-signal-safe, so that a signal handler may call it.
    void stop() noexcept;

    // In place of `run`, for a loop of your own: wait until `fd()` or one of `wake_fds()` (-1:
    // none) is readable, or until `next_deadline()`, and then call `turn`.

    /// A descriptor to wait for: readable.
    int fd() const;
    /// More of them, or -1.
    std::array<int, 2> wake_fds() const;
    /// `turn` is due at that moment, if nothing else happens.
    std::optional<TimePoint> next_deadline() const;
    /// The error after which no turn helps, or none.
    std::error_code turn();

private:
    friend Result<Chat> connect(ConnectOptions options);

    struct Parts;
    explicit Chat(std::unique_ptr<Parts> parts);

    Handlers<ClientEvent>& handlers();

    std::unique_ptr<Parts> parts_;
};

/// A client that begins to connect with its first turn. Fails with `invalid_name` for a user name
/// that is none, with `invalid_text` for a password or fingerprint that is none, and with the
/// system's error if there are no descriptors left. That a server cannot be reached, or refuses the
/// login, is what `Chat::run` says.
QUICCHAT_DECL Result<Chat> connect(ConnectOptions options);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/impl/quic_connect.ipp"
#endif

#pragma once

// `quic::serve`: the short way to a chat server over QUIC, which calls your functions.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/owned.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/handlers.hpp"
#include "quicchat/server.hpp"

namespace quicchat::quic {

/// Who may log in.
struct Account {
    std::string user;      ///< Their name.
    std::string password;  ///< Their password.
};

/// What is served where.
struct ServeOptions {
    std::string address = "127.0.0.1";  ///< Numeric; "::" for all addresses of this computer.
    std::uint16_t port = 12345;         ///< 0: a free one, see `ChatServer::address`.
    /// Each takes some tenths of a second of CPU when the server is made.
    std::vector<Account> accounts{};
    /// In PEM form. Both empty: a pair is made that is gone with the server.
    std::string certificate_pem{};
    std::string key_pem{};            ///< Of the certificate.
    quicchat::ServerConfig config{};  ///< Rooms, operators, limits.
    // None: what there is is gone with the server, and it takes no files.
    std::optional<Owned<RoomLog>> log{};  ///< Where rooms are kept.
    std::optional<Owned<quicchat::Authenticator>>
        authenticator{};                      ///< Then `accounts` do not count.
    std::optional<Owned<FileStore>> files{};  ///< Where files are kept.
};

/// A server that calls your functions, with its socket. For programs that do not want to put these
/// parts together themselves; `server()` has all the rest.
///
/// Single-threaded but for `stop`. What a handler throws leaves `run` and `turn`, and its event was
/// taken; the server can go on.
class ChatServer {
public:
    /// Takes over the socket; what is left can only be destroyed.
    ChatServer(ChatServer&&) noexcept;
    /// The same.
    ChatServer& operator=(ChatServer&&) noexcept;
    ~ChatServer();

    /// Calls `handler(event)` for each event of the type that it takes, see session/event.hpp, as
    /// in `server.on([](const PeerLoggedIn& in) { ... })`; or for all, if it takes a ServerEvent.
    template <class Handler>
    void on(Handler handler) {
        handlers().add(std::move(handler));
    }

    /// All that it can do.
    quicchat::Server<Endpoint>& server();

    /// Where it listens, "127.0.0.1:12345".
    std::string address() const;
    /// The UDP port.
    std::uint16_t port() const;
    /// Of its key, "sha256:...": what a client pins.
    const std::string& fingerprint() const;

    /// Runs until `stop`, and then until everybody was told, `Limits::drain_timeout` at most; or
    /// until the log fails. Then the server is over.
    std::error_code run();

    /// Thread-safe and async-signal-safe, so that a signal handler may call it.
    void stop() noexcept;

    // In place of `run`, for a loop of your own, as with Chat.

    /// A descriptor to wait for: readable.
    int fd() const;
    /// `fd()` is to be writable as well.
    bool wants_write() const;
    /// More of them, or -1.
    std::array<int, 2> wake_fds() const;
    /// `turn` is due at that moment, if nothing else happens.
    std::optional<TimePoint> next_deadline() const;
    /// The error after which no turn helps, or none.
    std::error_code turn();

private:
    friend Result<ChatServer> serve(ServeOptions options);

    struct Parts;
    explicit ChatServer(std::unique_ptr<Parts> parts);

    Handlers<ServerEvent>& handlers();

    std::unique_ptr<Parts> parts_;
};

/// A server that listens from now on, and answers with its first turn. Fails with the system's
/// error if the address cannot be had; with `invalid_name` or `invalid_text` for an account or a
/// room; with `invalid_request` for an address that is not numeric, a name that two accounts have,
/// or limits that do not fit together; and with what is wrong with the certificate or the log.
QUICCHAT_DECL Result<ChatServer> serve(ServeOptions options);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/impl/quic_serve.ipp"
#endif

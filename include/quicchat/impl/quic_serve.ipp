#pragma once

#include "quicchat/quic_serve.hpp"

#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/random.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::quic {
namespace detail {

QUICCHAT_RARE_DECL Result<DeviceAuthenticator<WolfCrypto>> make_authenticator(
    const std::vector<Account>& all) {
    auto book = std::make_shared<MemoryAccounts>();
    Entropy entropy = system_entropy();
    for (const Account& account : all) {
        const auto verifier = make_verifier<WolfCrypto>(account.password, entropy.draw<16>());
        if (!verifier) return verifier.error();
        if (const auto added = book->add(account.user, *verifier); !added) return added.error();
    }
    // It hides which users exist, as long as the server lives.
    return DeviceAuthenticator<WolfCrypto>{std::move(book), entropy.draw<32>(), system_entropy()};
}

}  // namespace detail

struct ChatServer::Parts {
    struct App : quicchat::Server<Endpoint> {
        using Base = quicchat::Server<Endpoint>;

        template <class... Arguments>
        explicit App(Parts& all, Arguments&&... arguments)
            : Base(std::forward<Arguments>(arguments)...), parts(&all) {}

        void process(Now now) {
            Base::process(now);
            report();
            if (!finished()) return;
            parts->stop.stop();
            parts->drained.stop();
        }

        void report() {
            while (const auto event = poll_event()) {
                if (const auto* failed = std::get_if<ServerFailed>(&*event)) error = failed->errc;
                handlers.call(*event);
            }
        }

        Parts* parts;
        Handlers<ServerEvent> handlers;
        std::error_code error;  ///< Why it failed.
    };

    template <class... Arguments>
    explicit Parts(UdpSocket socket, Arguments&&... arguments)
        : driver(std::move(socket), *this, std::forward<Arguments>(arguments)...) {}

    StopFlag stop;
    StopFlag drained;
    std::string fingerprint;
    Driver<App> driver;
};

QUICCHAT_RARE_DECL ChatServer::ChatServer(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}
QUICCHAT_RARE_DECL ChatServer::ChatServer(ChatServer&&) noexcept = default;
QUICCHAT_RARE_DECL ChatServer& ChatServer::operator=(ChatServer&&) noexcept = default;
QUICCHAT_RARE_DECL ChatServer::~ChatServer() = default;

QUICCHAT_DECL Handlers<ServerEvent>& ChatServer::handlers() {
    return parts_->driver.app().handlers;
}

QUICCHAT_DECL quicchat::Server<Endpoint>& ChatServer::server() { return parts_->driver.app(); }

QUICCHAT_DECL std::string ChatServer::address() const {
    return parts_->driver.socket().local_address().to_string();
}

QUICCHAT_DECL std::uint16_t ChatServer::port() const {
    return parts_->driver.socket().local_address().port();
}

QUICCHAT_DECL const std::string& ChatServer::fingerprint() const { return parts_->fingerprint; }

QUICCHAT_DECL std::error_code ChatServer::run() {
    Parts& parts = *parts_;
    if (const auto error = quic::run(parts.driver, parts.stop)) return error;
    if (!server().finished()) {
        server().shutdown(read_clock());
        if (const auto error = quic::run(parts.driver, parts.drained)) return error;
    }
    return parts.driver.app().error;
}

QUICCHAT_DECL void ChatServer::stop() noexcept { parts_->stop.stop(); }

QUICCHAT_DECL int ChatServer::fd() const { return parts_->driver.fd(); }

QUICCHAT_DECL bool ChatServer::wants_write() const { return parts_->driver.wants_write(); }

QUICCHAT_DECL std::array<int, 2> ChatServer::wake_fds() const { return parts_->driver.wake_fds(); }

QUICCHAT_DECL std::optional<TimePoint> ChatServer::next_deadline() const {
    return parts_->driver.next_deadline();
}

QUICCHAT_DECL std::error_code ChatServer::turn() {
    if (const auto error = parts_->driver.turn(read_clock())) return error;
    return parts_->driver.app().error;
}

QUICCHAT_RARE_DECL Result<ChatServer> serve(ServeOptions options) {
    const auto address = SocketAddress::from_numeric(options.address, options.port);
    if (!address) return Errc::invalid_request;
    auto socket = UdpSocket::bind(*address);
    if (!socket) return socket.error();
    if (options.certificate_pem.empty() && options.key_pem.empty()) {
        constexpr int days = 365;
        auto pair = make_self_signed({"localhost", options.address}, days, read_clock().wall);
        if (!pair) return pair.error();
        options.certificate_pem = std::move(pair->certificate_pem);
        options.key_pem = std::move(pair->key_pem);
    }
    const auto key = key_fingerprint(options.certificate_pem);
    if (!key) return key.error();
    auto endpoint = Endpoint::server({.certificate_pem = std::move(options.certificate_pem),
                                      .key_pem = std::move(options.key_pem)},
                                     {.limits = options.config.limits});
    if (!endpoint) return endpoint.error();
    if (!options.log) options.log = MemoryLog{system_entropy()};
    if (!options.files) options.files = NoFiles{};
    if (!options.authenticator) {
        auto made = detail::make_authenticator(options.accounts);
        if (!made) return made.error();
        options.authenticator = *std::move(made);
    }
    ChatServer server{std::make_unique<ChatServer::Parts>(
        *std::move(socket), *std::move(endpoint), *std::move(options.log),
        *std::move(options.authenticator), system_entropy(), std::move(options.config),
        *std::move(options.files))};
    server.parts_->fingerprint = format_fingerprint(*key);
    server.parts_->driver.app().report();  // the log is open, or has failed
    if (const auto error = server.parts_->driver.app().error) return error;
    return server;
}

}  // namespace quicchat::quic

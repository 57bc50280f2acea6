#pragma once

#include "quicchat/quic_connect.hpp"

#include "quicchat/auth/device_login.hpp"
#include "quicchat/quic/dialler.hpp"
#include "quicchat/quic/random.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::quic {

struct Chat::Parts {
    struct App : quicchat::Client<Endpoint> {
        using Base = quicchat::Client<Endpoint>;

        App(StopFlag& stop, Endpoint endpoint, Owned<ClientLogin> login,
            quicchat::ClientConfig config)
            : Base(std::move(endpoint), std::move(login), system_entropy(), std::move(config)),
              ended(&stop) {}

        void process(Now now) {
            if (!std::exchange(dialled, true)) connect(now);
            Base::process(now);
            while (const auto event = poll_event()) {
                if (const auto* offline = std::get_if<Offline>(&*event)) {
                    if (offline->reason.errc != Errc::closed) error = offline->reason.errc;
                    over = true;
                    ended->stop();
                }
                handlers.call(*event);
            }
        }

        Handlers<ClientEvent> handlers;
        StopFlag* ended;
        bool dialled = false;
        bool over = false;
        std::error_code error;  ///< Why, if it was not closed.
    };

    template <class... Arguments>
    explicit Parts(Dialler dialler, Arguments&&... arguments)
        : driver(std::move(dialler), stop, std::forward<Arguments>(arguments)...) {}

    StopFlag stop;
    ClientDriver<App> driver;
};

QUICCHAT_RARE_DECL Chat::Chat(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
QUICCHAT_RARE_DECL Chat::Chat(Chat&&) noexcept = default;
QUICCHAT_RARE_DECL Chat& Chat::operator=(Chat&&) noexcept = default;
QUICCHAT_RARE_DECL Chat::~Chat() = default;

QUICCHAT_DECL Handlers<ClientEvent>& Chat::handlers() { return parts_->driver.app().handlers; }

QUICCHAT_DECL quicchat::Client<Endpoint>& Chat::client() { return parts_->driver.app(); }

QUICCHAT_DECL Errc Chat::join(std::string_view room) {
    const auto asked = client().join(room);
    return asked ? Errc{} : to_errc(asked.error());
}

QUICCHAT_DECL Errc Chat::say(std::string_view room, std::string text) {
    const auto asked = client().publish(room, std::move(text));
    return asked ? Errc{} : to_errc(asked.error());
}

QUICCHAT_DECL std::error_code Chat::run() {
    if (const auto error = quic::run(parts_->driver, parts_->stop)) return error;
    if (!parts_->driver.app().over) {
        client().close();
        return turn();
    }
    return parts_->driver.app().error;
}

QUICCHAT_DECL void Chat::stop() noexcept { parts_->stop.stop(); }

QUICCHAT_DECL int Chat::fd() const { return parts_->driver.fd(); }

QUICCHAT_DECL std::array<int, 2> Chat::wake_fds() const { return parts_->driver.wake_fds(); }

QUICCHAT_DECL std::optional<TimePoint> Chat::next_deadline() const {
    return parts_->driver.next_deadline();
}

QUICCHAT_DECL std::error_code Chat::turn() {
    if (const auto error = parts_->driver.turn(read_clock())) return error;
    return parts_->driver.app().error;
}

QUICCHAT_RARE_DECL Result<Chat> connect(ConnectOptions options) {
    Trust trust = std::move(options.trust);
    if (!options.fingerprint.empty()) {
        const auto key = parse_fingerprint(options.fingerprint);
        if (!key) return key.error();
        trust = Trust::pinned({*key});
    }
    auto login = DeviceLogin<WolfCrypto>::with_password(options.user, options.password);
    if (!login) return login.error();
    auto dialler = Dialler::create(
        {.host = options.host, .port = options.port, .tokens = std::move(options.tokens)});
    if (!dialler) return dialler.error();
    auto endpoint = Endpoint::client(
        {.routes_later = true, .server_name = std::move(options.host), .trust = std::move(trust)},
        {.limits = options.config.limits});
    if (!endpoint) return endpoint.error();
    return Chat{std::make_unique<Chat::Parts>(*std::move(dialler), *std::move(endpoint),
                                              *std::move(login), std::move(options.config))};
}

}  // namespace quicchat::quic

#pragma once

#include "quicchat/server/io/logins.hpp"

namespace quicchat {

template <Transport T>
Errc Logins<T>::begin(ConnectionId id, const wire::LoginBegin& m, Hub& hub, Now now) {
    const ServerConnection* const connection = peers_->find(id);
    if (connection == nullptr) return Errc::not_ready;
    const PageSession* const page = connection->page.get();
    ChannelBinding binding{};  // a page cannot have it, so what needs one refuses pages
    if (page == nullptr) {
        // Fail closed: without a binding there is no login.
        const Result<ChannelBinding> exporter = peers_->transport().channel_binding(id);
        if (!exporter) return Errc::login_failed;
        binding = *exporter;
    }
    return go_on(
        id, hub, now.steady,
        table_.start(id, {m.mechanism, m.data, binding, m.device, connection->address, now, page}));
}

template <Transport T>
Errc Logins<T>::respond(ConnectionId id, const wire::LoginResponse& m, Hub& hub, Now now) {
    return go_on(id, hub, now.steady, table_.respond(id, m.data));
}

template <Transport T>
void Logins<T>::process(Hub& hub, Now now) {
    while (auto step = table_.poll(now)) {
        const Errc errc = go_on(step->first, hub, now.steady, std::move(step->second));
        if (errc != Errc{}) peers_->close(step->first, errc);
    }
}

template <Transport T>
void Logins<T>::end_late(TimePoint now) {
    while (const auto late = table_.poll_late(now)) {
        if (peers_->find_ready(*late) != nullptr) continue;
        refused_.add(Errc::login_timeout);
        peers_->close(*late, Errc::login_timeout);
    }
}

template <Transport T>
std::vector<ConnectionId> Logins<T>::take_admitted() {
    return std::exchange(admitted_, {});
}

template <Transport T>
Errc Logins<T>::go_on(ConnectionId id, Hub& hub, TimePoint now, LoginStep step) {
    const Errc errc = do_step(id, hub, now, std::move(step));
    if (errc != Errc{}) refused_.add(errc);
    return errc;
}

template <Transport T>
Errc Logins<T>::do_step(ConnectionId id, Hub& hub, TimePoint now, LoginStep step) {
    ServerConnection* const found = peers_->find(id);
    if (found == nullptr || found->session.state() == State::draining) return Errc{};
    ServerConnection& connection = *found;
    return match(
        std::move(step),
        [&](LoginChallenge&& m) {
            // The same for names that do not exist, so it tells nobody which do.
            const std::string user = table_.claimed_user(id);
            if (rates_->try_password(connection.prefix(), user, now) > Duration{}) {
                note_lock(connection, user, now);
                return Errc::too_many_attempts;
            }
            peers_->write_control(id, Bytes{encode(wire::LoginChallenge{std::move(m.data)})});
            return Errc{};
        },
        [&](LoginAccepted&& m) {
            if (!reserved_.empty() && is_same_name(m.user, reserved_)) {
                news_->push(PeerRefused{id, m.user, connection.address, Errc::login_failed});
                return Errc::login_failed;
            }
            const OnlineUsers::User* here = hub.online_users().find(m.user);
            if (here != nullptr &&
                here->connections.size() >= limits_->connections_per_account_max) {
                news_->push(
                    PeerRefused{id, m.user, connection.address, Errc::too_many_connections});
                return Errc::too_many_connections;
            }
            const Buffer done = connection.session.login_accepted(m.user, std::move(m.data));
            peers_->write_control(id, Bytes{done});
            hub.handle_login(id, m.user);
            news_->push(PeerLoggedIn{id, m.user});
            // Of transports that keep room for who was logged in before.
            if constexpr (requires { peers_->transport().note_login(id); }) {
                peers_->transport().note_login(id);
            }
            admitted_.push_back(id);
            ++accepted_;
            return Errc{};
        },
        [&](LoginRefused&& m) {
            const std::string user = table_.claimed_user(id);
            if (m.device_removed) peers_->close_device(user, connection.session.device());
            const std::string prefix = connection.prefix();
            // A token cannot be guessed, so a wrong one locks nothing.
            if (m.errc == Errc::login_failed) rates_->note_failed_password(prefix, user, now);
            const bool are_many = rates_->note_failed_login(prefix, now);
            if (are_many && m.errc == Errc::login_failed) {
                note_lock(connection, "", now);
                return Errc::too_many_attempts;
            }
            news_->push(PeerRefused{id, user, connection.address, m.errc});
            return m.errc;
        },
        [](LoginPending&&) { return Errc{}; },
        [&](TokenIssued&& m) {
            peers_->write_control(id, Bytes{encode(wire::Token{m.generation, std::move(m.key)})});
            return Errc{};
        });
}

template <Transport T>
void Logins<T>::note_lock(const ServerConnection& connection, const std::string& user,
                          TimePoint now) {
    if (!locks_.note(connection.prefix(), user, now)) return;
    news_->push(LoginsLocked{user, connection.address});
}

}  // namespace quicchat

#pragma once

#include "quicchat/quic/dialler.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL Result<Dialler> Dialler::create(Destination destination) {
    Dialler made{std::move(destination)};
    made.epoll_ = OwnedFd{::epoll_create1(EPOLL_CLOEXEC)};
    const auto no_descriptor = std::make_error_code(std::errc::too_many_files_open);
    if (!made.epoll_.is_open() || !made.resolver_.is_open()) return no_descriptor;
    if (!made.watch(EPOLL_CTL_ADD, made.resolver_.fd(), false)) return no_descriptor;
    // Without it we learn of changes by sends that fail.
    if (made.network_.fd() >= 0) made.watch(EPOLL_CTL_ADD, made.network_.fd(), false);
    return made;
}

QUICCHAT_RARE_DECL bool Dialler::watch(int operation, int fd, bool write) const {
    epoll_event event{};
    event.events = EPOLLIN | (write ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    event.data.fd = fd;
    return ::epoll_ctl(epoll_.fd(), operation, fd, &event) == 0;
}

QUICCHAT_RARE_DECL std::optional<TimePoint> Dialler::next_deadline() const {
    return earlier(look_up_until_, check_at_);
}

QUICCHAT_RARE_DECL bool Dialler::wants_write() const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [](const Line& line) { return line.socket.wants_write(); });
}

QUICCHAT_RARE_DECL Dialler::Line* Dialler::find(const SocketAddress& local) {
    const auto found = std::find_if(lines_.begin(), lines_.end(),
                                    [&](const Line& line) { return line.local == local; });
    return found != lines_.end() ? &*found : nullptr;
}

QUICCHAT_RARE_DECL std::error_code Dialler::open_line(const SocketAddress& remote) {
    Result<UdpSocket> socket = UdpSocket::connect(remote);
    if (!socket) return socket.error();
    if (!watch(EPOLL_CTL_ADD, socket->fd(), false)) return {errno, std::system_category()};
    const SocketAddress local = socket->local_address();
    lines_.push_back({*std::move(socket), local, remote});
    return {};
}

QUICCHAT_RARE_DECL void Dialler::receive(Endpoint& endpoint, TimePoint now) {
    for (Line& line : lines_) {
        line.socket.advance(now);
        (void)line.socket.flush();
        // A socket that is of no use is as good as one that nothing comes from.
        (void)receive_turn(line.socket, endpoint, now, line.local);
    }
    if (network_.take_change()) check_at_ = earlier(check_at_, now + change_pause);
}

QUICCHAT_RARE_DECL void Dialler::serve(Endpoint& endpoint, TimePoint now) {
    keep_token(endpoint);
    look_up(endpoint, now);
    if (check_at_ && now >= *check_at_) check_paths(endpoint, now);
}

/// A new token is kept at once, so that it outlives a crash.
QUICCHAT_RARE_DECL void Dialler::keep_token(Endpoint& endpoint) const {
    if (!destination_.tokens || endpoint.address_token().empty()) return;
    destination_.tokens->keep(endpoint.address_token());
    endpoint.set_address_token({});
}

QUICCHAT_RARE_DECL void Dialler::look_up(Endpoint& endpoint, TimePoint now) {
    std::optional<Resolver::Answer> answer = resolver_.take();
    if (answer && *answer) known_ = interleave_families(**std::move(answer));
    if (!endpoint.wants_routes()) {
        look_up_until_.reset();
        return;
    }
    if (!std::exchange(dialled_, true) && !destination_.known.empty()) {
        known_ = interleave_families(destination_.known);
        return offer(endpoint, now);
    }
    if (!look_up_until_) {
        look_up_until_ = now + look_up_patience;
        resolver_.ask(destination_.host, destination_.port);
        if (!answer) answer = resolver_.take();
        if (answer && *answer) known_ = interleave_families(**std::move(answer));
    }
    // Where nobody can say now, the addresses of the last time may still be right.
    const bool known = !known_.empty();
    if (answer && !*answer && !known) {
        look_up_until_.reset();
        return endpoint.offer_routes({}, now, answer->error().message());
    }
    if (known && (answer || now >= *look_up_until_)) offer(endpoint, now);
    if (!known && now >= *look_up_until_) look_up_until_ = now + look_up_patience;
}

QUICCHAT_RARE_DECL void Dialler::offer(Endpoint& endpoint, TimePoint now) {
    look_up_until_.reset();
    lines_.clear();
    std::vector<Route> routes;
    std::error_code first_error;
    for (const SocketAddress& remote : known_) {
        if (routes.size() == routes_max) break;
        const std::error_code error = open_line(remote);
        if (error && !first_error) first_error = error;
        if (!error) routes.push_back({lines_.back().local, remote});
    }
    if (destination_.tokens && !routes.empty()) {
        endpoint.set_address_token(destination_.tokens->take());  // the first attempt shows it
    }
    endpoint.offer_routes(std::move(routes), now, first_error ? first_error.message() : "");
}

/// Whether each connection goes the way that the system would take now.
QUICCHAT_RARE_DECL void Dialler::check_paths(Endpoint& endpoint, TimePoint now) {
    check_at_.reset();
    bool good = true;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        if (endpoint.speaks_from(lines_[i].local)) {
            good = check_path(lines_[i], endpoint, now) && good;
        }
    }
    if (good) {
        stranded_since_.reset();
    } else {
        check_at_ = now + check_pause;
    }
}

/// False if there is no way now, or nothing goes out by the one there is.
QUICCHAT_RARE_DECL bool Dialler::check_path(Line& line, Endpoint& endpoint, TimePoint now) {
    Result<UdpSocket> fresh = UdpSocket::connect(line.remote);
    if (!fresh) {
        if (!stranded_since_) stranded_since_ = now;
        const bool too_long = now - *stranded_since_ >= stranded_max;
        if (too_long && other_family_works(line.remote.family())) {
            endpoint.abandon(line.local, fresh.error().message());
        }
        return false;
    }
    stranded_since_.reset();
    const SocketAddress local = fresh->local_address();
    if (local.is_same_host(line.local)) return !line.socket.is_blocked();
    if (!watch(EPOLL_CTL_ADD, fresh->fd(), false)) return false;
    endpoint.migrate(line.local, local, now);
    line.socket = *std::move(fresh);
    line.local = local;
    line.waits_for_write = false;
    return true;
}

/// The server's address cannot be changed within a connection, but a new one may use another.
QUICCHAT_RARE_DECL bool Dialler::other_family_works(int family) const {
    return std::any_of(known_.begin(), known_.end(), [&](const SocketAddress& address) {
        return address.family() != family && UdpSocket::connect(address);
    });
}

QUICCHAT_RARE_DECL bool Dialler::transmit(Endpoint& endpoint, TimePoint now) {
    // While a socket is full, packets are better made later, with what is new by then.
    while (!wants_write()) {
        while (const auto transmit = endpoint.poll_transmit(now)) {
            if (Line* line = find(transmit->local)) (void)line->socket.send(*transmit);
        }
        for (Line& line : lines_) (void)line.socket.flush();
        if (!endpoint.wants_transmit()) break;
    }
    bool more = false;
    for (Line& line : lines_) {
        const bool write = line.socket.wants_write();
        if (write != std::exchange(line.waits_for_write, write)) {
            watch(EPOLL_CTL_MOD, line.socket.fd(), write);
        }
        // An attempt that cannot even be sent has failed; a connection may find another way.
        const bool blocked = line.socket.is_blocked();
        if (blocked && !check_at_) check_at_ = now;
        const bool hopeless = blocked && endpoint.is_dialling() && !line.given_up;
        if (line.socket.take_refused() || hopeless) {
            line.given_up = true;
            endpoint.handle_unreachable(now, line.local);
            more = true;
        }
    }
    return more;
}

QUICCHAT_RARE_DECL void Dialler::tidy(const Endpoint& endpoint) {
    if (endpoint.is_dialling()) return;
    std::erase_if(lines_, [&](const Line& line) {
        return !endpoint.speaks_from(line.local) && !line.socket.wants_write();
    });
}

}  // namespace quicchat::quic

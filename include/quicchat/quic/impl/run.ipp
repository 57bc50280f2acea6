#pragma once

#include "quicchat/quic/run.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL Now read_clock() {
    const auto read = [](clockid_t clock) {
        timespec time{};
        clock_gettime(clock, &time);
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    };
    return {.steady = TimePoint{read(CLOCK_MONOTONIC)},
            .wall = WallTime{std::chrono::floor<std::chrono::milliseconds>(read(CLOCK_REALTIME))}};
}

QUICCHAT_DECL std::error_code receive_turn(UdpSocket& socket, Endpoint& endpoint, TimePoint now,
                                           const SocketAddress& local) {
    constexpr std::size_t datagrams_per_turn_max = 1024;
    std::size_t datagrams = 0;
    for (std::size_t rounds = 0; rounds < datagrams_per_turn_max; ++rounds) {
        const auto received = socket.receive(
            [&](const Datagram& datagram) { endpoint.handle_datagram(datagram, now); });
        if (received.error) return received.error;
        if (received.unreachable) endpoint.handle_unreachable(now, local);
        datagrams += received.datagrams;
        if (!received.more || datagrams >= datagrams_per_turn_max) break;
    }
    return {};
}

QUICCHAT_DECL StopFlag::StopFlag() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

QUICCHAT_DECL StopFlag::~StopFlag() {
    if (fd_ >= 0) close(fd_);
}

QUICCHAT_DECL void StopFlag::stop() noexcept {
    stopped_.store(true, std::memory_order_release);
    wake();
}

QUICCHAT_DECL void StopFlag::wake() noexcept {
    const int saved = errno;
    const std::uint64_t one = 1;
    // It only fails if the counter is full, and then the other side wakes up anyway.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
    errno = saved;
}

QUICCHAT_DECL void StopFlag::clear() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof count);
}

}  // namespace quicchat::quic

#pragma once

#include "quicchat/quic/shards.hpp"

#include <pthread.h>
#include <time.h>

#include <chrono>

namespace quicchat::quic {

QUICCHAT_RARE_DECL Limits limits_of_shard(Limits limits, std::size_t count) {
    Rate& rate = limits.connections_per_prefix;
    const auto share = [count](auto whole) {
        return static_cast<decltype(whole)>((whole + count - 1) / count);
    };
    rate.burst = share(rate.burst);
    rate.per_second = share(rate.per_second);
    return limits;
}

QUICCHAT_RARE_DECL Result<std::vector<Endpoint>> make_shards(const ServerConfig& server,
                                                             const Config& config,
                                                             std::size_t count) {
    if (count == 0 || count > shards_max) return Errc::invalid_request;
    Random random{config.seed};
    ServerConfig of_each = server;
    if (!of_each.token_secret) of_each.token_secret = random.next_seed();
    if (!of_each.reset_secret) of_each.reset_secret = random.next_seed();
    of_each.half_open_max = (server.half_open_max + count - 1) / count;
    std::vector<Endpoint> endpoints;
    for (std::size_t i = 0; i < count; ++i) {
        Config own = config;
        own.limits = limits_of_shard(config.limits, count);
        own.seed = random.next_seed();
        own.shard = static_cast<std::uint8_t>(i);
        own.shards = static_cast<std::uint8_t>(count);
        Result<Endpoint> endpoint = Endpoint::server(of_each, std::move(own));
        if (!endpoint) return endpoint.error();
        endpoints.push_back(*std::move(endpoint));
    }
    return endpoints;
}

QUICCHAT_RARE_DECL Strays::Strays(std::vector<std::shared_ptr<shards::Link>> links)
    : links_(std::move(links)), waiting_(links_.size()) {}

QUICCHAT_RARE_DECL void Strays::put(Stray stray) {
    const std::size_t shard = stray.shard;
    if (shard >= waiting_.size()) return;
    {
        const std::lock_guard lock{mutex_};
        if (waiting_[shard].size() >= waiting_max) return;
        waiting_[shard].push_back(std::move(stray));
        has_some_.store(true, std::memory_order_release);
    }
    links_[shard]->wake_shard();
}

QUICCHAT_DECL std::vector<Stray> Strays::take(std::size_t shard) {
    if (!has_some_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock{mutex_};
    std::vector<Stray> taken = std::exchange(waiting_[shard], {});
    has_some_ = std::any_of(waiting_.begin(), waiting_.end(),
                            [](const auto& others) { return !others.empty(); });
    return taken;
}

QUICCHAT_RARE_DECL SignalsBlocked::SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
}

QUICCHAT_RARE_DECL SignalsBlocked::~SignalsBlocked() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

QUICCHAT_RARE_DECL Duration cpu_time_of(std::thread& thread) {
    clockid_t clock{};
    timespec time{};
    if (!thread.joinable() || pthread_getcpuclockid(thread.native_handle(), &clock) != 0 ||
        clock_gettime(clock, &time) != 0) {
        return {};
    }
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace quicchat::quic

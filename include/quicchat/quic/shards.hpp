#pragma once

#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/udp_socket.hpp"
#include "quicchat/shards/carrier.hpp"
#include "quicchat/shards/transport.hpp"

namespace quicchat::quic {

/// More than a machine for one server has cores.
inline constexpr std::size_t shards_max = 64;

/// The endpoints of a server's shards: `config` and `server` with what each must have of its own,
/// and what all must share. Fails as `Endpoint::server` does.
QUICCHAT_DECL Result<std::vector<Endpoint>> make_shards(const ServerConfig& server,
                                                        const Config& config, std::size_t count);

/// What one of so many shards allows, so that together they allow what `limits` say, rounded up:
/// handshakes of a network. The chat itself counts the rest.
QUICCHAT_DECL Limits limits_of_shard(Limits limits, std::size_t count);

/// Datagrams that arrived at another shard than theirs, on their way: where the kernel could not
/// read connection ids, and a client's address has changed. Thread-safe.
class Strays {
public:
    /// One link for each shard, by its number.
    explicit Strays(std::vector<std::shared_ptr<shards::Link>> links);

    /// For the shard that it names, which is woken. Those that are too many are lost.
    void put(Stray stray);
    /// Those for that shard, in the order in which they came.
    std::vector<Stray> take(std::size_t shard);

private:
    static constexpr std::size_t waiting_max = 1024;

    const std::vector<std::shared_ptr<shards::Link>> links_;
    std::mutex mutex_;
    std::vector<std::vector<Stray>> waiting_;  ///< By shard.
    std::atomic<bool> has_some_{false};        ///< For those who ask each turn, in vain.
};

/// What the driver of one shard runs: a transport, and the way to the chat.
template <StandsOnEndpoint Inner>
class Shard {
public:
    /// Takes a transport over, for the shard of that place. `backlog_max`: see shards::Carrier.
    Shard(Inner inner, std::shared_ptr<shards::Link> link, shards::Place place,
          std::size_t backlog_max, std::shared_ptr<Strays> strays)
        : place_(place),
          strays_(std::move(strays)),
          carrier_(std::move(inner), std::move(link), place, backlog_max) {}

    /// What a Driver wants of an application: see Application. To be called in the shard's thread.
    /// @{
    Inner& transport() { return carrier_.transport(); }

    void process(Now now) {
        Endpoint& endpoint = endpoint_below(transport());
        for (const Stray& stray : strays_->take(place_.index)) {
            endpoint.handle_datagram(stray.datagram(), now.steady);
        }
        carrier_.process(now);
        while (auto stray = endpoint.poll_stray()) strays_->put(*std::move(stray));
    }
    void settle() { carrier_.settle(); }
    std::optional<TimePoint> next_deadline() const { return carrier_.next_deadline(); }
    std::optional<int> wake_fd() const { return carrier_.wake_fd(); }
    /// @}

private:
    const shards::Place place_;
    const std::shared_ptr<Strays> strays_;
    shards::Carrier<Inner> carrier_;
};

/// Blocks all signals of this thread while it lives: threads that are made meanwhile take none.
class SignalsBlocked {
public:
    SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked();

private:
    sigset_t before_;
};

/// What a thread has worked so far; zero if the system does not say.
QUICCHAT_DECL Duration cpu_time_of(std::thread& thread);

/// The threads of all shards.
template <StandsOnEndpoint Inner>
class ShardThreads {
public:
    /// One transport for each socket.
    ShardThreads(std::vector<UdpSocket> sockets, std::vector<Inner> transports,
                 std::size_t backlog_max)
        : chat_(std::make_shared<WakeFd>()) {
        const std::size_t count = std::min(sockets.size(), transports.size());
        for (std::size_t i = 0; i < count; ++i) {
            links_.push_back(std::make_shared<shards::Link>(chat_));
        }
        const auto strays = std::make_shared<Strays>(links_);
        for (std::size_t i = 0; i < count; ++i) {
            threads_.push_back(
                std::make_unique<Thread>(std::move(sockets[i]), std::move(transports[i]), links_[i],
                                         shards::Place{i, count}, backlog_max, strays));
            if (!links_[i]->is_open() || !threads_[i]->stop.is_open()) {
                error_ = std::make_error_code(std::errc::too_many_files_open);
            }
        }
    }
    ShardThreads(const ShardThreads&) = delete;
    ShardThreads& operator=(const ShardThreads&) = delete;
    ~ShardThreads() {
        for (const auto& thread : threads_) thread->stop.stop();
        for (const auto& thread : threads_) {
            if (thread->runs.joinable()) thread->runs.join();
        }
    }

    /// Nothing begins if there is an error.
    void start() {
        if (error()) return;
        const SignalsBlocked blocked;
        for (std::size_t i = 0; i < threads_.size(); ++i) {
            Thread& thread = *threads_[i];
            links_[i]->begin_thread();
            thread.runs = std::thread{[this, &thread, &link = *links_[i]] {
                std::error_code error = run(thread.driver, thread.stop);
                // What was handed over last is sent, too.
                if (!error) error = thread.driver.turn(read_clock());
                if (error) fail(error);
                link.end_thread();
            }};
        }
    }

    /// By the number of the shard. For the transport that the chat has.
    const std::vector<std::shared_ptr<shards::Link>>& links() const { return links_; }
    /// Readable when a shard has something for the chat.
    const WakeFd& chat() const { return *chat_; }
    /// That of the first shard: all have the same address.
    const UdpSocket& socket() const { return threads_.at(0)->driver.socket(); }

    /// Why a thread ended, if one did.
    std::error_code error() const {
        const std::lock_guard lock{mutex_};
        return error_;
    }

    /// Does `action(transport)` with each shard's, one after the other, in its thread; waits for
    /// each.
    template <class Action>
    void for_each(Action& action) {
        for (std::size_t i = 0; i < threads_.size(); ++i) {
            links_[i]->run([&](auto&) { action(threads_[i]->driver.app().transport()); });
        }
    }

    /// By the number of the shard; see `cpu_time_of`.
    std::vector<Duration> cpu_times() const {
        std::vector<Duration> times;
        for (const auto& thread : threads_) times.push_back(cpu_time_of(thread->runs));
        return times;
    }

private:
    struct Thread {
        template <class... Arguments>
        explicit Thread(UdpSocket socket, Arguments&&... arguments)
            : driver(std::move(socket), std::forward<Arguments>(arguments)...) {}

        Driver<Shard<Inner>> driver;
        StopFlag stop{};
        std::thread runs{};
    };

    void fail(std::error_code error) {
        {
            const std::lock_guard lock{mutex_};
            error_ = error;
        }
        chat_->wake();
    }

    const std::shared_ptr<WakeFd> chat_;
    std::vector<std::shared_ptr<shards::Link>> links_;
    std::vector<std::unique_ptr<Thread>> threads_;
    mutable std::mutex mutex_;  ///< Guards what follows.
    std::error_code error_;
};

/// Joins a server to a UDP address by several threads: each has a socket, an endpoint and the
/// connections that these carry, and the one that calls `turn` has the chat. To be used like a
/// Driver, but the application stands on a shards::Transport.
///
///     auto sockets = *UdpSocket::bind_shards(address, 4);
///     auto endpoints = *make_shards({certificate, key}, {.limits = limits}, 4);
///     ShardedDriver<ShardedServer, Endpoint> driver{std::move(sockets), std::move(endpoints),
///                                                   limits, std::move(log), ...};
///     quic::run(driver, stop);
template <class App, StandsOnEndpoint Inner>
class ShardedDriver {
public:
    /// One endpoint for each socket. Makes the application of a transport and `arguments`, in
    /// place; then the threads begin. They take no signals.
    template <class... Arguments>
    ShardedDriver(std::vector<UdpSocket> sockets, std::vector<Inner> transports,
                  const Limits& limits, Arguments&&... arguments)
        : shards_(std::move(sockets), std::move(transports), limits.stream_backlog_bytes_max),
          app_(shards::Transport{shards_.links(), limits}, std::forward<Arguments>(arguments)...) {
        shards_.start();
    }

    /// Made and destroyed by this; it stays where it is.
    App& app() { return app_; }
    /// To look at only: that of the first shard. All have the same address.
    const UdpSocket& socket() const { return shards_.socket(); }

    /// Readable when a shard has news.
    int fd() const { return shards_.chat().fd(); }
    /// Never: the shards wait for their sockets themselves.
    bool wants_write() const { return false; }
    /// As `wake_fds_of`.
    std::array<int, 2> wake_fds() const { return wake_fds_of(app_); }
    /// When the next turn is due, whatever the shards have to tell.
    std::optional<TimePoint> next_deadline() const { return app_.next_deadline(); }

    /// Lets the application act on what the shards have told, and hands over what came of it.
    /// Returns an error if a socket is of no more use.
    std::error_code turn(Now now) {
        const TimePoint begin = read_clock().steady;
        shards_.chat().calm();
        app_.process(now);
        app_.transport().flush();
        app_.note_turn(read_clock().steady - begin);
        return shards_.error();
    }

    /// Why a thread has ended, or none has begun.
    std::error_code error() const { return shards_.error(); }

    /// Does `action(inner)` with the transport of each shard, at its thread, and waits for that.
    template <class Action>
    void for_each_shard(Action action) {
        shards_.for_each(action);
    }
    /// What the threads of the shards have worked so far.
    std::vector<Duration> cpu_times() const { return shards_.cpu_times(); }

private:
    ShardThreads<Inner> shards_;
    App app_;  ///< Ends first.
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/shards.ipp"
#endif

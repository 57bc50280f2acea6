#pragma once

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <concepts>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "quicchat/base/background_threads.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/memory_trim.hpp"
#include "quicchat/quic/udp_socket.hpp"

namespace quicchat::quic {

/// Both times, read from the system. The only place in the library that reads a clock for its
/// logic.
QUICCHAT_DECL Now read_clock();

/// The endpoint that a transport stands on: itself, or what is below a webtransport::Transport.
inline Endpoint& endpoint_below(Endpoint& endpoint) { return endpoint; }
/// The same of what has an `inner`.
template <class T>
auto endpoint_below(T& transport) -> decltype(transport.inner(), std::declval<Endpoint&>()) {
    return endpoint_below(transport.inner());
}

/// True for a quic::Endpoint and for what stands on one.
template <class T>
concept StandsOnEndpoint = requires(T& transport) {
    { endpoint_below(transport) } -> std::same_as<Endpoint&>;
};

/// What a Driver runs: something with a quic::Endpoint inside, a Client or a Server.
template <class T>
concept Application = requires(T app, const T& view, Now now) {
    requires StandsOnEndpoint<std::remove_reference_t<decltype(app.transport())>>;
    { app.process(now) } -> std::same_as<void>;
    { view.next_deadline() } -> std::same_as<std::optional<TimePoint>>;
};

/// Readable while what works for an application in threads of its own has something to tell: a
/// server's log and files, a client's login. -1 for one that there is not; `poll` skips these.
template <class App>
std::array<int, 2> wake_fds_of(const App& app) {
    const auto or_none = [](std::optional<int> fd) { return fd.value_or(-1); };
    std::array<int, 2> fds{-1, -1};
    if constexpr (requires { app.log().wake_fd(); }) {
        fds = {or_none(app.log().wake_fd()), or_none(app.files().wake_fd())};
    } else if constexpr (requires { app.wake_fd(); }) {
        fds[0] = or_none(app.wake_fd());
    }
    return fds;
}

/// Gives what a socket has received to the endpoint; `local` as in `Endpoint::handle_unreachable`.
/// Datagrams count whether they are any good or not, and are taken in a bounded number per turn, so
/// that nobody can keep us from the rest of the work. Returns an error if the socket is of no use.
QUICCHAT_DECL std::error_code receive_turn(UdpSocket& socket, Endpoint& endpoint, TimePoint now,
                                           const SocketAddress& local = {});

/// Joins an application and a UDP socket. Whoever has an event loop waits for `fd()` to be readable
/// (writable too while `wants_write()`), for one of `wake_fds()` to be readable, or for
/// `next_deadline()`, and then calls `turn`; others call `run`. Single-threaded.
template <Application App>
class Driver {
public:
    /// Makes the application of `arguments`, in place: it need not be movable.
    template <class... Arguments>
    explicit Driver(UdpSocket socket, Arguments&&... arguments)
        : socket_(std::move(socket)), app_(std::forward<Arguments>(arguments)...) {
        // Some tenths of a second for a password, in which the loop goes on. Programs with many
        // clients call `compute_in` themselves, with threads that they share.
        if constexpr (requires { app_.compute_in(threads_.open()); }) {
            app_.compute_in(threads_.open());
        }
    }

    /// Made and destroyed by this; it stays where it is. Between turns it may be called at will.
    App& app() { return app_; }
    /// To look at only: its address, and whether it has GSO.
    const UdpSocket& socket() const { return socket_; }

    /// The socket's, which stays this object's.
    int fd() const { return socket_.fd(); }
    /// True while the socket is full. A turn sends what waits once it is not.
    bool wants_write() const { return socket_.wants_write(); }

    /// As `wake_fds_of`.
    std::array<int, 2> wake_fds() const { return wake_fds_of(app_); }

    /// When the next turn is due, whatever else happens.
    std::optional<TimePoint> next_deadline() const {
        const auto deadline = earlier(app_.next_deadline(), trim_.next_deadline());
        if (!deadline || !wants_write()) return deadline;
        // Something is due, but it cannot leave before the socket is writable.
        constexpr Duration patience = std::chrono::milliseconds{5};
        return std::max(*deadline, last_turn_ + patience);
    }

    /// Receives what is there, lets the application act, and sends what came of it. Returns an
    /// error if the socket is of no more use.
    std::error_code turn(Now now) {
        if constexpr (requires { app_.note_turn(Duration{}); }) {
            const TimePoint begin = read_clock().steady;
            const std::error_code error = do_turn(now);
            app_.note_turn(read_clock().steady - begin);
            return error;
        } else {
            return do_turn(now);
        }
    }

private:
    std::error_code do_turn(Now now) {
        last_turn_ = now.steady;
        socket_.advance(now.steady);
        if (const auto error = socket_.flush()) return error;
        Endpoint& endpoint = endpoint_below(app_.transport());
        if (const auto error = receive_turn(socket_, endpoint, now.steady)) return error;
        endpoint.handle_timeout(now.steady);
        app_.process(now);
        const std::error_code error = transmit(now.steady);
        if constexpr (requires { app_.settle(); }) app_.settle();
        if (trim_.is_due(endpoint.connections(), now.steady)) trim_memory();
        if (!socket_.take_refused()) return error;
        endpoint.handle_unreachable(now.steady);
        app_.process(now);
        return error ? error : transmit(now.steady);
    }

    std::error_code transmit(TimePoint now) {
        Endpoint& endpoint = endpoint_below(app_.transport());
        // While the socket is full, packets are better made later, with what is new by then.
        while (!socket_.wants_write()) {
            while (const auto transmit = endpoint.poll_transmit(now)) {
                if (const auto error = socket_.send(*transmit)) return error;
            }
            if (const auto error = socket_.flush()) return error;
            if (!endpoint.wants_transmit()) break;
        }
        return {};
    }

    UdpSocket socket_;
    BackgroundThreads threads_{1};  ///< Ends after the application, which drops what it asked for.
    App app_;
    TimePoint last_turn_{};
    MemoryTrim trim_;
};

/// Lets other threads, and signal handlers, end or wake a `run`. Both calls are thread-safe and
/// async-signal-safe.
class StopFlag {
public:
    StopFlag();
    ~StopFlag();
    StopFlag(const StopFlag&) = delete;
    StopFlag& operator=(const StopFlag&) = delete;

    /// Ends `run` after the turn that it is in, or at once if it begins later. For good.
    void stop() noexcept;
    /// Makes `run` do a turn now.
    void wake() noexcept;

    /// False if the system had no descriptor left for it.
    bool is_open() const { return fd_ >= 0; }
    /// Whether `stop` was called.
    bool stopped() const { return stopped_.load(std::memory_order_acquire); }
    /// Readable once `stop` or `wake` was called, until `clear`. It stays this object's.
    int fd() const { return fd_; }
    /// Takes the wake-ups that came so far.
    void clear();

private:
    static_assert(std::atomic<bool>::is_always_lock_free);

    int fd_;
    std::atomic<bool> stopped_{false};
};

/// Runs a Driver or a ClientDriver until it is told to stop, or until the socket fails.
template <class Driver>
std::error_code run(Driver& driver, StopFlag& stop) {
    while (!stop.stopped()) {
        if (const auto error = driver.turn(read_clock())) return error;
        const std::array<int, 2> wake = driver.wake_fds();
        pollfd waits[4] = {{driver.fd(), POLLIN, 0},
                           {stop.fd(), POLLIN, 0},
                           {wake[0], POLLIN, 0},
                           {wake[1], POLLIN, 0}};
        if (driver.wants_write()) waits[0].events |= POLLOUT;

        timespec timeout{};
        const std::optional<TimePoint> deadline = driver.next_deadline();
        if (deadline) {
            const Duration left = std::max(*deadline - read_clock().steady, Duration::zero());
            const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
            timeout.tv_sec = seconds.count();
            timeout.tv_nsec = (left - seconds).count();
        }
        // Errors other than EINTR would come again at once; the next turn reports them.
        const int ready = ppoll(waits, 4, deadline ? &timeout : nullptr, nullptr);
        if (ready < 0 && errno != EINTR) return {errno, std::system_category()};
        if (ready > 0 && waits[1].revents != 0) stop.clear();
    }
    return {};
}

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/run.ipp"
#endif

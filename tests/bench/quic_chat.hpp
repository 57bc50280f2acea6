#pragma once

#include <poll.h>
#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "child_process.hpp"
#include "quicchat/quic.hpp"

namespace quicchat::bench {

using ClientDriver = quic::Driver<quic::Client>;

/// Limits for many clients of one address, which stay while nothing happens.
inline Limits bench_limits() {
    Limits limits;
    limits.idle_timeout = std::chrono::minutes{10};
    limits.keep_alive = std::chrono::minutes{5};
    limits.login_timeout = std::chrono::minutes{2};
    limits.handshake_timeout = std::chrono::minutes{2};
    limits.connections_max = limits.members_max = 50'000;
    limits.presence_members_max = 0;
    const Rate unlimited{1u << 30, 1u << 30};
    limits.messages_per_account = limits.messages_per_room = limits.messages_per_prefix = unlimited;
    limits.requests_per_connection = limits.requests_per_account = unlimited;
    limits.connections_per_prefix = limits.markers_per_account = unlimited;
    limits.output_bytes_per_account = {1ull << 40, 1ull << 40};
    limits.stored_bytes_per_account = {1ull << 30, 1ull << 30};
    limits.private_log_bytes_max = 2ull << 30;
    limits.unsent_bytes_max = 1ull << 40;
    limits.connections_per_account_max = 1'000'000;  // all are of one account
    return limits;
}

template <class T>
T value_or_exit(Result<T> result, const char* what) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "%s: %s\n", what, result.error().message().c_str());
    std::exit(1);
}

inline timespec time_left(std::optional<TimePoint> deadline) {
    const Duration cap = std::chrono::milliseconds{100};
    const Duration left =
        deadline ? std::clamp(*deadline - quic::read_clock().steady, Duration::zero(), cap) : cap;
    return {0, static_cast<long>(left.count())};
}

/// A server with a certificate of its own, and nothing that keeps many clients out.
inline quic::ServerConfig bench_identity() {
    const auto pair = value_or_exit(
        quic::make_self_signed({"localhost"}, 1, quic::read_clock().wall), "certificate");
    return {.certificate_pem = pair.certificate_pem,
            .key_pem = pair.key_pem,
            .retry = quic::RetryPolicy::never,
            .half_open_max = 20'000};
}

inline quic::Endpoint bench_endpoint(const Limits& limits, bool hold_acknowledgements = true) {
    return value_or_exit(
        quic::Endpoint::server(
            bench_identity(),
            quic::Config{.limits = limits, .hold_acknowledgements = hold_acknowledgements}),
        "server");
}

/// Lets in who says "bench" and "password".
inline quic::Authenticator bench_logins() {
    auto accounts = std::make_shared<MemoryAccounts>();
    std::array<std::byte, 16> salt{};
    (void)accounts->add("bench", *make_verifier<quic::WolfCrypto>("password", salt, 100'000));
    return {std::move(accounts), std::array<std::byte, 32>{}, quic::system_entropy()};
}

/// One turn of a server, and a sleep until there is more to do, or something at `control`. True if
/// there is.
template <class Driver>
bool run_turn(Driver& driver, int control) {
    (void)driver.turn(quic::read_clock());
    while (driver.app().poll_event()) {
    }
    const auto wake = driver.wake_fds();
    pollfd waits[4] = {
        {driver.fd(), POLLIN, 0}, {control, POLLIN, 0}, {wake[0], POLLIN, 0}, {wake[1], POLLIN, 0}};
    if (driver.wants_write()) waits[0].events |= POLLOUT;
    const timespec timeout = time_left(driver.next_deadline());
    (void)ppoll(waits, 4, &timeout, nullptr);
    return waits[1].revents != 0;
}

/// The child's whole life: a server on a free port of the loopback address. `make` makes its driver
/// of a socket, an endpoint and who may log in.
template <class Make>
void serve(int control, Make make) {
    auto socket = value_or_exit(
        quic::UdpSocket::bind(*quic::SocketAddress::from_numeric("127.0.0.1", 0)), "socket");
    const std::uint16_t port = socket.local_address().port();
    const auto driver = make(std::move(socket), bench_endpoint(bench_limits()), bench_logins());
    (void)!send(control, &port, sizeof port, 0);
    while (!run_turn(*driver, control) || answer_parent(control)) {
    }
}

/// A server that keeps everything in memory, and takes no files.
inline void serve_chat(int control) {
    serve(control, [](quic::UdpSocket socket, quic::Endpoint endpoint, quic::Authenticator logins) {
        return std::make_unique<quic::Driver<quic::Server>>(
            std::move(socket), std::move(endpoint), MemoryLog{quic::system_entropy()},
            std::move(logins), quic::system_entropy(), ServerConfig{.limits = bench_limits()});
    });
}

/// Many clients in this process, each with a socket of its own, in one epoll loop.
class Crowd {
public:
    explicit Crowd(std::uint16_t port) : port_(port), epoll_(epoll_create1(0)) {}
    ~Crowd() { close(epoll_); }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    /// Adds a client and dials.
    void add(const Limits& limits = bench_limits()) {
        const auto remote = *quic::SocketAddress::from_numeric("127.0.0.1", port_);
        auto socket = value_or_exit(quic::UdpSocket::connect(remote), "socket");
        quic::ClientConfig target{.remote = remote,
                                  .local = socket.local_address(),
                                  .server_name = "localhost",
                                  .trust = quic::Trust::insecure()};
        auto endpoint = value_or_exit(
            quic::Endpoint::client(std::move(target), quic::Config{.limits = limits}), "client");
        auto login = value_or_exit(
            quic::Login::with_password("bench", "password", {.cache = cache_}), "login");
        clients_.push_back(std::make_unique<ClientDriver>(std::move(socket), std::move(endpoint),
                                                          std::move(login), quic::system_entropy(),
                                                          ClientConfig{.limits = limits}));
        reading_.push_back(true);
        epoll_event wanted{.events = EPOLLIN, .data = {.u64 = clients_.size() - 1}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back()->fd(), &wanted);
        clients_.back()->app().connect(quic::read_clock());
        (void)clients_.back()->turn(quic::read_clock());
    }

    /// Runs until `done()`, giving each event to `handle(client index, event)`.
    template <class Handle, class Done>
    void run(Handle handle, Done done) {
        while (!done()) {
            epoll_event ready[256];
            const int count = epoll_wait(epoll_, ready, 256, 1);
            const Now now = quic::read_clock();
            for (int i = 0; i < count; ++i) turn(ready[i].data.u64, now, handle);
            if (now.steady - last_sweep_ >= std::chrono::milliseconds{1}) sweep(now, handle);
        }
    }

    /// The application of that client hangs: it takes no events any more, QUIC goes on.
    void stop_reading(std::size_t index) { reading_[index] = false; }

    quic::Client& client(std::size_t index) { return clients_[index]->app(); }
    void turn_now(std::size_t index) { (void)clients_[index]->turn(quic::read_clock()); }
    std::size_t size() const { return clients_.size(); }
    void clear() { clients_.clear(); }

private:
    template <class Handle>
    void turn(std::size_t index, Now now, Handle& handle) {
        ClientDriver& driver = *clients_[index];
        (void)driver.turn(now);
        if (!reading_[index]) return;
        while (auto event = driver.app().poll_event()) {
            if (const auto* offline = std::get_if<Offline>(&*event)) {
                std::fprintf(stderr, "client %zu: %s\n", index,
                             std::string{error_name(offline->reason.errc)}.c_str());
                std::exit(1);
            }
            handle(index, *event);
        }
    }

    /// Turns for clients whose deadline has passed.
    template <class Handle>
    void sweep(Now now, Handle& handle) {
        last_sweep_ = now.steady;
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            const auto deadline = clients_[i]->next_deadline();
            if (deadline && *deadline <= now.steady) turn(i, now, handle);
        }
    }

    std::uint16_t port_;
    int epoll_;
    TimePoint last_sweep_{};
    std::shared_ptr<ClientKeyCache> cache_ = std::make_shared<ClientKeyCache>(8);
    std::vector<std::unique_ptr<ClientDriver>> clients_;
    std::vector<bool> reading_;
};

}  // namespace quicchat::bench

// Figures of a chat server over loopback QUIC. Server and clients are separate processes; all CPU
// figures are the server's. `chat --help` says how to use it.

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "process_figures.hpp"
#include "quic_chat.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

constexpr std::size_t message_bytes = 100;

struct Delivery {
    double cpu_us = 0;
    double p50_us = 0;
    double p99_us = 0;
};

void connect_all(Crowd& crowd, std::size_t count, bool join) {
    std::size_t ready = 0;
    std::size_t dialled = 0;
    const auto handle = [&](std::size_t index, const ClientEvent& event) {
        if (std::holds_alternative<Online>(event)) {
            if (join) {
                (void)crowd.client(index).join("#lobby");
                crowd.turn_now(index);
            } else {
                ++ready;
            }
        }
        if (std::holds_alternative<RoomJoined>(event)) ++ready;
    };
    // A few at a time, so that the handshakes do not time each other out.
    while (dialled < count) {
        const std::size_t until = std::min(count, dialled + 16);
        for (; dialled < until; ++dialled) crowd.add();
        crowd.run(handle, [&] { return ready == dialled; });
    }
}

/// One sender, `members` members including it, messages in bursts. The next burst goes out when
/// everybody has the last one.
Delivery measure_delivery(std::size_t members, std::size_t burst, double seconds) {
    const ChildProcess server{serve_chat};
    Crowd crowd{server.port()};
    connect_all(crowd, members, true);

    std::vector<double> latencies;
    std::size_t received = 0;
    const auto handle = [&](std::size_t, const ClientEvent& event) {
        const auto* message = std::get_if<RoomMessage>(&event);
        if (message == nullptr) return;
        ++received;
        const std::uint64_t sent = std::stoull(message->text.substr(0, 20));
        latencies.push_back(static_cast<double>(monotonic_ns() - sent) / 1000);
    };
    const auto send_burst = [&] {
        for (std::size_t i = 0; i < burst; ++i) {
            char stamp[21];
            std::snprintf(stamp, sizeof stamp, "%020llu",
                          static_cast<unsigned long long>(monotonic_ns()));
            std::string text{stamp};
            text.resize(message_bytes, '.');
            (void)crowd.client(0).publish("#lobby", std::move(text));
        }
        crowd.turn_now(0);
        const std::size_t expected = received + burst * members;
        crowd.run(handle, [&] { return received >= expected; });
    };

    for (int i = 0; i < 20; ++i) send_burst();  // caches, congestion windows
    latencies.clear();
    received = 0;
    const ProcessFigures before = server.figures();
    const std::uint64_t end = monotonic_ns() + static_cast<std::uint64_t>(seconds * 1e9);
    while (monotonic_ns() < end) send_burst();
    const ProcessFigures after = server.figures();
    return {
        static_cast<double>(after.cpu_ns - before.cpu_ns) / 1000 / static_cast<double>(received),
        percentile(latencies, 0.50), percentile(latencies, 0.99)};
}

/// The baseline: a process that sends each of a hundred sockets a plain UDP datagram of the same
/// size, one sendmmsg for all, when it gets one.
void serve_udp(int control, std::size_t members) {
    const int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(socket_fd, reinterpret_cast<sockaddr*>(&address), size) != 0) return;
    getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &size);
    const std::uint16_t port = ntohs(address.sin_port);
    (void)!send(control, &port, sizeof port, 0);

    std::vector<sockaddr_in> peers;
    std::vector<char> bytes(2048);
    while (true) {
        pollfd waits[2] = {{socket_fd, POLLIN, 0}, {control, POLLIN, 0}};
        (void)poll(waits, 2, -1);
        if (waits[1].revents != 0 && !answer_parent(control)) return;
        if (waits[0].revents == 0) continue;
        sockaddr_in peer{};
        size = sizeof peer;
        const ssize_t got = recvfrom(socket_fd, bytes.data(), bytes.size(), 0,
                                     reinterpret_cast<sockaddr*>(&peer), &size);
        if (peers.size() < members) {  // the first datagram of each is its address
            peers.push_back(peer);
            (void)sendto(socket_fd, "+", 1, 0, reinterpret_cast<sockaddr*>(&peer), size);
            continue;
        }
        iovec piece{bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
        std::vector<mmsghdr> out(peers.size());
        for (std::size_t i = 0; i < peers.size(); ++i) {
            out[i].msg_hdr.msg_name = &peers[i];
            out[i].msg_hdr.msg_namelen = sizeof peers[i];
            out[i].msg_hdr.msg_iov = &piece;
            out[i].msg_hdr.msg_iovlen = 1;
        }
        (void)sendmmsg(socket_fd, out.data(), static_cast<unsigned>(out.size()), 0);
    }
}

double measure_udp(std::size_t members, double seconds) {
    const ChildProcess server{[&](int control) { serve_udp(control, members); }};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server.port());
    std::vector<int> sockets(members);
    std::vector<char> bytes(message_bytes + 20, '.');
    for (int& fd : sockets) {
        fd = socket(AF_INET, SOCK_DGRAM, 0);
        (void)connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
        (void)!send(fd, "+", 1, 0);
        (void)!recv(fd, bytes.data(), bytes.size(), 0);
    }
    const ProcessFigures before = server.figures();
    const std::uint64_t end = monotonic_ns() + static_cast<std::uint64_t>(seconds * 1e9);
    std::size_t received = 0;
    while (monotonic_ns() < end) {
        (void)!send(sockets[0], bytes.data(), bytes.size(), 0);
        for (const int fd : sockets) {
            (void)!recv(fd, bytes.data(), bytes.size(), 0);
            ++received;
        }
    }
    const ProcessFigures after = server.figures();
    for (const int fd : sockets) close(fd);
    return static_cast<double>(after.cpu_ns - before.cpu_ns) / 1000 / static_cast<double>(received);
}

void report_delivery(std::size_t members, double seconds) {
    const double udp = measure_udp(members, seconds);
    std::printf("plain UDP, %zu members:  %6.2f us server CPU per delivery (the baseline)\n",
                members, udp);
    for (const std::size_t burst : {std::size_t{1}, std::size_t{30}}) {
        const Delivery d = measure_delivery(members, burst, seconds);
        std::printf(
            "chat, bursts of %-2zu:       %6.2f us server CPU per delivery (%.2f x), "
            "p50 %.0f us, p99 %.0f us\n",
            burst, d.cpu_us, d.cpu_us / udp, d.p50_us, d.p99_us);
    }
}

void report_idle(std::size_t connections) {
    const ChildProcess server{serve_chat};
    Crowd crowd{server.port()};
    connect_all(crowd, 100, true);  // what the first hundred cost is not per connection
    const std::uint64_t before = server.figures().resident_kib;
    connect_all(crowd, connections - 100, true);
    const std::uint64_t after = server.figures().resident_kib;
    std::printf("idle, %zu connections in a room: %.1f KiB resident per connection\n", connections,
                static_cast<double>(after - before) / static_cast<double>(connections - 100));
}

void report_handshakes(std::size_t count) {
    const ChildProcess server{serve_chat};
    Crowd crowd{server.port()};
    connect_all(crowd, 16, false);  // derives the password's keys once
    const ProcessFigures before = server.figures();
    const std::uint64_t begin = monotonic_ns();
    connect_all(crowd, count, false);
    const double wall = static_cast<double>(monotonic_ns() - begin) / 1e9;
    const ProcessFigures after = server.figures();
    const double cpu = static_cast<double>(after.cpu_ns - before.cpu_ns) / 1e9;
    const auto n = static_cast<double>(count);
    std::printf(
        "full handshakes with login: %.0f per second of server CPU (%.2f ms each); "
        "%.0f per second with both ends on this machine\n",
        n / cpu, cpu / n * 1000, n / wall);
}

constexpr std::string_view help =
    "Measures a chat server over loopback QUIC: server and clients in separate processes,\n"
    "one sender, messages of 100 bytes.\n"
    "\n"
    "  chat [--members N] [--seconds S] [--connections N] [--handshakes N]\n"
    "\n"
    "  --members N      members of the room (100)\n"
    "  --seconds S      seconds per measurement (3)\n"
    "  --connections N  idle connections, more than 100 (1000)\n"
    "  --handshakes N   handshakes with login (500)\n";

}  // namespace

int main(int argc, char** argv) {
    std::size_t members = 100;
    double seconds = 3;
    std::size_t connections = 1000;
    std::size_t handshakes = 500;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const char* value = i + 1 < argc ? argv[++i] : nullptr;
        if (option == "--members" && value) {
            members = std::stoul(value);
        } else if (option == "--seconds" && value) {
            seconds = std::stod(value);
        } else if (option == "--connections" && value) {
            connections = std::stoul(value);
        } else if (option == "--handshakes" && value) {
            handshakes = std::stoul(value);
        } else {
            std::fputs(help.data(), option == "--help" ? stdout : stderr);
            return option == "--help" ? 0 : 64;
        }
    }
    report_delivery(members, seconds);
    report_idle(connections);
    report_handshakes(handshakes);
    return 0;
}

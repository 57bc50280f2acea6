// What members that read nothing cost the others and the server, over loopback QUIC. Server and
// clients are separate processes. `stalled --help` says how to use it.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "process_figures.hpp"
#include "quic_chat.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

constexpr std::size_t message_bytes = 1000;

/// A small window, so that a client that reads nothing is stalled after a few messages.
Limits hanging_limits() {
    Limits limits = bench_limits();
    limits.events_max = 8;
    limits.stream_receive_window = 16 * 1024;
    return limits;
}

/// People who read, in front, and others who will stop doing so.
class Scene {
public:
    Scene(std::size_t readers, std::size_t hanging)
        : server_(serve_chat), crowd_(server_.port()), readers_(readers), hanging_(hanging) {
        const auto handle = [&](std::size_t, const ClientEvent& event) {
            if (std::holds_alternative<Online>(event)) ++online_;
        };
        for (std::size_t dialled = 0; dialled < readers + hanging;) {
            // A few at a time, so that the handshakes do not time each other out.
            for (int i = 0; i < 16 && dialled < readers + hanging; ++i, ++dialled) {
                crowd_.add(dialled < readers ? bench_limits() : hanging_limits());
            }
            crowd_.run(handle, [&] { return online_ == dialled; });
        }
        join(0, readers);
    }

    /// Joins those from `first` on, and waits for them.
    void join(std::size_t first, std::size_t count) {
        std::size_t joined = 0;
        for (std::size_t i = first; i < first + count; ++i) {
            (void)crowd_.client(i).join("#lobby");
            crowd_.turn_now(i);
        }
        crowd_.run(
            [&](std::size_t, const ClientEvent& event) {
                joined += std::holds_alternative<RoomJoined>(event) ? 1 : 0;
            },
            [&] { return joined == count; });
    }

    void stall() {
        join(readers_, hanging_);
        for (std::size_t i = readers_; i < crowd_.size(); ++i) crowd_.stop_reading(i);
        // Windows, backlogs and more are full after this.
        for (int i = 0; i < 300; ++i) send();
    }

    /// One message; returns when all readers have it.
    void send() {
        char stamp[21];
        std::snprintf(stamp, sizeof stamp, "%020llu",
                      static_cast<unsigned long long>(monotonic_ns()));
        std::string text{stamp};
        text.resize(message_bytes, '.');
        (void)crowd_.client(0).publish("#lobby", std::move(text));
        crowd_.turn_now(0);
        std::size_t received = 0;
        crowd_.run(
            [&](std::size_t index, const ClientEvent& event) {
                const auto* message = std::get_if<RoomMessage>(&event);
                if (message == nullptr || index >= readers_) return;
                ++received;
                const std::uint64_t sent = std::stoull(message->text.substr(0, 20));
                latencies_.push_back(static_cast<double>(monotonic_ns() - sent) / 1000);
            },
            [&] { return received >= readers_; });
    }

    struct Figures {
        double p50_us = 0;
        double p99_us = 0;
        double cpu_us = 0;  ///< Of the server, per delivery to a reader.
    };
    Figures measure(double seconds) {
        for (int i = 0; i < 20; ++i) send();
        latencies_.clear();
        const std::uint64_t cpu = server_.figures().cpu_ns;
        const std::uint64_t end = monotonic_ns() + static_cast<std::uint64_t>(seconds * 1e9);
        while (monotonic_ns() < end) send();
        const double used = static_cast<double>(server_.figures().cpu_ns - cpu) / 1000;
        return {percentile(latencies_, 0.50), percentile(latencies_, 0.99),
                used / static_cast<double>(latencies_.size())};
    }

    std::uint64_t resident_kib() const { return server_.figures().resident_kib; }

private:
    ChildProcess server_;
    Crowd crowd_;
    std::size_t readers_;
    std::size_t hanging_;
    std::size_t online_ = 0;
    std::vector<double> latencies_;
};

constexpr std::string_view help =
    "Measures what members that read nothing cost: the latency of the others, before and while\n"
    "they hang, and the server's memory.\n"
    "\n"
    "  stalled [--readers N] [--hanging N] [--seconds S] [--rounds N]\n"
    "\n"
    "  --readers N  members that read (100)\n"
    "  --hanging N  members that do not (1000)\n"
    "  --seconds S  seconds per measurement (3)\n"
    "  --rounds N   rounds, each with a new server (3)\n";

}  // namespace

int main(int argc, char** argv) {
    std::size_t readers = 100;
    std::size_t hanging = 1000;
    double seconds = 3;
    int rounds = 3;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const char* value = i + 1 < argc ? argv[++i] : nullptr;
        if (option == "--readers" && value) {
            readers = std::stoul(value);
        } else if (option == "--hanging" && value) {
            hanging = std::stoul(value);
        } else if (option == "--seconds" && value) {
            seconds = std::stod(value);
        } else if (option == "--rounds" && value) {
            rounds = std::stoi(value);
        } else {
            std::fputs(help.data(), option == "--help" ? stdout : stderr);
            return option == "--help" ? 0 : 64;
        }
    }
    for (int round = 1; round <= rounds; ++round) {
        Scene scene{readers, hanging};
        const Scene::Figures before = scene.measure(seconds);
        const std::uint64_t idle = scene.resident_kib();
        scene.stall();
        const Scene::Figures during = scene.measure(seconds);
        const std::uint64_t stalled = scene.resident_kib();
        const auto show = [](const char* when, const Scene::Figures& f) {
            std::printf("  %s: p50 %.0f us, p99 %.0f us, %.2f us server CPU per delivery\n", when,
                        f.p50_us, f.p99_us, f.cpu_us);
        };
        std::printf("round %d, %zu readers, %zu members that hang:\n", round, readers, hanging);
        show("before", before);
        show("during", during);
        std::printf("  p99 %.2f x; %.1f KiB per member that hangs\n", during.p99_us / before.p99_us,
                    static_cast<double>(stalled - idle) / static_cast<double>(hanging));
        std::fflush(stdout);
    }
    return 0;
}

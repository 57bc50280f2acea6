// A server to be loaded by qc_load, in a process of its own. What could refuse a load is set high;
// all else is as it is by default. `qc_server --help` says how to use it.

#include <signal.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quic_chat.hpp"
#include "quicchat/quic.hpp"
#include "quicchat/quic_shards.hpp"
#include "quicchat/sqlite.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

quic::StopFlag* stop_flag = nullptr;

struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 21600;
    std::string log = "memory";
    std::string path = "qc_server.db";
    bool hold = true;
    std::size_t shards = 0;
    ServerConfig config{.limits = bench_limits()};
};

constexpr std::string_view help =
    "A chat server for qc_load, until SIGTERM. It says \"ready\" when it listens.\n"
    "\n"
    "  qc_server [--host H] [--port P] [--log memory|process|fsync] [--path FILE]\n"
    "            [--no-hold] [--records N] [--rooms N] [--shards N]\n"
    "\n"
    "  --host H     address to listen at (127.0.0.1)\n"
    "  --port P     UDP port (21600)\n"
    "  --log LEVEL  where messages are when they are acknowledged (memory)\n"
    "  --path FILE  the database of the other two levels (qc_server.db)\n"
    "  --no-hold    acknowledges as ngtcp2 does by itself\n"
    "  --records N  messages that a room keeps\n"
    "  --rooms N    makes the rooms #r0 to #rN-1, beside #lobby\n"
    "  --shards N   that many threads carry connections, beside the one with the chat; at its end\n"
    "               it says what CPU time each has taken\n";

[[noreturn]] void refuse_arguments() {
    std::fputs(help.data(), stderr);
    std::exit(64);
}

Options parse(int argc, char** argv) {
    Options options;
    Limits& limits = options.config.limits;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--help") {
            std::fputs(help.data(), stdout);
            std::exit(0);
        }
        if (option == "--no-hold") {
            options.hold = false;
            continue;
        }
        if (++i == argc) refuse_arguments();
        const std::string value = argv[i];
        if (option == "--host") {
            options.host = value;
        } else if (option == "--port") {
            options.port = static_cast<std::uint16_t>(std::stoul(value));
        } else if (option == "--log") {
            options.log = value;
        } else if (option == "--path") {
            options.path = value;
        } else if (option == "--shards") {
            options.shards = std::stoul(value);
        } else if (option == "--records") {
            limits.room_log_records_max = std::stoul(value);
            limits.room_log_bytes_max = 1ull << 40;
        } else if (option == "--rooms") {
            options.config.rooms.clear();
            for (std::size_t n = 0; n < std::stoul(value); ++n) {
                options.config.rooms.push_back("#r" + std::to_string(n));
            }
            options.config.rooms.push_back("#lobby");
            limits.rooms_max = 100'000;
        } else {
            refuse_arguments();
        }
    }
    return options;
}

Owned<RoomLog> open_log(const Options& options) {
    if (options.log == "memory") return MemoryLog{quic::system_entropy()};
    if (options.log != "process" && options.log != "fsync") refuse_arguments();
    const auto durability = options.log == "fsync" ? Durability::fsync : Durability::process;
    auto store = sqlite::Store::open({.path = options.path, .durability = durability},
                                     quic::system_entropy());
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().text.c_str());
        std::exit(1);
    }
    return SqliteLog{*store};
}

template <class Driver>
void serve(Driver& driver, quic::StopFlag& stop) {
    std::puts("ready");
    std::fflush(stdout);
    while (!stop.stopped()) (void)run_turn(driver, stop.fd());
}

/// Of the threads, and of all of this process that is not theirs.
void print_times(const std::vector<Duration>& shards) {
    timespec all{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
    double rest = static_cast<double>(all.tv_sec) + static_cast<double>(all.tv_nsec) / 1e9;
    for (const Duration time : shards) {
        const double seconds = std::chrono::duration<double>(time).count();
        rest -= seconds;
        std::printf("shard %.3f s\n", seconds);
    }
    std::printf("chat %.3f s\n", rest);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    Owned<RoomLog> log = open_log(options);
    const auto address = *quic::SocketAddress::from_numeric(options.host, options.port);
    quic::StopFlag stop;
    stop_flag = &stop;
    for (const int number : {SIGTERM, SIGINT}) signal(number, [](int) { stop_flag->stop(); });
    if (options.shards != 0) {
        quic::ShardedDriver<quic::ShardedServer, quic::Endpoint> driver{
            value_or_exit(quic::UdpSocket::bind_shards(address, options.shards), "sockets"),
            value_or_exit(quic::make_shards(bench_identity(),
                                            {.limits = options.config.limits,
                                             .hold_acknowledgements = options.hold},
                                            options.shards),
                          "server"),
            options.config.limits,
            std::move(log),
            bench_logins(),
            quic::system_entropy(),
            options.config};
        serve(driver, stop);
        print_times(driver.cpu_times());
        return 0;
    }
    quic::Driver<quic::Server> driver{value_or_exit(quic::UdpSocket::bind(address), "socket"),
                                      bench_endpoint(options.config.limits, options.hold),
                                      std::move(log),
                                      bench_logins(),
                                      quic::system_entropy(),
                                      options.config};
    serve(driver, stop);
    return 0;
}

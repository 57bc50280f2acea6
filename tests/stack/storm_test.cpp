#include "stack/storm.hpp"

#include <chrono>
#include <cstdint>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "support/seed.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

constexpr Duration time_per_seed = 10min;
constexpr std::uint64_t slices = 2;

struct Outcome {
    std::string breach;  ///< Empty: all went well.
    Duration online{};
    std::uint64_t datagrams = 0;
    std::uint64_t acked = 0;
    std::uint64_t seen = 0;
    std::uint64_t lost = 0;  ///< Connections.
    std::uint64_t files = 0;
    std::uint64_t fetched = 0;  ///< Files.
    std::uint64_t trace = 0;
};

/// Half of the seeds have a server of two or three shards, some of them with a kernel that does not
/// look into packets.
Outcome run(std::uint64_t seed, Duration time = time_per_seed) {
    Entropy draw = Entropy::seeded(seed + 77);
    StackConfig config{.seed = seed, .phones = 1 + draw.draw_number() % 3};
    config.dead_route = draw.draw_number() % 3 == 0;
    if (draw.draw_number() % 3 == 0) config.retry = quic::RetryPolicy::always;
    if (draw.draw_number() % 3 == 0) {
        config.limits.stream_receive_window = 6 * 1024;
        config.limits.connection_receive_window = 10 * 1024;
    }
    config.has_accounts = config.has_files = seed % 2 == 0;
    if (config.has_files) {
        config.limits.rooms_per_connection_max = 2;  // and 8 streams beside
        config.limits.file_backlog_bytes_max = 64 * 1024;
    }
    if (seed % 4 >= 2) {
        config.shards = 2 + seed % 3 % 2;
        config.steers = seed % 8 < 4;
    }
    config.patience = 20s;
    Outcome outcome;
    Stack stack{config};
    try {
        Storm storm{stack};
        storm.blow(time);
        outcome.online = stack.online_time();  // while everybody talks
        stack.finish();
    } catch (const Breach& breach) {
        outcome.breach = breach.what;
    }
    outcome.datagrams = stack.net().sent();
    for (std::size_t i = 0; i < stack.size(); ++i) {
        const Witness& w = stack.phone(i).witness;
        outcome.acked += w.acked();
        outcome.seen += w.seen();
        outcome.lost += w.lost();
        outcome.fetched += stack.phone(i).files.fetched();
    }
    outcome.files = stack.truth().announced.size();
    outcome.trace = stack.net().trace_hash();
    return outcome;
}

void run_slice(std::uint64_t slice) {
    const std::uint64_t first = seed_is_given() ? seed() : 1;
    const std::uint64_t count = seed_is_given() ? 1 : seed_count(160);
    Outcome all;
    const std::clock_t begin = std::clock();
    for (std::uint64_t i = 0; i < count; ++i) {
        if ((i + 1) / 2 % slices != slice) continue;  // of both kinds as many
        INFO("QUICCHAT_SEED=" << first + i << " repeats it");
        const Outcome one = run(first + i);
        CHECK(one.breach == "");
        all.online += one.online;
        all.datagrams += one.datagrams;
        all.acked += one.acked;
        all.seen += one.seen;
        all.lost += one.lost;
        all.files += one.files;
        all.fetched += one.fetched;
    }
    const double hours = std::chrono::duration<double, std::ratio<3600>>(all.online).count();
    const double minutes = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / 60;
    std::cout << std::setprecision(3) << hours << " connection-hours, "
              << hours / std::max(minutes, 1e-9) << " per minute of processor; " << all.datagrams
              << " datagrams, " << all.acked << " messages acknowledged, " << all.seen << " seen, "
              << all.lost << " connections lost, " << all.files << " files, " << all.fetched
              << " fetched\n";
    // That it breaks nothing says something only if it does something.
    if (count >= 8) CHECK(all.acked > 100 * count / slices);
    if (count >= 8) CHECK(all.fetched > 5 * count / slices);
}

}  // namespace

TEST_CASE("whatever the network does, every promise holds, 1 of 2", "[stack]") { run_slice(0); }
TEST_CASE("whatever the network does, every promise holds, 2 of 2", "[stack]") { run_slice(1); }

TEST_CASE("a seed is one run of the whole stack, to the byte", "[stack]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    const Outcome one = run(seed, 2min);
    const Outcome again = run(seed, 2min);
    CHECK(one.datagrams == again.datagrams);
    CHECK(one.trace == again.trace);
    CHECK(run(seed + 1, 2min).trace != one.trace);
}

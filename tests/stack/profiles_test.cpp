// Networks of one kind each, after the cases of quic-interop-runner, with the whole stack on them.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_translate_exception.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "stack/stack.hpp"
#include "support/printers.hpp"

using namespace quicchat;
using namespace quicchat::test;

CATCH_TRANSLATE_EXCEPTION(const Breach& breach) { return breach.what; }

namespace {

/// How many of so many clients, each on a network of its own, log in within `time`.
std::size_t count_logins(std::uint64_t runs, unsigned loss, Duration time, Limits limits = {}) {
    std::size_t good = 0;
    for (std::uint64_t seed = 1; seed <= runs; ++seed) {
        Stack stack{{.seed = seed,
                     .phones = 1,
                     .weather = {.loss = loss, .delay = 15ms},
                     .limits = limits,
                     .reconnects = false,
                     .patience = 1h}};
        stack.phone(0).witness.closing = true;  // giving up is what is counted
        const bool online =
            stack.run_until(time, [&] { return stack.phone(0).witness.is_online(); });
        if (online) ++good;
        if (!online) UNSCOPED_INFO("seed " << seed << " is not online in time");
    }
    return good;
}

/// Everybody talks for so long; then nothing may be missing, and nobody was cut.
void talk(Stack& stack, Duration time) {
    stack.run_for(time);
    CHECK(stack.truth().entries.size() > 0);
    for (std::size_t i = 0; i < stack.size(); ++i) CHECK(stack.phone(i).witness.lost() == 0);
    stack.finish();
}

Duration slowest(Stack& stack) {
    Duration worst{};
    for (std::size_t i = 0; i < stack.size(); ++i) {
        worst = std::max(worst, stack.phone(i).witness.slowest());
    }
    return worst;
}

}  // namespace

TEST_CASE("a client logs in where a fifth of all datagrams is lost", "[stack][profile]") {
    CHECK(count_logins(300, 200, 10s) == 300);
}

TEST_CASE("a client logs in where nearly a third of all datagrams is lost", "[stack][profile]") {
    CHECK(count_logins(50, 300, 30s, {.login_timeout = 30s, .handshake_timeout = 30s}) == 50);
}

TEST_CASE("a talk goes on where datagrams are lost", "[stack][profile]") {
    Stack stack{{.phones = 3, .weather = {.loss = 20, .delay = 15ms}, .patience = 3s}};
    talk(stack, 5min);
    CHECK(slowest(stack) < 2s);
}

TEST_CASE("a talk goes on where a third is lost", "[stack][profile]") {
    Stack stack{{.phones = 2,
                 .weather = {.loss = 300, .delay = 15ms},
                 .limits = {.login_timeout = 30s, .handshake_timeout = 30s},
                 .patience = 60s}};
    talk(stack, 5min);
}

TEST_CASE("a talk goes on where a round trip takes 750 ms", "[stack][profile]") {
    Stack stack{{.phones = 2, .weather = {.delay = 375ms}, .patience = 4s}};
    talk(stack, 5min);
    // There and back for the answer; half of it for the others.
    CHECK(slowest(stack) < 1200ms);
}

TEST_CASE("a talk goes on where datagrams overtake, come twice and are damaged",
          "[stack][profile]") {
    Stack stack{{.phones = 3,
                 .weather = {.duplicate = 100, .corrupt = 50, .delay = 10ms, .jitter = 60ms},
                 .patience = 4s}};
    talk(stack, 5min);
}

TEST_CASE("a talk goes on over a slow way with a long queue", "[stack][profile]") {
    Stack stack{{.phones = 2,
                 .weather = {.delay = 40ms, .bytes_per_second = 16'000, .queue_bytes = 64'000},
                 .patience = 10s}};
    talk(stack, 5min);
}

TEST_CASE("a talk goes on over a way that carries only the shortest packets", "[stack][profile]") {
    Stack stack{
        {.phones = 2, .weather = {.delay = 10ms, .datagram_bytes_max = 1200}, .patience = 3s}};
    talk(stack, 5min);
    CHECK(slowest(stack) < 1s);
}

TEST_CASE("a talk goes on over a network that is away for some seconds of each seven",
          "[stack][profile]") {
    // quic-interop-runner has it on for 5 s and off for 2 s, and the other way round here as well.
    const bool mostly = GENERATE(true, false);
    const Duration on = mostly ? 5s : 2s;
    const Duration off = 7s - on;
    // A probe must find the network there, and the pauses between probes double: it may need
    // another connection.
    Stack stack{{.phones = 2, .weather = {.delay = 15ms}, .patience = mostly ? 10s : 40s}};
    REQUIRE(stack.run_until(2s, [&] { return stack.all_online(); }));
    const TimePoint end = stack.now() + 40 * 7s;
    for (std::size_t p = 0; !mostly && p < 2; ++p) stack.phone(p).witness.note_trouble({}, end);
    for (int i = 0; i < 40; ++i) {
        for (std::size_t p = 0; p < 2; ++p) {
            stack.change_weather(p, [](Weather& w) { w.dead = true; });
        }
        stack.run_for(off);
        for (std::size_t p = 0; p < 2; ++p) {
            stack.change_weather(p, [](Weather& w) { w.dead = false; });
        }
        stack.run_for(on);
    }
    for (std::size_t p = 0; mostly && p < 2; ++p) CHECK(stack.phone(p).witness.lost() == 0);
    if (mostly) CHECK(slowest(stack) < 2 * (on + off));
    stack.finish();
}

TEST_CASE("a connection on which nothing is acknowledged makes room for another",
          "[stack][profile]") {
    Stack stack{{.phones = 2, .weather = {.loss = 100, .delay = 15ms}, .patience = 14s}};
    stack.run_for(60s);  // congestion windows are small by then
    for (std::size_t p = 0; p < 2; ++p) stack.change_weather(p, [](Weather& w) { w.loss = 0; });
    REQUIRE(stack.run_until(3s, [&] { return stack.all_online(); }));
    const Duration time = 40s;
    const TimePoint end = stack.now() + time;
    stack.phone(0).witness.note_trouble(end, end + 5s);
    stack.weather(0, Direction::up).dead = true;
    stack.run_for(time);
    stack.weather(0, Direction::up).dead = false;
    stack.run_for(60s);
    CHECK(stack.all_online());
    stack.finish();
}

TEST_CASE("nobody is cut by a NAT that forgets every 5 s", "[stack][profile]") {
    const unsigned loss = GENERATE(0u, 20u);
    // The packets of a moved client come to another shard than its own.
    const std::size_t shards = GENERATE(0u, 3u);
    Stack stack{{.phones = 2,
                 .weather = {.loss = loss, .delay = 15ms},
                 .shards = shards,
                 .steers = false,
                 .patience = 5s}};
    REQUIRE(stack.run_until(3s, [&] { return stack.all_online(); }));
    for (int i = 0; i < 60; ++i) {
        stack.phone(0).rebind();
        if (i % 3 == 0) stack.phone(1).rebind();
        stack.run_for(5s);
    }
    // What the others say before the phone itself does has no way to it until then.
    CHECK(slowest(stack) < 3s);
    talk(stack, 1s);
}

TEST_CASE("nobody is cut by an address that changes every 5 s", "[stack][profile]") {
    const unsigned loss = GENERATE(0u, 20u);
    // The packets of a moved client come to another shard than its own.
    const std::size_t shards = GENERATE(0u, 3u);
    Stack stack{{.phones = 2,
                 .weather = {.loss = loss, .delay = 15ms},
                 .shards = shards,
                 .steers = false,
                 .patience = 5s}};
    REQUIRE(stack.run_until(3s, [&] { return stack.all_online(); }));
    for (int i = 0; i < 60; ++i) {
        stack.phone(0).change_address();
        stack.run_for(5s);
    }
    CHECK(slowest(stack) < 3s);
    talk(stack, 1s);
}

TEST_CASE("nobody is cut by addresses and NATs that change where a seventh is lost",
          "[stack][profile]") {
    // Each change is a few packets that only make sense in their order. With long messages the
    // server has more to send than it may to an address that is not validated.
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        CAPTURE(seed);
        Stack stack{{.seed = seed,
                     .phones = 1,
                     .weather = {.loss = 150, .delay = 15ms, .jitter = 20ms},
                     .reconnects = false,
                     .text_bytes = seed % 2 == 0 ? 4000u : 0u,
                     .patience = 15s}};
        REQUIRE(stack.run_until(10s, [&] { return stack.all_online(); }));
        for (int i = 0; i < 40; ++i) {
            const std::uint64_t what = stack.draw(0, 3);
            if (what == 0) stack.phone(0).rebind();
            if (what == 1) stack.phone(0).rebind_back();
            if (what >= 2) stack.phone(0).change_address();
            stack.run_for(Duration{static_cast<Duration::rep>(stack.draw(50, 4000)) * 1'000'000});
        }
        // A phone behind a NAT that has changed is heard when it speaks. If it fell silent now, the
        // server might wait so long for a probe timeout that a new connection is sooner there.
        stack.change_weather(0, [](Weather& w) { w.loss = 0; });
        stack.run_for(20s);
        stack.finish();
    }
}

TEST_CASE("a way that becomes narrower holds up nobody for long", "[stack][profile]") {
    const Direction direction = GENERATE(Direction::up, Direction::down);
    Stack stack{{.phones = 2, .weather = {.delay = 15ms}, .say_every = 100ms, .patience = 5s}};
    REQUIRE(stack.run_until(3s, [&] { return stack.all_online(); }));
    stack.run_for(30s);
    stack.weather(0, direction).datagram_bytes_max = 1230;
    stack.run_for(60s);
    CHECK(slowest(stack) < 2s);
    talk(stack, 1s);
}

TEST_CASE("a client comes back to a server that began anew", "[stack][profile]") {
    const bool politely = GENERATE(true, false);
    Stack stack{{.phones = 3, .weather = {.loss = 10, .delay = 15ms}, .patience = 6s}};
    REQUIRE(stack.run_until(5s, [&] { return stack.all_online(); }));
    for (int i = 0; i < 10; ++i) {
        const TimePoint end = stack.now() + 5s;
        for (std::size_t p = 0; p < 3; ++p) stack.phone(p).witness.note_trouble(end, end + 5s);
        if (politely) stack.shut_server_down();
        if (!politely) stack.crash_server();
        stack.run_for(4s);
        REQUIRE_FALSE(stack.has_server());
        stack.start_server();
        stack.run_for(30s);
        CHECK(stack.all_online());
    }
    stack.finish();
}

TEST_CASE("a server sends strangers three times what they sent, and no more", "[stack][profile]") {
    // RFC 9000 §8.1. The client's second flight is lost for a while: its address is not validated.
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        Stack stack{{.seed = seed, .phones = 1, .weather = {.delay = 15ms}, .patience = 20s}};
        std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> bytes;  // in, out
        bool cut = true;
        std::size_t first = 0;
        stack.net().spy = [&](TimePoint, std::size_t, Direction direction, const Letter& letter) {
            if (!cut) return;
            if (direction == Direction::down) {
                bytes[letter.to.to_string()].second += letter.bytes.size();
                const auto& [in, out] = bytes[letter.to.to_string()];
                CHECK(out <= 3 * in);
                return;
            }
            // The first datagram arrives, and none behind it: what was sent counts at once.
            if (++first > 1) stack.weather(0, Direction::up).dead = true;
            if (first == 1) bytes[letter.from.to_string()].first += letter.bytes.size();
        };
        stack.run_for(3s);
        CHECK(bytes.size() == 1);
        CHECK(bytes.begin()->second.second > 0);
        cut = false;
        stack.weather(0, Direction::up).dead = false;
        stack.phone(0).witness.note_trouble(stack.now() + 5s, stack.now() + 20s);
        CHECK(stack.run_until(10s, [&] { return stack.all_online(); }));
        stack.finish();
    }
}

TEST_CASE("who did not hear the end of a connection is told it again", "[stack][profile]") {
    // RFC 9000 §10.2: while the state is kept, that is for three PTOs.
    Stack stack{{.phones = 2, .weather = {.delay = 15ms}, .say_every = 40ms, .patience = 5s}};
    REQUIRE(stack.run_until(3s, [&] { return stack.all_online(); }));
    stack.run_for(1s);
    stack.phone(0).witness.note_trouble(stack.now() + 3s, stack.now() + 3s);
    stack.weather(0, Direction::down).dead = true;
    for (const auto& connection : stack.server()->connection_stats()) {
        if (connection.user != "user0") continue;
        stack.server()->close(connection.connection, Errc::server_full);
    }
    stack.run_for(20ms);
    stack.weather(0, Direction::down).dead = false;
    CHECK(stack.run_until(3s, [&] { return stack.phone(0).witness.lost() == 1; }));
    REQUIRE(stack.phone(0).witness.losses().size() == 1);
    CHECK(stack.phone(0).witness.losses().front() == Errc::server_full);
    stack.finish();
}

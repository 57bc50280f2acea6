#include <chrono>
#include <optional>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/session/backoff.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

using namespace quicchat;
using namespace std::chrono_literals;

namespace {

/// A backoff with a clock, and the longest delay that each attempt might have had.
struct Scene {
    explicit Scene(Reconnection policy = {}) : backoff(policy) {}

    void go_online(Duration held = 0s) {
        backoff.handle_online(now);
        now += held;
    }
    std::optional<Duration> lose(Errc why = Errc::transport_failed) {
        const std::optional<Duration> delay = backoff.handle_lost(why, now, entropy);
        if (delay) now += *delay;
        return delay;
    }
    /// True if the next delay is what is left of `full` when up to a half is taken off.
    bool waits(Duration full, Errc why = Errc::transport_failed) {
        const std::optional<Duration> delay = lose(why);
        return delay && *delay >= full / 2 && *delay <= full;
    }

    Backoff backoff;
    Entropy entropy = Entropy::seeded(test::seed());
    TimePoint now{1h};
};

}  // namespace

TEST_CASE("a backoff asks the class of the error whether trying again helps", "[session]") {
    INFO("seed=" << test::seed());
    for (const ErrorInfo& info : error_table) {
        INFO(info.name);
        Scene scene;
        scene.go_online();
        const bool helps =
            info.error_class == ErrorClass::retry || info.error_class == ErrorClass::retry_after;
        CHECK(scene.lose(info.errc).has_value() == helps);
    }
    Scene scene;
    scene.go_online();
    CHECK_FALSE(scene.lose(Errc{4711}));  // of a later version
}

TEST_CASE("a backoff waits", "[session]") {
    INFO("seed=" << test::seed());
    Scene scene;
    scene.go_online();

    SECTION("twice as long each time, up to a limit") {
        Duration full = 500ms;
        for (int i = 0; i < 200; ++i) {
            INFO("attempt " << i);
            REQUIRE(scene.waits(full));
            full = std::min<Duration>(full * 2, 30s);
        }
        CHECK(scene.backoff.attempts() == 200);
    }
    SECTION("longer for a server that is busy") {
        for (const Duration full : {5s, 10s, 20s, 40s, 80s, 120s, 120s}) {
            REQUIRE(scene.waits(full, Errc::server_full));
        }
    }
    SECTION("by what went wrong last, however it began") {
        CHECK(scene.waits(500ms));
        CHECK(scene.waits(10s, Errc::server_full));
        CHECK(scene.waits(2s));
    }
    SECTION("any time between a half and the whole") {
        Duration shortest = 1h;
        Duration longest{};
        for (int i = 0; i < 1000; ++i) {
            scene.go_online(10s);
            const Duration delay = scene.lose().value();
            shortest = std::min(shortest, delay);
            longest = std::max(longest, delay);
        }
        CHECK(shortest >= 250ms);
        CHECK(shortest < 260ms);
        CHECK(longest <= 500ms);
        CHECK(longest > 490ms);
    }
}

TEST_CASE("a backoff begins anew after a connection that held", "[session]") {
    INFO("seed=" << test::seed());
    Scene scene;
    scene.go_online();
    for (int i = 0; i < 5; ++i) scene.lose();
    CHECK(scene.backoff.attempts() == 5);

    SECTION("long enough") {
        scene.go_online(10s);
        CHECK(scene.waits(500ms));
        CHECK(scene.backoff.attempts() == 1);
    }
    SECTION("but not after one that was lost at once") {
        scene.go_online(9999ms);
        CHECK(scene.waits(16s));
        CHECK(scene.backoff.attempts() == 6);
    }
}

TEST_CASE("a backoff gives up", "[session]") {
    INFO("seed=" << test::seed());

    SECTION("where it is not wanted") {
        Scene scene{{.enabled = false}};
        scene.go_online();
        CHECK_FALSE(scene.lose());
    }
    SECTION("before the first login, unless it was asked to go on then as well") {
        const bool asked = GENERATE(false, true);
        Scene scene{{.before_first_login = asked}};
        CHECK(scene.lose(Errc::unreachable).has_value() == asked);
        CHECK(scene.lose(Errc::unreachable).has_value() == asked);
        scene.go_online();
        CHECK(scene.lose());
        CHECK(scene.lose(Errc::unreachable));  // it was online once
    }
    SECTION("when it was offline for too long, and says so before it waits in vain") {
        Scene scene{{.give_up_after = 60s}};
        scene.go_online(1h);
        const TimePoint lost = scene.now;
        while (scene.lose()) CHECK(scene.now - lost <= 60s);
        CHECK(scene.now - lost > 15s);
        CHECK(scene.backoff.attempts() > 5);
    }
    SECTION("not because of earlier times without a connection") {
        Scene scene{{.give_up_after = 60s}};
        for (int i = 0; i < 50; ++i) {
            scene.go_online(11s);
            REQUIRE(scene.lose());
            scene.now += 30s;
        }
    }
    SECTION("counting from the first attempt if it never was online") {
        Scene scene{{.before_first_login = true, .give_up_after = 10s}};
        CHECK(scene.lose());
        scene.now += 10s;
        CHECK_FALSE(scene.lose());
    }
}

#include "quicchat/server/io/login_locks.hpp"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;
using std::chrono::minutes;

TEST_CASE("a lock of logins is reported once") {
    LoginLocks locks;
    const TimePoint start{minutes{1000}};
    CHECK(locks.note("192.0.2", "ada", start));
    for (int i = 0; i < 100; ++i) CHECK_FALSE(locks.note("192.0.2", "Ada", start + minutes{i}));

    SECTION("for each account, network, and for a network as such") {
        CHECK(locks.note("192.0.2", "bob", start));
        CHECK(locks.note("192.0.3", "ada", start));
        CHECK(locks.note("192.0.2", "", start));
        CHECK_FALSE(locks.note("192.0.2", "", start));
    }
    SECTION("again after ten quiet minutes") {
        CHECK_FALSE(locks.note("192.0.2", "ada", start + minutes{108}));
        CHECK(locks.note("192.0.2", "ada", start + minutes{118}));
    }
    SECTION("whatever names somebody makes up") {
        for (int i = 0; i < 30'000; ++i) (void)locks.note("192.0.2", std::to_string(i), start);
        (void)locks.note("192.0.2", "ada", start);
        CHECK_FALSE(locks.note("192.0.2", "ada", start));
    }
}

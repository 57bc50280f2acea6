#include "quicchat/server/io/rate_limits.hpp"

#include <array>
#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr TimePoint start{seconds{1000}};

}  // namespace

TEST_CASE("a budget allows a burst, and then its rate") {
    const Rate rate{.burst = 4, .per_second = 2};
    Budget budget;

    SECTION("after the burst one waits for what is spent next") {
        for (int i = 0; i < 4; ++i) {
            REQUIRE(budget.wait(rate, 1, start) == Duration{});
            budget.spend(rate, 1, start);
        }
        CHECK(budget.wait(rate, 1, start) == milliseconds{500});
        CHECK(budget.wait(rate, 2, start) == seconds{1});
        CHECK(budget.wait(rate, 1, start + milliseconds{500}) == Duration{});
    }
    SECTION("what is not used for long is a burst again, and no more") {
        budget.spend(rate, 4, start);
        const TimePoint later = start + std::chrono::hours{1};
        CHECK(budget.is_full(later));
        CHECK(budget.wait(rate, 4, later) == Duration{});
        budget.spend(rate, 4, later);
        CHECK(budget.wait(rate, 1, later) == milliseconds{500});
    }
    SECTION("what is larger than the burst goes when nothing is used") {
        CHECK(budget.wait(rate, 100, start) == Duration{});
        budget.spend(rate, 100, start);
        CHECK(budget.wait(rate, 1, start) == milliseconds{48'500});
        CHECK_FALSE(budget.is_full(start + seconds{49}));
        CHECK(budget.is_full(start + seconds{50}));
    }
    SECTION("with another rate nobody owes more than the whole of it") {
        budget.spend(rate, 100, start);
        const Rate faster{.burst = 10, .per_second = 100};
        budget.cap(faster, start);
        CHECK(budget.wait(faster, 1, start) == milliseconds{10});
        CHECK(budget.wait(faster, 10, start) == milliseconds{100});
        budget.cap(rate, start);
        CHECK(budget.wait(faster, 10, start) == milliseconds{100});
    }
}

TEST_CASE("addresses are limited by their networks") {
    CHECK(address_prefix("192.0.2.7:4433") == address_prefix("192.0.2.99:1"));
    CHECK(address_prefix("192.0.2.7:4433") != address_prefix("192.0.3.7:4433"));
    CHECK(address_prefix("[2001:db8:1:1200::1]:443") == address_prefix("[2001:db8:1:12ff::9]:1"));
    CHECK(address_prefix("[2001:db8:1:1200::1]:443") != address_prefix("[2001:db8:1:1300::1]:443"));
    CHECK(address_prefix("[2001:db8:1:12::1]:443") == address_prefix("[2001:db8:1:1::1]:443"));
    CHECK(address_prefix("[2001:db8::1]:443") == address_prefix("[2001:db8::2:1]:443"));
    CHECK(address_prefix("[2001:db8::1]:443") == address_prefix("[2001:db8:0:ff::1]:443"));
    CHECK(address_prefix("[2001:db8::1]:443") != address_prefix("[2001:db8:0:100::1]:443"));
    CHECK(address_prefix("[1:2:3:4:5:6:7::]:443") == address_prefix("[1:2:3:4::7]:443"));
    CHECK(address_prefix("[::1]:443") == address_prefix("[::1]:999"));
    CHECK(address_prefix("client-1") != address_prefix("client-2"));
    CHECK(address_prefix("").empty());
}

TEST_CASE("rate limits") {
    Limits limits;
    limits.messages_per_account = {.burst = 3, .per_second = 1};
    limits.messages_per_room = {.burst = 5, .per_second = 1};
    limits.messages_per_prefix = {.burst = 7, .per_second = 1};
    limits.output_bytes_per_account = {.burst = 1000, .per_second = 100};
    limits.requests_per_connection = {.burst = 2, .per_second = 1};
    limits.connections_per_prefix = {.burst = 2, .per_second = 1};
    limits.failed_logins_per_prefix = {.burst = 2, .per_second = 1};
    limits.failed_logins_per_account = {.burst = 300, .per_second = 1};
    RateLimits rates{limits};
    const auto publish = [&](const char* user, const char* prefix, const char* room,
                             std::uint64_t bytes = 1) {
        return rates.publish(user, prefix, room, bytes, 1, start);
    };

    SECTION("an account has one budget, in any spelling and on all its connections") {
        CHECK(publish("ada", "a", "#1") == Duration{});
        CHECK(publish("Ada", "b", "#2") == Duration{});
        CHECK(publish("ADA", "c", "#3") == Duration{});
        CHECK(publish("ada", "d", "#4") == seconds{1});
        CHECK(publish("bob", "a", "#1") == Duration{});
    }
    SECTION("files have one of their own, beside that of messages") {
        limits.file_bytes_per_account = {.burst = 1000, .per_second = 100};
        CHECK(rates.hand_out("ada", 900, start) == Duration{});
        CHECK(rates.hand_out("Ada", 200, start) == seconds{1});
        CHECK(rates.hand_out("ada", 200, start + seconds{1}) == Duration{});
        CHECK(rates.hand_out("bob", 200, start) == Duration{});
        CHECK(publish("ada", "a", "#1", 1000) == Duration{});
    }
    SECTION("a room has one, whoever writes") {
        for (const char* user : {"a", "b", "c", "d", "e"}) {
            CHECK(publish(user, user, "#1") == Duration{});
        }
        CHECK(publish("f", "f", "#1") == seconds{1});
        CHECK(publish("f", "f", "#2") == Duration{});
    }
    SECTION("a network has one, whoever writes where") {
        for (int i = 0; i < 7; ++i) {
            const std::string name = std::to_string(i);
            CHECK(publish(name.c_str(), "net", name.c_str()) == Duration{});
        }
        CHECK(publish("x", "net", "#x") == seconds{1});
        CHECK(publish("x", "other", "#x") == Duration{});
    }
    SECTION("a message counts for all who get it") {
        CHECK(publish("ada", "a", "#1", 900) == Duration{});
        CHECK(publish("ada", "a", "#1", 300) == seconds{2});
        CHECK(publish("ada", "a", "#1", 100) == Duration{});
    }
    SECTION("what is refused costs nothing") {
        for (int i = 0; i < 3; ++i) (void)publish("ada", "a", "#1");
        for (int i = 0; i < 20; ++i) CHECK(publish("ada", "a", "#1") == seconds{1});
        CHECK(publish("bob", "a", "#1") == Duration{});
    }
    SECTION("questions have a budget of their own") {
        Budget connection;
        for (int i = 0; i < 3; ++i) (void)publish("ada", "a", "#1");
        CHECK(rates.ask("ada", connection, start) == Duration{});
        CHECK(rates.ask("ada", connection, start) == Duration{});
        CHECK(rates.ask("ada", connection, start) == seconds{1});
    }
    SECTION("questions count for the account as well, whatever connections it has") {
        limits.requests_per_account = {.burst = 5, .per_second = 1};
        std::array<Budget, 4> connections;
        for (int i = 0; i < 5; ++i) {
            CHECK(rates.ask("ada", connections[static_cast<std::size_t>(i) / 2], start) ==
                  Duration{});
        }
        CHECK(rates.ask("Ada", connections[3], start) == seconds{1});
        CHECK(rates.ask("bob", connections[3], start) == Duration{});
    }
    SECTION("what an account stores in one room has a budget, however few get it") {
        limits.stored_bytes_per_account = {.burst = 500, .per_second = 100};
        CHECK(publish("ada", "a", "#1", 400) == Duration{});
        CHECK(publish("ada", "a", "#1", 300) == seconds{2});
        CHECK(publish("ada", "a", "#2", 300) == Duration{});
        CHECK(publish("bob", "a", "#1", 300) == Duration{});
    }
    SECTION("markers have a budget of their own") {
        limits.markers_per_account = {.burst = 1, .per_second = 1};
        CHECK(rates.mark_read("ada", start) == Duration{});
        CHECK(rates.mark_read("ADA", start) == seconds{1});
        CHECK(rates.mark_read("bob", start) == Duration{});
    }
    SECTION("other limits count at once, but failed logins are not forgiven") {
        for (int i = 0; i < 3; ++i) (void)publish("ada", "a", "#1");
        for (int i = 0; i < 2; ++i) (void)rates.connect("a", start);
        for (int i = 0; i < 10; ++i) rates.note_failed_password("a", "ada", start);
        const Rate fast{.burst = 100, .per_second = 1000};
        limits.messages_per_account = limits.messages_per_room = fast;
        limits.messages_per_prefix = limits.output_bytes_per_account = fast;
        limits.connections_per_prefix = fast;
        CHECK(publish("ada", "a", "#1") > seconds{2});
        rates.handle_changed_limits(start);
        CHECK(publish("ada", "a", "#1") == milliseconds{1});
        CHECK(rates.connect("a", start) == milliseconds{1});
        CHECK(rates.try_password("a", "ada", start) == seconds{30});
    }
    SECTION("connections and failed logins are counted by network") {
        CHECK(rates.connect("a", start) == Duration{});
        CHECK(rates.connect("a", start) == Duration{});
        CHECK(rates.connect("a", start) == seconds{1});
        CHECK(rates.connect("b", start) == Duration{});
        CHECK_FALSE(rates.note_failed_login("a", start));
        CHECK_FALSE(rates.note_failed_login("a", start));
        CHECK(rates.note_failed_login("a", start));
        CHECK_FALSE(rates.note_failed_login("b", start));
    }
    SECTION("wrong passwords count for an account in a network, and for nobody else") {
        for (int i = 0; i < 10; ++i) {
            CHECK(rates.try_password("office", "ada", start) == Duration{});
            rates.note_failed_password("office", "ADA", start);
        }
        CHECK(rates.try_password("office", "Ada", start) == seconds{30});
        CHECK(rates.try_password("office", "ada", start + seconds{30}) == Duration{});
        CHECK(rates.try_password("office", "bob", start) == Duration{});
        CHECK(rates.try_password("home", "ada", start) == Duration{});
    }
    SECTION("who is quiet is forgotten") {
        for (int i = 0; i < 100; ++i) (void)rates.connect(std::to_string(i), start);
        CHECK(rates.size() == 100);
        (void)rates.connect("late", start + std::chrono::minutes{1});
        CHECK(rates.size() == 1);
    }
}

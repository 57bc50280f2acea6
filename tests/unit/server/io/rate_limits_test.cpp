#include "quicchat/server/io/rate_limits.hpp"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr TimePoint start{seconds{1000}};

}  // namespace

TEST_CASE("rate limits") {
    Limits limits;
    limits.messages_per_account = {.burst = 3, .per_second = 1};
    limits.messages_per_room = {.burst = 5, .per_second = 1};
    limits.messages_per_prefix = {.burst = 7, .per_second = 1};
    limits.output_bytes_per_account = {.burst = 1000, .per_second = 100};
    limits.requests_per_connection = {.burst = 2, .per_second = 1};
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
        for (int i = 0; i < 10; ++i) rates.note_failed_password("a", "ada", start);
        const Rate fast{.burst = 100, .per_second = 1000};
        limits.messages_per_account = limits.messages_per_room = fast;
        limits.messages_per_prefix = limits.output_bytes_per_account = fast;
        CHECK(publish("ada", "a", "#1") > seconds{2});
        rates.handle_changed_limits(start);
        CHECK(publish("ada", "a", "#1") == milliseconds{1});
        CHECK(rates.try_password("a", "ada", start) == seconds{30});
    }
    SECTION("failed logins are counted by network") {
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
    SECTION("a site of IPv6 has eight times what a network has, for each of these") {
        std::vector<std::string> networks;
        for (int i = 0; i < 20; ++i) {
            networks.push_back(
                address_prefix("[2001:db8:1:" + std::to_string(10 + i) + "00::1]:1"));
        }
        const auto allowed = [&](const auto& try_it) {
            int count = 0;
            for (const std::string& network : networks) {
                for (int i = 0; i < 2; ++i) count += try_it(network) ? 1 : 0;
            }
            return count;
        };
        limits.messages_per_prefix = {.burst = 2, .per_second = 1};
        limits.messages_per_account = limits.messages_per_room = {.burst = 99, .per_second = 99};
        limits.failed_logins_per_account = {.burst = 60, .per_second = 1};
        CHECK(allowed([&](const std::string& network) {
                  return rates.publish("ada", network, "#1", 1, 1, start) == Duration{};
              }) == 16);
        CHECK(allowed([&](const std::string& network) {
                  return !rates.note_failed_login(network, start);
              }) == 16);
        CHECK(allowed([&](const std::string& network) {
                  const bool may = rates.try_password(network, "ada", start) == Duration{};
                  if (may) rates.note_failed_password(network, "ada", start);
                  return may;
              }) == 16);
        CHECK(rates.try_password(networks[0], "bob", start) == Duration{});
        CHECK(rates.try_password("192.0.2", "ada", start) == Duration{});
    }
    SECTION("who has something left to pay for is not forgotten, until it is paid") {
        limits.stored_bytes_per_account = {.burst = 1000, .per_second = 1};
        limits.file_bytes_per_account = {.burst = 1000, .per_second = 1};
        CHECK(publish("ada", "a", "#1", 900) == Duration{});
        CHECK(rates.hand_out("bob", 900, start) == Duration{});
        // All other budgets are full again, and what is full is forgotten every ten seconds.
        const TimePoint later = start + seconds{100};
        CHECK(rates.publish("ada", "a", "#1", 300, 1, later) == seconds{100});
        CHECK(rates.publish("ada", "a", "#2", 300, 1, later) == Duration{});
        CHECK(rates.hand_out("bob", 300, later) == seconds{100});
        (void)rates.mark_read("late", start + seconds{2000});
        CHECK(rates.size() == 1);
    }
    SECTION("who is quiet is forgotten") {
        for (int i = 0; i < 100; ++i) (void)rates.mark_read(std::to_string(i), start);
        for (int i = 0; i < 100; ++i) (void)rates.note_failed_login(std::to_string(i), start);
        CHECK(rates.size() == 200);
        (void)rates.mark_read("late", start + std::chrono::minutes{1});
        CHECK(rates.size() == 1);
    }
}

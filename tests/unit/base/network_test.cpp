#include "quicchat/base/network.hpp"

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

TEST_CASE("addresses and sites") {
    CHECK(address_host("192.0.2.7:4433") == "192.0.2.7");
    CHECK(address_host("[2001:db8:1:2::1]:443") == address_host("[2001:db8:1:2:3::9]:1"));
    CHECK(address_host("[2001:db8:1:2::1]:443") != address_host("[2001:db8:1:3::1]:443"));
    const auto site = [](const char* address) { return site_of(address_prefix(address)); };
    CHECK(site("[2001:db8:1:1200::1]:443") == site("[2001:db8:1:ff00::1]:1"));
    CHECK(site("[2001:db8:1:1200::1]:443") != site("[2001:db8:2:1200::1]:443"));
    CHECK(site("192.0.2.7:4433").empty());
    CHECK(site("client-1").empty());
}

TEST_CASE("budgets of networks") {
    const Rate rate{.burst = 2, .per_second = 1};
    NetworkBudgets budgets;
    const auto network = [](int i) {
        return address_prefix("[2001:db8:1:" + std::to_string(10 + i) + "00::1]:1");
    };

    SECTION("each has its own") {
        CHECK(budgets.take("192.0.2", rate, start) == Duration{});
        CHECK(budgets.take("192.0.2", rate, start) == Duration{});
        CHECK(budgets.take("192.0.2", rate, start) == seconds{1});
        CHECK(budgets.take("192.0.3", rate, start) == Duration{});
        CHECK(budgets.take(network(0), rate, start) == Duration{});
    }
    SECTION("eight networks use up their site") {
        for (int i = 0; i < 8; ++i) {
            for (int k = 0; k < 2; ++k) CHECK(budgets.take(network(i), rate, start) == Duration{});
            CHECK(budgets.take(network(i), rate, start) == seconds{1});
        }
        CHECK(budgets.take(network(9), rate, start) == milliseconds{125});
        CHECK(budgets.take(network(9), rate, start + milliseconds{125}) == Duration{});
    }
    SECTION("what is for something else is counted by itself") {
        budgets.spend(network(0), rate, 2, start, " ada");
        CHECK(budgets.wait(network(0), rate, 1, start, " ada") == seconds{1});
        CHECK(budgets.wait(network(0), rate, 1, start, " bob") == Duration{});
        CHECK(budgets.wait(network(0), rate, 1, start) == Duration{});
    }
    SECTION("who is quiet is forgotten, and nobody owes more than another rate allows") {
        budgets.spend(network(0), rate, 100, start);
        budgets.spend("192.0.2", rate, 1, start);
        CHECK(budgets.size() == 3);
        budgets.cap(rate, start);
        CHECK(budgets.wait(network(0), rate, 1, start) == seconds{1});
        budgets.sweep(start + seconds{1});
        CHECK(budgets.size() == 2);
        budgets.sweep(start + seconds{20});
        CHECK(budgets.size() == 0);
    }
}

TEST_CASE("of newcomers the oldest goes, of the address that has most") {
    Newcomers newcomers;
    std::uint64_t newest = 0;
    const auto add = [&](const std::string& address, std::size_t per_prefix = 4,
                         std::size_t all = 10) -> std::uint64_t {
        const auto gone = newcomers.add(ConnectionId{++newest}, address, per_prefix, all);
        return gone ? static_cast<std::uint64_t>(*gone) : 0;
    };

    SECTION("in a network") {
        CHECK(add("192.0.2.1:1") == 0);
        for (int i = 0; i < 3; ++i) CHECK(add("192.0.2.9:" + std::to_string(i)) == 0);
        CHECK(add("192.0.2.9:5") == 2);  // junk pushes out junk
        CHECK(add("192.0.2.1:2") == 3);
        CHECK(add("192.0.2.3:1") == 1);  // two have two: the oldest
        CHECK(add("192.0.3.1:1") == 0);
        CHECK(newcomers.size() == 5);
    }
    SECTION("behind one address") {
        for (int i = 0; i < 4; ++i) CHECK(add("192.0.2.1:1") == 0);
        for (std::uint64_t i = 1; i < 100; ++i) CHECK(add("192.0.2.1:1") == i);
    }
    SECTION("in all") {
        for (int i = 0; i < 3; ++i) CHECK(add("192.0.2." + std::to_string(i) + ":1") == 0);
        for (int i = 0; i < 7; ++i) CHECK(add("198.51." + std::to_string(i) + ".1:1") == 0);
        CHECK(add("203.0.113.1:1") == 1);
        CHECK(newcomers.size() == 10);
    }
    SECTION("of a site, whatever networks it uses") {
        for (int i = 10; i < 18; ++i) {
            CHECK(add("[2001:db8:1:" + std::to_string(i) + "00::1]:1", 1, 1000) == 0);
        }
        CHECK(add("[2001:db8:1:9900::1]:1", 1, 1000) == 1);
        CHECK(add("[2001:db8:2:9900::1]:1", 1, 1000) == 0);
    }
    SECTION("who has shown who he is counts no more") {
        for (int i = 0; i < 4; ++i) CHECK(add("192.0.2.1:1") == 0);
        for (std::uint64_t i = 1; i <= 4; ++i) newcomers.remove(ConnectionId{i});
        newcomers.remove(ConnectionId{4});
        CHECK(newcomers.size() == 0);
        CHECK(add("192.0.2.1:1") == 0);
    }
}

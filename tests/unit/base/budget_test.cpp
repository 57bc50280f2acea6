#include "quicchat/base/budget.hpp"

#include <chrono>

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

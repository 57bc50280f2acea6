#include <chrono>
#include <map>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory/random.hpp"
#include "quicchat/memory/schedule.hpp"
#include "support/seed.hpp"

namespace quicchat::memory::detail {
namespace {

constexpr TimePoint at(std::int64_t nanoseconds) {
    return TimePoint{std::chrono::nanoseconds{nanoseconds}};
}

TEST_CASE("a schedule", "[memory]") {
    Schedule<int> schedule;
    const auto ada = schedule.add_owner();
    const auto bob = schedule.add_owner();

    SECTION("is empty at first") {
        CHECK_FALSE(schedule.next());
        CHECK_FALSE(schedule.next(ada));
    }
    SECTION("knows what is next for everybody and for each") {
        schedule.add(ada, at(30), 1);
        schedule.add(bob, at(20), 2);
        schedule.add(ada, at(10), 3);
        CHECK(schedule.next() == at(10));
        CHECK(schedule.next(bob) == at(20));
        CHECK(schedule.take().second == 3);
        CHECK(schedule.next(ada) == at(30));
        CHECK(schedule.take() == std::pair{at(20), 2});
        CHECK_FALSE(schedule.next(bob));
        CHECK(schedule.take().second == 1);
        CHECK_FALSE(schedule.next());
    }
    SECTION("keeps the order of things that are due at once") {
        for (int i = 0; i < 100; ++i) schedule.add(i % 3 == 0 ? ada : bob, at(5), i);
        for (int i = 0; i < 100; ++i) CHECK(schedule.take().second == i);
    }
    SECTION("agrees with a sorted list, whatever happens") {
        const std::uint64_t seed = test::seed();
        INFO("seed=" << seed);
        Random random{seed};
        std::multimap<TimePoint, int> list;
        for (int i = 0; i < 20'000; ++i) {
            if (list.empty() || random.chance(51)) {
                const TimePoint due = at(static_cast<std::int64_t>(random.draw(0, 50)));
                schedule.add(random.chance(50) ? ada : bob, due, i);
                list.emplace(due, i);
            } else {
                REQUIRE(schedule.next() == list.begin()->first);
                REQUIRE(schedule.take() == std::pair{list.begin()->first, list.begin()->second});
                list.erase(list.begin());
            }
        }
    }
}

}  // namespace
}  // namespace quicchat::memory::detail

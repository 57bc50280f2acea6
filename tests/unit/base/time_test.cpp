#include <chrono>
#include <type_traits>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/time.hpp"

namespace quicchat {
namespace {

constexpr TimePoint at(int seconds) { return TimePoint{std::chrono::seconds{seconds}}; }

TEST_CASE("the earlier of two deadlines", "[base]") {
    CHECK(earlier(at(1), at(2)) == at(1));
    CHECK(earlier(at(2), at(1)) == at(1));
    CHECK(earlier(at(3), at(3)) == at(3));
    CHECK(earlier(std::nullopt, at(2)) == at(2));
    CHECK(earlier(at(2), std::nullopt) == at(2));
    CHECK(earlier(std::nullopt, std::nullopt) == std::nullopt);
    CHECK(earlier(TimePoint::min(), at(0)) == TimePoint::min());
}

template <class C>
concept ReadsTheTime = requires {
    C::now();
};

// "The core reads no clock" is a fact of the type.
static_assert(!ReadsTheTime<Clock>);
static_assert(ReadsTheTime<std::chrono::steady_clock>);
static_assert(!std::is_convertible_v<WallTime, TimePoint>, "two time lines do not mix");

}  // namespace
}  // namespace quicchat

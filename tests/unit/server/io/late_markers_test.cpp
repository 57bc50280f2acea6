#include "quicchat/server/io/late_markers.hpp"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

TEST_CASE("markers that came too fast are kept, the newest of each room") {
    LateMarkers late;
    const auto at = [](int seconds) { return TimePoint{std::chrono::seconds{seconds}}; };
    const ConnectionId ada{1};
    for (Offset offset = 1; offset <= 100; ++offset) {
        late.keep(ada, {"#a", Epoch{1}, offset, true}, at(10));
        late.keep(ada, {"#b", Epoch{1}, offset + 1, false}, at(10));
    }
    CHECK(late.next_deadline() == at(10));
    CHECK_FALSE(late.take_due(at(9)));

    SECTION("until their time has come") {
        const auto first = late.take_due(at(10));
        REQUIRE(first);
        CHECK(first->second.room == "#a");
        CHECK(first->second.offset == 100);
        CHECK(first->second.shared);
        CHECK(late.take_due(at(10))->second.offset == 101);
        CHECK_FALSE(late.take_due(at(10)));
        CHECK_FALSE(late.next_deadline());
    }
    SECTION("and may be put back") {
        auto first = late.take_due(at(10));
        late.keep(ada, first->second, at(12));
        CHECK_FALSE(late.take_due(at(11)));
        CHECK(late.take_due(at(12)));
    }
    SECTION("of so many rooms, and as long as the connection is there") {
        for (int i = 0; i < 1000; ++i) late.keep(ada, {"#" + std::to_string(i), {}, 1}, at(10));
        std::size_t count = 0;
        while (late.take_due(at(10))) ++count;
        CHECK(count == 128);
        late.keep(ada, {"#a", {}, 1}, at(10));
        late.forget(ada);
        CHECK_FALSE(late.take_due(at(10)));
    }
}

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/told_messages.hpp"

using namespace quicchat;

TEST_CASE("each message between two people is news once", "[session]") {
    ToldMessages told;
    CHECK(told.is_news("bob", Epoch{1}, 3));
    CHECK_FALSE(told.is_news("BOB", Epoch{1}, 3));
    CHECK_FALSE(told.is_news("bob", Epoch{1}, 1));
    CHECK(told.is_news("bob", Epoch{1}, 4));

    SECTION("for each of the others") {
        CHECK(told.is_news("carl", Epoch{1}, 3));
        CHECK_FALSE(told.is_news("bob", Epoch{1}, 4));
    }
    SECTION("also in a log that was begun anew") {
        CHECK(told.is_news("bob", Epoch{2}, 1));
        CHECK_FALSE(told.is_news("bob", Epoch{2}, 1));
        CHECK(told.is_news("bob", Epoch{2}, 2));
    }
    SECTION("of the many that are remembered") {
        for (int i = 0; i < 4000; ++i) CHECK(told.is_news("u" + std::to_string(i), Epoch{1}, 1));
        for (int i = 0; i < 4000; ++i) {
            CHECK_FALSE(told.is_news("u" + std::to_string(i), Epoch{1}, 1));
        }
    }
}

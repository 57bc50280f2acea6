#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/bytes.hpp"
#include "support/literals.hpp"

using namespace quicchat;

TEST_CASE("shared bytes", "[base]") {
    const Bytes whole = test::text_bytes("hello");

    SECTION("are not copied by those who share them") {
        const Bytes copy = whole;
        CHECK(copy.data() == whole.data());
        CHECK(whole.from(2).data() == whole.data() + 2);
        CHECK(as_text(whole.from(2).view()) == "llo");
        CHECK(as_text(whole.first(4).view()) == "hell");
    }

    SECTION("outlive the one that made them") {
        Bytes rest;
        { rest = test::text_bytes("temporary").from(4); }
        CHECK(as_text(rest.view()) == "orary");
    }

    SECTION("may have owners of their own") {
        Bytes own;
        {
            const Bytes temporary = test::text_bytes("temporary");
            own = temporary.from(4).detached();
            CHECK(own.data() == temporary.data() + 4);
        }
        CHECK(as_text(own.view()) == "orary");
        CHECK(Bytes{}.detached() == Bytes{});
    }

    SECTION("may be none") {
        CHECK(Bytes{}.empty());
        CHECK(Bytes{Buffer{}} == Bytes{});
        CHECK(whole.from(5) == Bytes{});
        CHECK_FALSE(whole == Bytes{});
    }
}

#include <cstdint>
#include <set>
#include <string>
#include <system_error>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/error.hpp"
#include "support/printers.hpp"

using namespace quicchat;

TEST_CASE("the table of errors", "[base]") {
    SECTION("lists each error once, with a name and a clause of its own") {
        std::set<int> numbers;
        std::set<std::string_view> names;
        std::set<std::string_view> texts;
        for (const ErrorInfo& info : error_table) {
            INFO(info.name);
            CHECK(numbers.insert(static_cast<int>(info.errc)).second);
            CHECK(names.insert(info.name).second);
            CHECK(texts.insert(info.text).second);
            CHECK(info.text.back() != '.');
        }
        CHECK(numbers.size() == 58);  // every enumerator: count them when you add one
    }

    SECTION("takes every number over the wire and back") {
        for (const ErrorInfo& info : error_table) {
            CHECK(from_wire_code(wire_code(info.errc)) == info.errc);
        }
        CHECK(wire_code(Errc::closed) == 0);
        CHECK(from_wire_code(0) == Errc::closed);
    }

    SECTION("reads numbers of later versions as an internal error") {
        for (const std::uint64_t code : {7ull, 63ull, 200ull, 0x100ull, ~0ull >> 2}) {
            CHECK(from_wire_code(code) == Errc::internal_error);
        }
    }

    SECTION("says by the number alone whether a connection survives") {
        for (const ErrorInfo& info : error_table) {
            INFO(info.name);
            const bool request = wire_code(info.errc) >= 64;
            CHECK(is_fatal(info.errc) != request);
        }
    }
}

TEST_CASE("an Errc is a std::error_code of the library's category", "[base]") {
    const std::error_code code = Errc::conflict;
    CHECK(code == Errc::conflict);
    CHECK(code.message() == "the message id was used for another message");
    CHECK(to_errc(code) == Errc::conflict);
    CHECK(to_errc(std::make_error_code(std::errc::timed_out)) == Errc::internal_error);
}

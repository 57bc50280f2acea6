#include <chrono>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/act_form.hpp"
#include "support/printers.hpp"

using namespace quicchat;
using Kind = Act::Kind;

namespace {

Errc check(const Act& act, std::string_view text = {}, std::string_view attributes = "{}") {
    return check_form(act, text, attributes, 1000, 20);
}

constexpr WallTime some_time{std::chrono::milliseconds{1}};
constexpr Kind about_messages[] = {Kind::edit, Kind::deletion, Kind::reaction, Kind::unreaction};

}  // namespace

TEST_CASE("an act has the fields of its kind, and no others", "[session]") {
    SECTION("a message, which may answer another one") {
        CHECK(check({}, "hi") == Errc{});
        CHECK(check({.target = 3}, "hi") == Errc{});
        CHECK(check({.subject = "ada"}, "hi") == Errc::invalid_request);
        CHECK(check({.value = 1}, "hi") == Errc::invalid_request);
        CHECK(check({.until = some_time}, "hi") == Errc::invalid_request);
    }
    SECTION("what is about a message") {
        for (const Kind kind : about_messages) {
            CHECK(check({.kind = kind, .target = 3}, "hi") == Errc{});
            CHECK(check({.kind = kind}, "hi") == Errc::invalid_request);
            CHECK(check({.kind = kind, .target = 3, .subject = "ada"}, "hi") ==
                  Errc::invalid_request);
            CHECK(check({.kind = kind, .target = 3, .value = 1}, "hi") == Errc::invalid_request);
        }
    }
    SECTION("a topic") {
        CHECK(check({.kind = Kind::topic}, "all about it") == Errc{});
        CHECK(check({.kind = Kind::topic}) == Errc{});
        CHECK(check({.kind = Kind::topic, .target = 1}) == Errc::invalid_request);
        CHECK(check({.kind = Kind::topic, .value = 1}) == Errc::invalid_request);
    }
    SECTION("a role") {
        for (std::uint64_t role = 0; role <= 5; ++role) {
            CHECK(check({.kind = Kind::role, .subject = "ada", .value = role}) == Errc{});
        }
        CHECK(check({.kind = Kind::role, .subject = "ada", .value = 2, .until = some_time}) ==
              Errc{});
        CHECK(check({.kind = Kind::role, .subject = "ada", .value = 6}) == Errc::invalid_request);
        CHECK(check({.kind = Kind::role, .target = 1, .subject = "ada"}) == Errc::invalid_request);
        CHECK(check({.kind = Kind::role}) == Errc::invalid_name);
        CHECK(check({.kind = Kind::role, .subject = "#room"}) == Errc::invalid_name);
        CHECK(check({.kind = Kind::role, .subject = "a b"}) == Errc::invalid_name);
    }
    SECTION("an access") {
        for (std::uint64_t access = 0; access <= 2; ++access) {
            CHECK(check({.kind = Kind::access, .value = access}) == Errc{});
        }
        CHECK(check({.kind = Kind::access, .value = 3}) == Errc::invalid_request);
        CHECK(check({.kind = Kind::access, .subject = "ada"}) == Errc::invalid_request);
    }
    SECTION("nothing that only the server writes") {
        CHECK(check({.kind = Kind::creation, .subject = "#a"}) == Errc::invalid_request);
        CHECK(check({.kind = Kind::tombstone}) == Errc::invalid_request);
        CHECK(check({.kind = Kind::tombstone, .target = 1}) == Errc::invalid_request);
    }
}

TEST_CASE("an act's texts are clean, and no longer than they may be", "[session]") {
    const std::string long_text(1001, 'a');
    const auto longest = [&](const Act& act, std::size_t bytes_max) {
        CHECK(check(act, std::string_view{long_text}.substr(0, bytes_max)) == Errc{});
        CHECK(check(act, std::string_view{long_text}.substr(0, bytes_max + 1)) ==
              Errc::message_too_long);
    };
    longest({}, 1000);
    longest({.kind = Kind::edit, .target = 1}, 1000);
    longest({.kind = Kind::deletion, .target = 1}, topic_bytes_max);
    longest({.kind = Kind::reaction, .target = 1}, reaction_bytes_max);
    longest({.kind = Kind::unreaction, .target = 1}, reaction_bytes_max);
    longest({.kind = Kind::topic}, topic_bytes_max);
    longest({.kind = Kind::role, .subject = "ada"}, topic_bytes_max);
    longest({.kind = Kind::access}, topic_bytes_max);

    CHECK(check({}, "") == Errc::invalid_text);
    CHECK(check({.kind = Kind::edit, .target = 1}, "") == Errc::invalid_text);
    CHECK(check({.kind = Kind::reaction, .target = 1}, "") == Errc::invalid_text);
    CHECK(check({.kind = Kind::unreaction, .target = 1}, "") == Errc::invalid_text);
    CHECK(check({.kind = Kind::deletion, .target = 1}, "") == Errc{});

    CHECK(check({}, "\x07") == Errc::invalid_text);
    CHECK(check({}, "\xc3") == Errc::invalid_text);
    CHECK(check({.kind = Kind::topic}, "\x1b[2J") == Errc::invalid_text);
    CHECK(check({}, "a", std::string(20, ' ')) == Errc{});
    CHECK(check({}, "a", std::string(21, ' ')) == Errc::message_too_long);
    CHECK(check({}, "a", "\x1b") == Errc::invalid_text);
}

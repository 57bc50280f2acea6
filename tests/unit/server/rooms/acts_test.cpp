#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/rooms/acts.hpp"
#include "support/printers.hpp"

using namespace quicchat;
using Kind = Act::Kind;

TEST_CASE("what may be stored in a room", "[server]") {
    const Limits limits{.message_bytes_max = 10, .attributes_bytes_max = 20};
    const auto check = [&](std::string_view text, std::string_view attributes,
                           const Act& act = {}) {
        return check_act(act, text, attributes, limits);
    };
    CHECK(check("hello", "{}") == Errc{});
    CHECK(check("0123456789", "{}") == Errc{});
    CHECK(check("0123456789a", "{}") == Errc::message_too_long);
    CHECK(check("0123456789a", "{}", {.kind = Kind::topic}) == Errc{});
    CHECK(check("a", R"({"a":"0123456789ab"})") == Errc{});
    CHECK(check("a", R"({"a":"0123456789abc"})") == Errc::message_too_long);
    CHECK(check("", "{}") == Errc::invalid_text);
    CHECK(check("\x07", "{}") == Errc::invalid_text);
    CHECK(check("\xc3", "{}") == Errc::invalid_text);
    CHECK(check("a", "{\"a\":\"\x1b\"}") == Errc::invalid_text);
    CHECK(check("a", "") == Errc::invalid_request);
    CHECK(check("a", "[]") == Errc::invalid_request);
    CHECK(check("a", R"({"a":})") == Errc::invalid_request);
    CHECK(check("a", "{}", {.kind = Kind::tombstone}) == Errc::invalid_request);
}

TEST_CASE("acts need rights, and some change the room", "[server]") {
    CHECK(action_of(Kind::message) == Action::write);
    CHECK(action_of(Kind::edit) == Action::write);
    CHECK(action_of(Kind::deletion) == Action::write);
    CHECK(action_of(Kind::reaction) == Action::write);
    CHECK(action_of(Kind::topic) == Action::entitle);
    CHECK(action_of(Kind::role) == Action::discipline);
    CHECK(action_of(Kind::access) == Action::rule);

    using Changes = std::vector<StateChange>;
    CHECK(changes_of(Act{}, "hi").empty());
    CHECK(changes_of(Act{.kind = Kind::edit, .target = 1}, "hi").empty());
    CHECK(changes_of(Act{.kind = Kind::topic}, "hi") == Changes{{"topic", "hi"}});
    CHECK(changes_of(Act{.kind = Kind::access, .value = 2}, "") == Changes{{"access", "2"}});
    CHECK(changes_of(Act{.kind = Kind::role, .subject = "Bob", .value = 4}, "why") ==
          Changes{{"role/bob", "4 0 Bob"}});
    CHECK(changes_of(Act{.kind = Kind::role, .subject = "Bob"}, "") ==
          Changes{{"role/bob", std::nullopt}});
}

TEST_CASE("a room to be made has a name, a topic and an access", "[server]") {
    const auto check = [](std::string room, RoomAccess access = {}, std::string topic = {}) {
        return check_creation({1, {}, std::move(room), access, std::move(topic)});
    };
    CHECK(check("#a") == Errc{});
    CHECK(check("#a", RoomAccess::invitation, "all about it") == Errc{});
    CHECK(check("a") == Errc::invalid_name);
    CHECK(check("@bob") == Errc::invalid_name);
    CHECK(check("@ada,@bob") == Errc::invalid_name);
    CHECK(check("#" + std::string(64, 'a')) == Errc::invalid_name);
    CHECK(check("#a", RoomAccess::archived) == Errc::invalid_request);
    CHECK(check("#a", {}, std::string(512, 'a')) == Errc{});
    CHECK(check("#a", {}, std::string(513, 'a')) == Errc::message_too_long);
    CHECK(check("#a", {}, "\x1b[2J") == Errc::invalid_text);
}

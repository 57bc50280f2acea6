#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/rooms/directory.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

Room make(const std::string& name, const RoomState& state = {}) {
    Room room{name, {Epoch{1}, 1, 0}, 8};
    room.restore(state);
    return room;
}

std::string page(const Directory& directory, std::string_view user, std::string_view after = {},
                 std::size_t count_max = 10) {
    const std::set<std::string> own =
        user == "root" ? std::set<std::string>{} : std::set<std::string>{"@ada,@bob"};
    const auto [rooms, complete] = directory.page(user, own, after, count_max, {});
    std::string text = complete ? "all:" : "some:";
    for (const Room* room : rooms) text += " " + room->key();
    return text;
}

}  // namespace

TEST_CASE("a directory finds rooms in any spelling", "[server]") {
    Directory directory{{}};
    Room& lobby = directory.add(make("#Lobby"));
    CHECK(directory.find("#lobby") == &lobby);
    CHECK(directory.find("#LOBBY") == &lobby);
    CHECK(directory.find("#other") == nullptr);
    CHECK(lobby.name() == "#Lobby");
    CHECK(directory.size() == 1);
    directory.remove("#lobby");
    directory.remove("#lobby");
    CHECK(directory.find("#lobby") == nullptr);
}

TEST_CASE("operators are owners everywhere, but not between two others", "[server]") {
    Directory directory{{"Root"}};
    const Room& lobby = directory.add(make("#lobby", {{"role/ada", "4 0 ada"}}));
    const Room& pair = directory.add(make("@ada,@bob"));
    CHECK(directory.is_operator("ROOT"));
    CHECK_FALSE(directory.is_operator("ada"));
    CHECK(directory.role(lobby, "root", {}) == Role::owner);
    CHECK(directory.role(lobby, "ada", {}) == Role::moderator);
    CHECK(directory.role(lobby, "bob", {}) == Role::none);
    CHECK(directory.role(pair, "root", {}) == Role::none);
    CHECK(directory.role(pair, "Ada", {}) == Role::member);
    CHECK(directory.may(lobby, "root", Action::rule, {}));
    CHECK_FALSE(directory.may(pair, "root", Action::read, {}));
    CHECK(directory.may(lobby, "bob", Action::write, {}));
    CHECK_FALSE(Directory{{}}.is_operator(""));
    directory.set_operators({"Bob"});
    CHECK(directory.role(lobby, "root", {}) == Role::none);
    CHECK(directory.role(lobby, "bob", {}) == Role::owner);
    CHECK(directory.role(lobby, "ada", {}) == Role::moderator);
}

TEST_CASE("a directory lists the rooms that an account may read, by pages", "[server]") {
    Directory directory{{"root"}};
    directory.add(make("#a"));
    directory.add(make("#b", {{"access", "1"}, {"role/ada", "3 0 ada"}}));
    directory.add(make("#c", {{"access", "2"}, {"role/ada", "2 0 ada"}}));
    directory.add(make("#d", {{"role/ada", "1 0 ada"}}));
    directory.add(make("#e"));
    directory.add(make("@ada,@bob"));
    CHECK(page(directory, "ada") == "all: #a #b #c #e @ada,@bob");
    CHECK(page(directory, "bob") == "all: #a #d #e @ada,@bob");
    CHECK(page(directory, "root") == "all: #a #b #c #d #e");
    CHECK(page(directory, "ada", "", 2) == "some: #a #b");
    CHECK(page(directory, "ada", "#b", 2) == "some: #c #e");
    CHECK(page(directory, "ada", "#e", 1) == "all: @ada,@bob");
    CHECK(page(directory, "bob", "#a", 3) == "all: #d #e @ada,@bob");
    CHECK(page(directory, "bob", "#bb", 2) == "some: #d #e");
    CHECK(page(directory, "ada", "@ada,@bob", 2) == "all:");
}

TEST_CASE("a directory counts the rooms that an account has made", "[server]") {
    Directory directory{{}};
    directory.add(make("#lobby"));
    directory.add(make("#a", {{"creator", "Ada"}}));
    directory.add(make("#b", {{"creator", "ada"}}));
    CHECK(directory.made_by("ADA") == 2);
    CHECK(directory.made_by("bob") == 0);
    CHECK(directory.made_by("") == 0);
    directory.remove("#a");
    CHECK(directory.made_by("ada") == 1);
    directory.remove("#b");
    directory.remove("#lobby");
    CHECK(directory.made_by("ada") == 0);
}

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/rooms/room_accounts.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

constexpr WallTime at(std::int64_t milliseconds) {
    return WallTime{std::chrono::milliseconds{milliseconds}};
}

/// What a log would have stored of them.
void apply(RoomState& state, const std::vector<StateChange>& changes) {
    for (const StateChange& change : changes) {
        if (change.value) {
            state[change.key] = *change.value;
        } else {
            state.erase(change.key);
        }
    }
}

RoomAccounts restored(const RoomState& state) {
    RoomAccounts people;
    for (const auto& [key, value] : state) CHECK(people.restore(key, value));
    return people;
}

std::vector<std::string> names(const RoomAccounts& people, WallTime now = {}) {
    std::vector<std::string> all;
    for (const RoomPerson& person : people.page("", 100, now).first) all.push_back(person.user);
    return all;
}

}  // namespace

TEST_CASE("people are known in any spelling, and spelled as they were first", "[server]") {
    RoomAccounts people;
    people.at("Ada").role = Role::moderator;
    people.at("aDA").marker = 7;
    CHECK(people.size() == 1);
    REQUIRE(people.find("ADA") != nullptr);
    CHECK(people.find("ADA")->name == "Ada");
    CHECK(people.find("ADA")->marker == 7);
    CHECK(people.role("ada", {}) == Role::moderator);
    CHECK(people.role("eve", {}) == Role::none);
    CHECK(people.find("eve") == nullptr);
}

TEST_CASE("what is stored of people is restored", "[server]") {
    RoomState state;
    apply(state, {RoomAccounts::role_change("Ada", Role::owner, {}),
                  RoomAccounts::role_change("bob", Role::muted, at(123'456)),
                  RoomAccounts::role_change("carl", Role::member, {}),
                  RoomAccounts::marker_change("Carl", 42), RoomAccounts::marker_change("dora", 3)});
    const RoomAccounts people = restored(state);
    CHECK(people.size() == 4);
    CHECK(people.find("ada")->name == "Ada");
    CHECK(people.role("ada", {}) == Role::owner);
    CHECK(people.role("bob", at(123'455)) == Role::muted);
    CHECK(people.find("bob")->until == at(123'456));
    CHECK(people.find("carl")->marker == 42);
    CHECK(people.find("dora")->marker == 3);
    CHECK(people.role("dora", {}) == Role::none);
    CHECK_FALSE(people.has_unsaved());

    SECTION("and nothing of a role that was taken away") {
        apply(state, {RoomAccounts::role_change("ADA", Role::none, {})});
        CHECK(restored(state).find("ada") == nullptr);
    }
}

TEST_CASE("a stored state that is nonsense is not believed", "[server]") {
    RoomAccounts people;
    const auto refuses = [&](std::string_view key, std::string_view value) {
        return !people.restore(key, value);
    };
    CHECK(refuses("role/ada", ""));
    CHECK(refuses("role/ada", "owner"));
    CHECK(refuses("role/ada", "6 0 ada"));
    CHECK(refuses("role/ada", "-1 0 ada"));
    CHECK(refuses("role/ada", "99999999999999999999999 0 ada"));
    CHECK(refuses("role/ada", "3"));
    CHECK(refuses("role/ada", "3 0"));
    CHECK(refuses("role/ada", "3 0 bob"));
    CHECK(refuses("role/ada", "3 0 a da"));
    CHECK(refuses("role/a\nb", "3 0 a\nb"));
    CHECK(refuses("read/ada", ""));
    CHECK(refuses("read/ada", "far"));
    CHECK(refuses("topic", "3 0 ada"));
    CHECK(refuses("", ""));
    CHECK(people.size() == 0);
    CHECK(people.restore("role/ada", "3 0 Ada"));
}

TEST_CASE("a mute and a ban end, and nothing else does", "[server]") {
    RoomAccounts people;
    people.apply_role("ada", Role::muted, at(1000));
    people.apply_role("bob", Role::banned, at(1000));
    people.apply_role("carl", Role::banned, {});
    people.apply_role("dora", Role::moderator, at(1000));
    CHECK(people.role("ada", at(999)) == Role::muted);
    CHECK(people.role("ada", at(1000)) == Role::member);
    CHECK(people.role("bob", at(999)) == Role::banned);
    CHECK(people.role("bob", at(1000)) == Role::none);
    CHECK(people.role("carl", at(1'000'000)) == Role::banned);
    CHECK(people.role("dora", at(1'000'000)) == Role::moderator);
    CHECK(names(people, at(999)) == std::vector<std::string>{"ada", "bob", "carl", "dora"});
    CHECK(names(people, at(1000)) == std::vector<std::string>{"ada", "carl", "dora"});
}

TEST_CASE("people of whom there is nothing to know are forgotten", "[server]") {
    RoomAccounts people;
    ++people.at("ada").devices;
    people.tidy("ada");
    CHECK(people.size() == 1);  // is here
    --people.at("ada").devices;
    people.tidy("Ada");
    people.tidy("ada");
    CHECK(people.size() == 0);

    people.set_marker(people.at("bob"), 3);
    people.apply_role("carl", Role::member, {});
    people.tidy("bob");
    people.tidy("carl");
    CHECK(people.size() == 2);
    people.apply_role("carl", Role::none, {});
    CHECK(people.size() == 1);
}

TEST_CASE("what changed without a record is stored once", "[server]") {
    RoomAccounts people;
    CHECK(people.take_unsaved().empty());
    people.make_member(people.at("Ada"));
    people.set_marker(people.at("ada"), 3);
    people.set_marker(people.at("ada"), 5);
    people.set_marker(people.at("bob"), 1);
    CHECK(people.has_unsaved());
    CHECK(people.take_unsaved() ==
          std::vector<StateChange>{RoomAccounts::role_change("Ada", Role::member, {}),
                                   RoomAccounts::marker_change("ada", 5),
                                   RoomAccounts::marker_change("bob", 1)});
    CHECK(people.take_unsaved().empty());

    SECTION("and not over what a record said meanwhile") {
        people.make_member(people.at("carl"));
        people.apply_role("carl", Role::banned, {});
        CHECK(people.take_unsaved().empty());
        CHECK(people.role("carl", {}) == Role::banned);
    }
    SECTION("not for people who were forgotten meanwhile") {
        people.make_member(people.at("carl"));
        people.apply_role("carl", Role::none, {});
        CHECK(people.find("carl") == nullptr);
        CHECK(people.take_unsaved().empty());
    }
}

TEST_CASE("room is made by forgetting members who are away, one after the other", "[server]") {
    RoomAccounts people;
    for (const char* name : {"ada", "bob", "carl", "dora", "eve", "fred"}) {
        people.apply_role(name, Role::member, {});
    }
    people.at("bob").role = Role::moderator;
    people.at("carl").role = Role::banned;
    ++people.at("dora").devices;
    people.set_marker(people.at("eve"), 4);
    CHECK(people.drop_absent_member() == "ada");
    CHECK(people.drop_absent_member() == "fred");
    CHECK(people.drop_absent_member() == std::nullopt);
    CHECK(people.size() == 4);

    people.apply_role("aaron", Role::member, {});  // before the last one that went
    CHECK(people.drop_absent_member() == "aaron");
    (void)people.take_unsaved();
    CHECK(people.drop_absent_member() == "eve");  // its marker is stored
    CHECK(people.drop_absent_member() == std::nullopt);
}

TEST_CASE("who comes again after making room is not the next one to go", "[server]") {
    RoomAccounts people;
    const auto come = [&](const std::string& user) {
        RoomAccount& person = people.at(user);
        people.make_member(person);
        people.take_unsaved();
    };
    for (const char* user : {"ada", "bob", "carl"}) come(user);
    for (const char* user : {"ada", "bob", "carl", "ada", "bob"}) {
        CHECK(people.drop_absent_member() == user);
        come(user);
    }
}

TEST_CASE("a role that is on its way to the log is known", "[server]") {
    RoomAccounts people;
    people.at("ada").role_saved = false;
    people.tidy("ada");
    CHECK(people.find("ada") != nullptr);
    people.at("ada").role_saved = true;
    people.tidy("ada");
    CHECK(people.find("ada") == nullptr);
}

TEST_CASE("people are listed by pages", "[server]") {
    RoomAccounts people;
    for (const char* name : {"Dora", "ada", "carl", "Bob", "eve"}) {
        people.apply_role(name, Role::member, {});
    }
    ++people.at("bob").devices;
    people.apply_role("frank", Role::banned, at(5));
    const auto page = [&](std::string_view after, std::size_t count_max) {
        const auto [list, complete] = people.page(after, count_max, at(5));
        std::string text = complete ? "all:" : "some:";
        for (const RoomPerson& person : list) text += (person.present ? " +" : " ") + person.user;
        return text;
    };
    CHECK(page("", 2) == "some: ada +Bob");
    CHECK(page("Bob", 2) == "some: carl Dora");
    CHECK(page("dora", 2) == "all: eve");
    CHECK(page("", 5) == "some: ada +Bob carl Dora eve");  // somebody follows whose ban is over
    CHECK(page("eve", 5) == "all:");
    CHECK(page("", 6) == "all: ada +Bob carl Dora eve");
    CHECK(page("zed", 5) == "all:");
    CHECK(page("bo", 1) == "some: +Bob");
}

TEST_CASE("who has left, and is known by a marker only, makes room", "[server]") {
    RoomAccounts accounts;
    for (const char* user : {"ada", "bob"}) {
        RoomAccount& account = accounts.at(user);
        accounts.make_member(account);
        accounts.set_marker(account, 7);
    }
    (void)accounts.take_unsaved();
    accounts.apply_role("ada", Role::none, {});
    accounts.apply_role("bob", Role::moderator, {});
    REQUIRE(accounts.size() == 2);
    CHECK(accounts.drop_absent_member() == "ada");
    CHECK_FALSE(accounts.drop_absent_member());
}

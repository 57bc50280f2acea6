#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

namespace quicchat::test {
namespace {

struct ProfileFixture : HubFixture {
    explicit ProfileFixture(ServerConfig c = {}, std::shared_ptr<MemoryLog> l = nullptr)
        : HubFixture(std::move(c), std::move(l)) {
        accounts.names = {"ada", "bob", "Zoe"};
    }

    Errc set(std::uint64_t connection, std::string display, RequestId request = 9) {
        const Errc errc = hub.set_profile(caller(connection), {request, std::move(display)});
        REQUIRE(hub.settle() == Errc{});
        return errc;
    }
    /// Who was told: connection, request, user and name.
    std::vector<std::string> told() {
        std::vector<std::string> all;
        for (auto& [to, message] : control()) {
            if (const auto* m = std::get_if<wire::Profile>(&message)) {
                all.push_back(std::to_string(to) + " " + std::to_string(m->request) + " " +
                              m->user + "=" + m->display);
            }
        }
        std::sort(all.begin(), all.end());
        return all;
    }
    std::string display_of(std::uint64_t connection, const std::string& user) {
        (void)take(connection);
        hub.request_members(*try_member(connection), {1, ""});
        const auto answers = take<wire::Members>(connection);
        for (const RoomPerson& p : answers.at(0).people) {
            if (p.user == user) return p.display;
        }
        return "?";
    }
    Member* try_member(std::uint64_t connection) {
        return hub.fan_out().find(ConnectionId{connection}, stream_of(connection));
    }
};

using Texts = std::vector<std::string>;

TEST_CASE("display names of a server", "[server][profiles]") {
    DisplayNames names;
    CHECK(names.find("ada").empty());
    names.set("Ada", "Ada L.");
    names.set("bob", "Bob");
    CHECK(names.find("aDA") == "Ada L.");
    CHECK(names.size() == 2);
    names.set("ada", "");
    CHECK(names.find("ada").empty());
    CHECK(names.size() == 1);

    SECTION("come back from a state, if they are any") {
        CHECK(names.restore("display/eve", "Eve"));
        CHECK(names.find("Eve") == "Eve");
        for (const auto& [key, value] :
             std::vector<std::pair<std::string, std::string>>{{"display/", "x"},
                                                              {"display/a b", "x"},
                                                              {"name", "x"},
                                                              {"display/x", ""},
                                                              {"display/x", "a\nb"}}) {
            CHECK_FALSE(names.restore(key, value));
        }
        CHECK(names.size() == 2);
        const StateChange kept = DisplayNames::change_of("Eve", "E");
        CHECK(kept == StateChange{"display/eve", "E"});
        CHECK(DisplayNames::change_of("Eve", "") == StateChange{"display/eve", std::nullopt});
    }
}

TEST_CASE("a hub keeps what accounts want to be called", "[server][profiles]") {
    ProfileFixture f;
    f.join(1, "ada");
    f.join(2, "bob");

    SECTION("and answers once that is committed") {
        CHECK(f.hub.set_profile(f.caller(1), {9, "Ada L."}) == Errc{});
        CHECK(f.told().empty());
        CHECK(f.display_of(2, "ada").empty());
        CHECK(f.hub.is_busy(ConnectionId{1}) == false);
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.told() == Texts{"1 9 ada=Ada L.", "2 0 ada=Ada L."});
        CHECK(f.display_of(2, "ada") == "Ada L.");
    }
    SECTION("and tells everybody who should know, once") {
        f.log_in(3, "ada");              // another device, in no room
        f.log_in(4, "eve");              // nobody shares a room with eve
        f.join(5, "zoe", {}, "#quiet");  // nor with zoe
        REQUIRE(f.hub.join(f.caller(2), StreamId{400}, {7, "#quiet", {}}));
        REQUIRE(f.hub.join(f.caller(1), StreamId{404}, {7, "#quiet", {}}));
        CHECK(f.set(3, "Ada") == Errc{});
        CHECK(f.told() == Texts{"1 0 ada=Ada", "2 0 ada=Ada", "3 9 ada=Ada", "5 0 ada=Ada"});
        CHECK(f.set(4, "Eve") == Errc{});
        CHECK(f.told() == Texts{"4 9 eve=Eve"});
    }
    SECTION("and says it with who comes in and who is there") {
        CHECK(f.set(1, "Ada L.") == Errc{});
        f.hub.leave(*f.try_member(1));
        (void)f.take(2);
        f.hub.handle_disconnected(ConnectionId{1}, "ada");
        f.join(6, "ada");
        const auto presence = f.take<wire::Presence>(2);
        REQUIRE(presence.size() == 1);
        CHECK(presence.front().display == "Ada L.");
        CHECK(f.display_of(6, "ada") == "Ada L.");
        CHECK(f.display_of(6, "bob").empty());
    }
    SECTION("and takes it back") {
        CHECK(f.set(1, "Ada L.") == Errc{});
        (void)f.told();
        CHECK(f.set(1, "") == Errc{});
        CHECK(f.told() == Texts{"1 9 ada=", "2 0 ada="});
        CHECK(f.display_of(2, "ada").empty());
        CHECK(f.log->state("!profiles")->empty());
    }
    SECTION("and not what is no name") {
        for (const char* bad : {" ada", "a\nb", "\xe2\x80\xae", "\xff"}) {
            CHECK(f.set(1, bad) == Errc::invalid_text);
        }
        CHECK(f.set(1, std::string(65, 'x')) == Errc::invalid_text);
        CHECK(f.told().empty());
        CHECK(f.log->rooms()->size() == 2);
    }
    SECTION("and not the user name of somebody else, here or away") {
        for (const char* other : {"bob", "BOB", "zoe", "Zoe"}) {
            CHECK(f.set(1, other) == Errc::forbidden);
        }
        f.log_in(7, "from-elsewhere");
        CHECK(f.set(1, "From-Elsewhere") == Errc::forbidden);
        CHECK(f.set(1, "ADA") == Errc{});
        CHECK(f.set(1, "bobby") == Errc{});
        CHECK(f.set(1, "bob!") == Errc{});
        CHECK(f.set(2, "bobby") == Errc{});  // it is nobody's alone
    }
    SECTION("and lets nobody know in large rooms") {
        f.config.limits.presence_members_max = 1;
        CHECK(f.set(1, "Ada") == Errc{});
        CHECK(f.told() == Texts{"1 9 ada=Ada"});
    }
    SECTION("up to so many") {
        f.config.limits.profiles_max = 2;
        f.log_in(3, "eve");
        CHECK(f.hub.set_profile(f.caller(1), {1, "A"}) == Errc{});
        CHECK(f.hub.set_profile(f.caller(2), {1, "B"}) == Errc{});
        CHECK(f.hub.set_profile(f.caller(3), {1, "E"}) == Errc::storage_full);
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.set(3, "E") == Errc::storage_full);
        CHECK(f.set(1, "AA") == Errc{});
        CHECK(f.set(3, "") == Errc{});
        CHECK(f.set(1, "") == Errc{});
        CHECK(f.set(3, "E") == Errc{});
    }
    SECTION("over a restart, and takes that log for no room") {
        for (int i = 0; i < 5; ++i) CHECK(f.set(1, "Ada " + std::to_string(i)) == Errc{});
        CHECK(f.set(2, "Bob B.") == Errc{});
        CHECK(f.log->head("!profiles").head == 6);
        CHECK(f.log->head("!profiles").first == 6);
        ProfileFixture after{{}, f.log};
        after.join(1, "ada");
        CHECK(after.display_of(1, "ada") == "Ada 4");
        CHECK(after.display_of(1, "bob") == "Bob B.");
        CHECK(after.rooms(1).size() == 2);
        CHECK(after.join_error(1, "!profiles") == Errc::invalid_name);
        CHECK(after.set(1, "Ada 4") == Errc{});
        CHECK(after.told() == Texts{"1 9 ada=Ada 4"});
        CHECK(after.log->head("!profiles").head == 7);
    }
    SECTION("also if who asked is gone when it is committed") {
        CHECK(f.hub.set_profile(f.caller(1), {9, "Ada"}) == Errc{});
        f.hub.leave(*f.try_member(1));
        f.disconnect(1);
        REQUIRE(f.hub.settle() == Errc{});
        (void)f.told();
        CHECK(f.display_of(2, "ada") == "Ada");
    }
}

}  // namespace
}  // namespace quicchat::test

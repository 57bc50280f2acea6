#include <string>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "sim/town.hpp"

namespace quicchat::test {
namespace {

TEST_CASE("what people want to be called is told, and outlives the server", "[sim][profiles]") {
    Town town{{.accounts = {"ada", "bob", "zoe"}}};
    Chatter& ada = town.add_in("ada", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    Chatter& eve = town.add("eve");  // shares no room with them
    const auto name = [&](Chatter& person, std::string display) {
        const auto request = person.client.set_display_name(std::move(display));
        town.run();
        for (const ClientEvent& event : person.events) {
            const auto* refused = std::get_if<Refused>(&event);
            const auto* changed = std::get_if<ProfileChanged>(&event);
            if (refused != nullptr && refused->request == *request) return refused->errc;
            if (changed != nullptr && changed->request == *request) return Errc{};
        }
        return Errc::closed;
    };
    REQUIRE(name(ada, "Ada L.") == Errc{});
    CHECK(name(ada, "ZOE") == Errc::forbidden);
    CHECK(bob.last<ProfileChanged>().display == "Ada L.");
    CHECK(bob.last<ProfileChanged>().request == 0);
    CHECK(eve.count<ProfileChanged>() == 0);

    town.restart();
    REQUIRE(bob.online());
    CHECK(town.members(bob, "#lobby").at(0).display == "Ada L.");
    Chatter& again = town.add_in("ada", "#lobby");
    REQUIRE(town.join(eve, "#lobby") == Errc{});
    CHECK(town.members(eve, "#lobby").at(0).display == "Ada L.");
    CHECK(town.rooms(eve).size() == 1);

    REQUIRE(name(again, "") == Errc{});
    CHECK(eve.last<ProfileChanged>().display.empty());
    CHECK(ada.last<ProfileChanged>().display.empty());  // its other device
    town.restart();
    CHECK(town.members(bob, "#lobby").at(0).display.empty());
}

}  // namespace
}  // namespace quicchat::test

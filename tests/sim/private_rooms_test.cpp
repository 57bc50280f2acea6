#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sim/town.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

Texts told(const Chatter& person) {
    Texts texts;
    for (const PrivateMessage& message : person.all<PrivateMessage>()) {
        texts.push_back(message.text);
    }
    return texts;
}

}  // namespace

TEST_CASE("a message to somebody who is away arrives at the next login", "[sim]") {
    const bool restarts = GENERATE(false, true);
    Town town{{.seed = 21, .accounts = {"ada", "Bob"}}};
    Chatter& ada = town.add("ada");
    CHECK(town.outcome(ada, ada.client.tell("eve", "hello?")) == Errc::no_such_user);
    for (int i = 0; i < 20; ++i) REQUIRE(ada.client.tell("bob", std::to_string(i)));
    town.run();
    CHECK(ada.count<Acked>() == 20);
    if (restarts) town.restart();

    Chatter& bob = town.add("bob");
    town.run();
    const auto messages = bob.all<PrivateMessage>();
    REQUIRE(messages.size() == 20);
    for (std::size_t i = 0; i < 20; ++i) {
        CHECK(messages[i].text == std::to_string(i));
        CHECK(messages[i].offset == i + 1);
        CHECK(messages[i].from == "ada");
        CHECK(messages[i].to == "Bob");
    }

    SECTION("once") {
        Chatter& phone = town.add("bob");
        town.run();
        CHECK(told(phone).empty());  // the account has read it
        bob.client.close();
        phone.client.close();
        town.run();
        REQUIRE(ada.client.tell("BOB", "more"));
        town.run();
        Chatter& again = town.add("bob");
        town.run();
        CHECK(told(again) == Texts{"more"});
    }
    SECTION("once, also if its connection breaks again and again") {
        for (std::size_t i = 0; i < 10; ++i) {
            town.network.cut_after(town.network.connections_dialled(), 10 * i);
            REQUIRE(ada.client.tell("bob", "more"));
            town.run_for(5s);
        }
        CHECK(bob.count<Reconnecting>() > 3);
        const auto all = bob.all<PrivateMessage>();
        REQUIRE(all.size() == 30);
        for (std::size_t i = 0; i < 30; ++i) CHECK(all[i].offset == i + 1);
    }
}

TEST_CASE("what an application has not taken is told again to the next one", "[sim]") {
    Town town{{.seed = 22, .accounts = {"bob"}}};
    Chatter& ada = town.add("ada");
    Chatter& bob = town.add("bob");
    bob.reading = false;
    for (int i = 0; i < 5; ++i) REQUIRE(ada.client.tell("bob", std::to_string(i)));
    town.run();
    // Two of them are taken, then the program crashes.
    while (told(bob).size() < 2) {
        auto event = bob.client.poll_event();
        REQUIRE(event);
        bob.events.push_back(*std::move(event));
    }
    town.vanish(bob);
    town.run_for(61s);
    Chatter& next = town.add("bob");
    town.run();
    CHECK(told(next).back() == "4");
    CHECK(told(next).size() >= 3);
    CHECK(told(next).size() <= 5);
}

TEST_CASE("everybody gets what they are told, whoever was away or slow", "[sim]") {
    INFO("seed=" << seed());
    Entropy random = Entropy::seeded(seed());
    const auto draw = [&](std::uint64_t below) { return random.draw_number() % below; };
    const Texts names{"ada", "bob", "carl", "dora", "eve", "fred"};
    const ServerConfig config{
        .limits = {.stream_backlog_bytes_max = 300, .stream_receive_window = 600}};
    Town town{{.seed = seed(),
               .server = config,
               .accounts = std::set<std::string>{names.begin(), names.end()}}};
    const Limits slow{.events_max = 6, .stream_receive_window = 600};

    // What each account got from each other one, over all of its visits.
    std::map<std::string, std::map<std::string, Texts>> got;
    std::map<std::string, std::map<std::string, Texts>> said;
    std::map<std::string, Chatter*> here;
    const auto go_away = [&](const std::string& name) {
        Chatter* person = std::exchange(here[name], nullptr);
        person->reading = true;
        town.run();
        for (const PrivateMessage& m : person->all<PrivateMessage>()) {
            if (m.from != name) got[name][m.from].push_back(m.text);
        }
        CHECK(person->client.unanswered_requests() == 0);
        person->client.close();
        town.run();
        town.vanish(*person);
    };
    for (int step = 0; step < 400; ++step) {
        const std::string name = names[draw(names.size())];
        const std::string other = names[draw(names.size())];
        Chatter* person = here[name];
        if (person == nullptr) {
            here[name] = &town.add(name, slow);
        } else if (draw(10) == 0) {
            go_away(name);
        } else if (draw(5) == 0) {
            person->reading = !person->reading;
        } else if (name != other) {
            const std::string text = std::to_string(step) + std::string(draw(50), '.');
            REQUIRE(person->client.tell(other, text));
            said[other][name].push_back(text);
        }
        if (draw(3) == 0) town.run_for(std::chrono::milliseconds{draw(50)});
    }
    for (const std::string& name : names) {
        if (here[name] == nullptr) here[name] = &town.add(name, slow);
        go_away(name);
    }
    // What was said by the last ones who went is still to be had.
    for (const std::string& name : names) {
        here[name] = &town.add(name);
        go_away(name);
    }
    for (const std::string& name : names) {
        INFO(name);
        CHECK(got[name] == said[name]);
    }
}

TEST_CASE("two people share a room with a history", "[sim]") {
    Town town{{.seed = 23, .accounts = {"Bob"}}};
    Chatter& ada = town.add_in("ada", "@bob");
    CHECK(ada.last<RoomJoined>().room == "@Bob");
    CHECK(town.say(ada, "@bob", "one") == Errc{});
    CHECK(town.outcome(ada, ada.client.tell("bob", "two")) == Errc{});
    CHECK(ada.texts() == Texts{"one", "two"});
    CHECK(ada.count<PrivateMessage>() == 0);
    CHECK(town.act(ada, "@bob", {.kind = Act::Kind::edit, .target = 1}, "1") == Errc{});

    Chatter& bob = town.add("Bob");
    town.run();
    CHECK(told(bob) == Texts{"1", "two"});
    REQUIRE(town.join(bob, "@ada", Position::last(10)) == Errc{});
    CHECK(bob.texts() == Texts{"1", "two"});
    CHECK(bob.all<RoomMessage>().at(0).changed_by == 3);
    CHECK(bob.last<RoomAct>().act.kind == Act::Kind::edit);
    CHECK(town.act(bob, "@ADA", {.kind = Act::Kind::deletion, .target = 2}) == Errc::forbidden);
    CHECK(town.act(bob, "@ada", {.kind = Act::Kind::reaction, .target = 2}, "+1") == Errc{});
    CHECK(ada.last<RoomAct>().from == "Bob");
    CHECK(ada.last<RoomAct>().text == "+1");

    SECTION("that a third one cannot see") {
        Chatter& eve = town.add("eve");
        CHECK(town.rooms(eve).size() == 1);
        CHECK(eve.client.join("@ada,@bob").error() == Errc::invalid_name);
        CHECK(town.rooms(ada).size() == 2);
        CHECK(town.rooms(ada).at(1).room == "@Bob");
    }
    SECTION("that is there after a restart, in the same place") {
        town.restart();
        CHECK(town.say(bob, "@ada", "three") == Errc{});
        CHECK(ada.texts() == Texts{"one", "two", "three"});
        CHECK(ada.last<RoomMessage>().offset == 5);
        CHECK(ada.count<RoomGap>() == 0);
        CHECK(ada.last<RoomJoined>().recovered);
    }
}

TEST_CASE("two devices of an account are in step about what two people say", "[sim]") {
    Town town{{.seed = 24, .accounts = {"ada", "bob"}}};
    Chatter& desk = town.add("ada");
    Chatter& phone = town.add_in("ada", "@bob", Position::last(10));
    Chatter& bob = town.add("bob");
    for (int i = 0; i < 10; ++i) {
        REQUIRE(bob.client.tell("ada", "from bob"));
        REQUIRE(desk.client.tell("bob", "from the desk"));
        REQUIRE(phone.client.publish("@bob", "from the phone"));
        town.run_for(10ms);
    }
    town.run();
    const auto on_desk = desk.all<PrivateMessage>();
    const auto on_phone = phone.all<RoomMessage>();
    REQUIRE(on_desk.size() == 30);
    REQUIRE(on_phone.size() == 30);
    for (std::size_t i = 0; i < 30; ++i) {
        CHECK(on_desk[i].offset == i + 1);
        CHECK(on_phone[i].offset == i + 1);
        CHECK(on_desk[i].id == on_phone[i].id);
        CHECK(on_desk[i].text == on_phone[i].text);
    }
    CHECK(told(bob).size() == 30);
    CHECK(phone.count<PrivateMessage>() == 0);
    // The desk has read it all, and the phone hears of that.
    CHECK(phone.last<MarkerMoved>().room == "@bob");
    CHECK(phone.last<MarkerMoved>().offset == 30);
    CHECK(town.rooms(phone).at(1).unread == 0);
}

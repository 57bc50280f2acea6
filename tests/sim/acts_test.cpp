#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sim/town.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;
using Kind = Act::Kind;

namespace {

Act about(Kind kind, Offset target) { return {.kind = kind, .target = target}; }

/// What an application shows that does with each event what it says.
std::map<Offset, std::string> shown(const Chatter& person) {
    std::map<Offset, std::string> texts;
    for (const ClientEvent& event : person.events) {
        if (const auto* m = std::get_if<RoomMessage>(&event)) {
            texts[m->offset] = m->deleted ? "(deleted)" : m->text;
        }
        const auto* a = std::get_if<RoomAct>(&event);
        if (a == nullptr || texts.count(a->act.target) == 0) continue;
        std::string& text = texts[a->act.target];
        if (a->act.kind == Kind::edit && a->changed_by == 0) text = a->text;
        if (a->act.kind == Kind::deletion) text = "(deleted)";
        if (a->act.kind == Kind::reaction) text += " " + a->text;
        if (a->act.kind == Kind::unreaction) {
            const std::size_t place = text.find(" " + a->text);
            if (place != std::string::npos) text.erase(place, a->text.size() + 1);
        }
    }
    return texts;
}

std::vector<Offset> offsets(const Chatter& person) {
    std::vector<Offset> all;
    for (const ClientEvent& event : person.events) {
        if (const auto* m = std::get_if<RoomMessage>(&event)) all.push_back(m->offset);
        if (const auto* a = std::get_if<RoomAct>(&event)) all.push_back(a->offset);
    }
    return all;
}

}  // namespace

TEST_CASE("edits, deletions, replies and reactions come in one order with the messages", "[sim]") {
    Town town{{.seed = 41}};
    Chatter& ada = town.add_in("ada", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");
    CHECK(town.say(ada, "#lobby", "helo") == Errc{});
    CHECK(town.act(bob, "#lobby", about(Kind::message, 1), "hi") == Errc{});
    CHECK(town.act(ada, "#lobby", about(Kind::edit, 1), "hello") == Errc{});
    CHECK(town.act(bob, "#lobby", about(Kind::reaction, 1), "+1") == Errc{});
    CHECK(town.say(bob, "#lobby", "oops") == Errc{});
    CHECK(town.act(bob, "#lobby", about(Kind::deletion, 5), "wrong room") == Errc{});
    for (const Chatter* person : {&ada, &bob}) {
        CHECK(offsets(*person) == std::vector<Offset>{1, 2, 3, 4, 5, 6});
        CHECK(person->all<RoomMessage>().at(1).reply_to == 1);
        CHECK(person->last<RoomAct>().text == "wrong room");
        CHECK(shown(*person) ==
              std::map<Offset, std::string>{{1, "hello +1"}, {2, "hi"}, {5, "(deleted)"}});
    }
    CHECK(town.act(bob, "#lobby", about(Kind::unreaction, 1), "+1") == Errc{});
    CHECK(shown(ada).at(1) == "hello");

    SECTION("and are refused where they may not be") {
        CHECK(town.act(bob, "#lobby", about(Kind::edit, 1), "mine") == Errc::forbidden);
        CHECK(town.act(bob, "#lobby", about(Kind::deletion, 1)) == Errc::forbidden);
        CHECK(town.act(bob, "#lobby", about(Kind::edit, 5), "again") == Errc::no_such_message);
        CHECK(town.act(bob, "#lobby", about(Kind::message, 5), "re") == Errc::no_such_message);
        CHECK(town.act(bob, "#lobby", about(Kind::reaction, 77), "?") == Errc::no_such_message);
        CHECK(town.act(bob, "#lobby", about(Kind::tombstone, 2)) == Errc::invalid_request);
        CHECK(shown(ada) == shown(bob));
    }
}

TEST_CASE("whoever comes later sees messages as they are now", "[sim]") {
    // From memory, from the log, and from the log of a server that was started again.
    const std::size_t recent = GENERATE(0, 2, 256);
    const bool restarts = GENERATE(false, true);
    Town town{{.seed = 42, .server = {.limits = {.room_recent_frames_max = recent}}}};
    Chatter& ada = town.add_in("ada", "#lobby");
    for (const char* text : {"one", "two", "three"}) {
        REQUIRE(town.say(ada, "#lobby", text) == Errc{});
    }
    const Epoch epoch = ada.last<RoomJoined>().epoch;
    Chatter& early = town.add_in("bob", "#lobby", Position::last(10));
    CHECK(early.texts() == std::vector<std::string>{"one", "two", "three"});
    town.vanish(early);
    REQUIRE(town.act(ada, "#lobby", about(Kind::edit, 1), "1") == Errc{});
    REQUIRE(town.act(ada, "#lobby", about(Kind::edit, 2), "secret") == Errc{});
    REQUIRE(town.act(ada, "#lobby", about(Kind::deletion, 2), "") == Errc{});
    REQUIRE(town.act(ada, "#lobby", about(Kind::edit, 1), "I") == Errc{});
    if (restarts) town.restart();

    Chatter& late = town.add_in("carl", "#lobby", Position::last(10));
    const auto messages = late.all<RoomMessage>();
    REQUIRE(messages.size() == 3);
    CHECK(messages[0].text == "I");
    CHECK(messages[0].changed_by == 7);
    CHECK_FALSE(messages[0].deleted);
    CHECK(messages[1].deleted);
    CHECK(messages[1].text.empty());
    CHECK(messages[1].attributes == "{}");
    CHECK(messages[1].changed_by == 6);
    CHECK(messages[2].text == "three");
    CHECK(messages[2].changed_by == 0);
    for (const RoomAct& act : late.all<RoomAct>()) CHECK(act.text != "secret");
    CHECK(offsets(late) == std::vector<Offset>{1, 2, 3, 4, 5, 6, 7});

    Chatter& back = town.add_in("bob", "#lobby", Position::after(epoch, 1));
    CHECK(back.last<RoomJoined>().recovered);
    CHECK(offsets(back) == std::vector<Offset>{2, 3, 4, 5, 6, 7});
    CHECK(back.all<RoomMessage>().at(0).deleted);
    CHECK(shown(late) == shown(ada));
}

TEST_CASE("who was cut off while others changed their words shows the same as they", "[sim]") {
    INFO("seed=" << seed());
    Entropy random = Entropy::seeded(seed());
    const auto draw = [&](std::uint64_t below) { return random.draw_number() % below; };
    Town town{{.seed = seed(),
               .server = {.operators = {"ada"},
                          .limits = {.room_recent_frames_max = 4,
                                     .stream_backlog_bytes_max = 400,
                                     .stream_receive_window = 600}}}};
    std::vector<Chatter*> people;
    for (const char* name : {"ada", "bob", "carl"}) people.push_back(&town.add_in(name, "#lobby"));
    for (int step = 0; step < 300; ++step) {
        Chatter& person = *people[draw(people.size())];
        const Offset target = 1 + draw(static_cast<std::uint64_t>(step) + 1);
        const auto kind = static_cast<Kind>(draw(5));
        const bool plain = kind == Kind::message || draw(2) == 0;
        const std::string text = kind == Kind::deletion ? "" : "t" + std::to_string(step);
        REQUIRE(person.client.act("#lobby", plain ? Act{} : about(kind, target),
                                  plain ? "m" + std::to_string(step) : text));
        if (draw(20) == 0) person.reading = !person.reading;
        if (draw(30) == 0) {
            town.network.cut_after(1 + draw(town.network.connections_dialled()), draw(200));
        }
        town.run_for(std::chrono::milliseconds{draw(30)});
    }
    for (Chatter* person : people) person->reading = true;
    town.run_for(30s);
    Chatter& late = town.add_in("late", "#lobby", Position::last(1000));
    const auto all = offsets(late);
    CHECK(all.size() > 100);
    for (const Chatter* person : people) {
        CHECK(person->client.unanswered_requests() == 0);
        CHECK(person->count<RoomGap>() == 0);
        CHECK(offsets(*person) == all);
        // Of what was deleted nothing is shown to anybody, and of the rest the newest.
        CHECK(shown(*person) == shown(late));
    }
}

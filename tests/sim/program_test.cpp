#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

// What the server's program says, and asks, without being logged in.

namespace {

/// The program of a world's server.
struct Program {
    explicit Program(World& w) : world(w) {}

    static MessageId id(std::uint64_t number) {
        MessageId id;
        id.bytes[0] = static_cast<std::byte>(number);
        id.bytes[1] = std::byte{7};
        return id;
    }
    /// Under the ticket `number`. Whether it is on its way.
    Errc begin(std::uint64_t number, const std::string& room, const std::string& by,
               std::string text, Act act = {}) {
        Record record{.id = id(number),
                      .device = {},
                      .author = by,
                      .text = std::move(text),
                      .attributes = "{}",
                      .time = {},
                      .act = std::move(act)};
        return world.server.say(number, room, std::move(record), world.now());
    }
    void run() {
        world.server.process(world.now());
        while (auto outcome = world.server.poll_outcome()) outcomes[outcome->ticket] = *outcome;
        world.run();
        while (auto outcome = world.server.poll_outcome()) outcomes[outcome->ticket] = *outcome;
    }
    /// The same, to its end: `Errc{}`, or why not.
    Errc say(std::uint64_t number, const std::string& room, const std::string& by, std::string text,
             Act act = {}) {
        const Errc errc = begin(number, room, by, std::move(text), std::move(act));
        run();
        if (errc != Errc{}) {
            CHECK_FALSE(outcomes.contains(number));
            return errc;
        }
        REQUIRE(outcomes.contains(number));
        return outcomes.at(number).error;
    }
    Errc create(std::uint64_t number, std::string room, const std::string& owner,
                RoomAccess access = RoomAccess::everybody) {
        const Errc errc = world.server.create_room(
            number, {number, id(number), std::move(room), access, "topic"}, owner, world.now());
        run();
        return errc != Errc{} ? errc : outcomes.at(number).error;
    }
    const RoomAdmin& admin() const { return world.server.room_admin(); }

    World& world;
    std::map<std::uint64_t, ProgramOutcome> outcomes{};
};

Act role(std::string subject, Role role) {
    return {.kind = Act::Kind::role,
            .subject = std::move(subject),
            .value = static_cast<std::uint64_t>(role)};
}

}  // namespace

TEST_CASE("the program speaks in the name of an account, and of its own", "[sim][program]") {
    World world{{.seed = 71, .speaker = "server"}};
    Chatter& ada = world.add_in_room("ada");
    Program program{world};

    REQUIRE(program.say(1, "#LOBBY", "bob", "by bob, who is not here") == Errc{});
    REQUIRE(program.say(2, "#lobby", "server", "by the server") == Errc{});
    const auto messages = ada.all<RoomMessage>();
    REQUIRE(messages.size() == 2);
    CHECK((messages[0].from == "bob" && messages[1].from == "server"));
    CHECK(program.outcomes.at(1).ack.offset == messages[0].offset);
    CHECK(program.outcomes.at(2).ack.offset == messages[1].offset);
    CHECK(program.outcomes.at(1).ack.durability == Durability::memory);

    SECTION("and the same again is the same") {
        REQUIRE(program.say(1, "#lobby", "bob", "by bob, who is not here") == Errc{});
        CHECK(program.outcomes.at(1).ack.offset == messages[0].offset);
        CHECK(ada.count<RoomMessage>() == 2);
        CHECK(program.say(1, "#lobby", "bob", "another") == Errc::conflict);
    }
    SECTION("and who it spoke for has come into the room") {
        const auto people = program.admin().people("#lobby", "");
        REQUIRE(people);
        REQUIRE(people->first.size() == 3);
        CHECK(people->first[1].user == "bob");
        CHECK(people->first[1].role == Role::member);
        CHECK_FALSE(people->first[1].present);
        CHECK(people->second);
    }
    SECTION("and what cannot be is refused at once") {
        CHECK(program.say(3, "#nowhere", "bob", "x") == Errc::no_such_room);
        CHECK(program.say(4, "nowhere", "bob", "x") == Errc::invalid_name);
        CHECK(program.say(5, "#lobby", "no name", "x") == Errc::invalid_name);
        CHECK(program.say(6, "#lobby", "", "x") == Errc::invalid_name);
        CHECK(program.say(7, "#lobby", "bob", "a\x01z") == Errc::invalid_text);
        CHECK(program.say(8, "@nobody", "bob", "x") == Errc::no_such_user);
        CHECK(program.say(9, "#lobby", "bob", "new", {.kind = Act::Kind::edit, .target = 9}) ==
              Errc::no_such_message);
    }
}

TEST_CASE("roles count for whom the program speaks for", "[sim][program]") {
    World world{{.seed = 72, .speaker = "server"}};
    Chatter& ada = world.add_online("ada");
    Program program{world};
    REQUIRE(program.create(1, "#tea", "ada", RoomAccess::invitation) == Errc{});
    CHECK(program.create(2, "#tea", "eve") == Errc::room_exists);
    REQUIRE(ada.client.join("#tea"));
    world.run();
    CHECK(ada.last<RoomJoined>().role == Role::owner);

    CHECK(program.say(3, "#tea", "bob", "let me in") == Errc::no_such_room);
    CHECK(program.admin().may_read("bob", "#tea") == Errc::no_such_room);
    REQUIRE(program.say(4, "#tea", "ada", "", role("bob", Role::member)) == Errc{});
    REQUIRE(program.say(5, "#tea", "bob", "here I am") == Errc{});
    CHECK(program.admin().may_read("bob", "#tea") == Errc{});
    CHECK(program.say(6, "#tea", "bob", "", role("ada", Role::none)) == Errc::forbidden);
    REQUIRE(program.say(7, "#tea", "server", "", role("bob", Role::banned)) == Errc{});
    CHECK(program.say(8, "#tea", "bob", "again") == Errc::no_such_room);
    REQUIRE(program.say(9, "#tea", "server", "it may everywhere") == Errc{});
    CHECK(ada.texts() == std::vector<std::string>{"here I am", "it may everywhere"});
}

TEST_CASE("what the program says while a role changes waits, in order", "[sim][program]") {
    World world{{.seed = 73, .speaker = "server"}};
    Chatter& ada = world.add_in_room("ada");
    Program program{world};
    // All before the log was asked for news.
    REQUIRE(program.begin(1, "#lobby", "server", "", role("bob", Role::muted)) == Errc{});
    REQUIRE(program.begin(2, "#lobby", "bob", "too late") == Errc{});
    REQUIRE(program.begin(3, "#lobby", "eve", "one") == Errc{});
    REQUIRE(program.begin(4, "#lobby", "server", "", role("bob", Role::member)) == Errc{});
    REQUIRE(program.begin(5, "#lobby", "bob", "two") == Errc{});
    program.run();
    CHECK(program.outcomes.at(2).error == Errc::forbidden);
    for (const std::uint64_t number : {1u, 3u, 4u, 5u}) {
        CHECK(program.outcomes.at(number).error == Errc{});
    }
    CHECK(ada.texts() == std::vector<std::string>{"one", "two"});
}

TEST_CASE("what waits in a room is not overtaken", "[sim][program]") {
    World world{{.seed = 78}};
    Chatter& ada = world.add_in_room("ada");
    Program program{world};
    REQUIRE(program.say(1, "#lobby", "bob", "hello") == Errc{});
    const Offset hello = program.outcomes.at(1).ack.offset;
    const auto react = [&](std::uint64_t number, const std::string& text) {
        return program.begin(number, "#lobby", "bob", text,
                             {.kind = Act::Kind::reaction, .target = hello});
    };
    REQUIRE(react(2, "one") == Errc{});
    REQUIRE(react(3, "two") == Errc{});  // waits for the one before
    REQUIRE(program.begin(4, "#lobby", "eve", "behind them") == Errc{});
    program.run();
    CHECK(program.outcomes.at(3).ack.offset < program.outcomes.at(4).ack.offset);
    CHECK(ada.count<RoomAct>() == 2);
}

TEST_CASE("the program's own name is nobody's login", "[sim][program]") {
    World world{{.seed = 74, .speaker = "server"}};
    Chatter& thief = world.add("SERVER");
    world.run();
    REQUIRE(thief.count<Offline>() == 1);
    CHECK(thief.last<Offline>().reason.errc == Errc::login_failed);
    REQUIRE(world.add_online("servers").online());
}

TEST_CASE("the program tells somebody something, who may answer", "[sim][program]") {
    World world{{.seed = 75, .speaker = "server"}};
    Chatter& bob = world.add_online("bob");
    Program program{world};
    REQUIRE(program.say(1, "@bob", "server", "welcome") == Errc{});
    REQUIRE(bob.count<PrivateMessage>() == 1);
    CHECK(bob.last<PrivateMessage>().text == "welcome");
    CHECK(bob.last<PrivateMessage>().from == "server");
    REQUIRE(bob.client.tell("server", "thanks"));
    world.run();
    CHECK(bob.count<Acked>() == 1);
}

TEST_CASE("the program ends the connections of an account", "[sim][program]") {
    World world{{.seed = 76}};
    Chatter& one = world.add_in_room("bob");
    Chatter& two = world.add_online("bob");
    Chatter& ada = world.add_in_room("ada");
    CHECK(world.server.disconnect("BOB") == 2);
    CHECK(world.server.disconnect("nobody") == 0);
    world.server.process(world.now());
    world.run();
    for (const Chatter* gone : {&one, &two}) {
        REQUIRE(gone->count<Offline>() == 1);
        CHECK(gone->last<Offline>().reason.errc == Errc::kicked);
    }
    CHECK(ada.online());
}

TEST_CASE("the program searches, and lists rooms as an account sees them", "[sim][program]") {
    World world{{.seed = 77, .limits = {.room_log_records_max = 1500}}};
    Program program{world};
    REQUIRE(program.create(1, "#tea", "ada", RoomAccess::invitation) == Errc{});
    std::uint64_t number = 1;
    const auto say = [&](std::string text) {
        Record record{.id = {},
                      .device = {},
                      .author = "ada",
                      .text = std::move(text),
                      .attributes = "{}",
                      .time = {}};
        ++number;
        record.id.bytes[0] = static_cast<std::byte>(number);
        record.id.bytes[1] = static_cast<std::byte>(number >> 8);
        REQUIRE(world.server.say(number, "#tea", std::move(record), world.now()) == Errc{});
        program.run();
    };
    say("Green leaf");
    for (int i = 0; i < 1200; ++i) say("nothing");
    say("green again");

    const RoomAdmin& admin = program.admin();
    const auto newest = admin.search("#tea", "GREEN", varint_max, 1);
    REQUIRE(newest);
    REQUIRE(newest->records.size() == 1);
    CHECK(newest->records[0].record.text == "green again");
    const auto none = admin.search("#tea", "green", newest->next, 10);
    REQUIRE(none);
    CHECK(none->records.empty());
    REQUIRE(none->next > 0);  // it looks at so many at once
    const auto oldest = admin.search("#tea", "leaf green", none->next, 10);
    REQUIRE(oldest);
    REQUIRE(oldest->records.size() == 1);
    CHECK(oldest->records[0].record.text == "Green leaf");
    CHECK(oldest->next == 0);
    CHECK(admin.search("#nowhere", "x", varint_max, 1).error() == Errc::no_such_room);
    CHECK_FALSE(admin.search("#tea", "", varint_max, 1));

    const auto of_ada = admin.list_for("ada", "");
    REQUIRE(of_ada);
    CHECK(of_ada->first.size() == 3);
    const auto of_bob = admin.list_for("bob", "");
    REQUIRE(of_bob);
    CHECK(of_bob->first.size() == 2);
    CHECK(admin.people("#nowhere", "").error() == Errc::no_such_room);
    CHECK(admin.place("#TEA")->first == "#tea");
    CHECK(admin.place("#TEA")->second.head == 1203);
    CHECK(admin.place("#nowhere").error() == Errc::no_such_room);
}

TEST_CASE("the program marks a room as read for an account", "[sim][program]") {
    World world{{.seed = 79, .speaker = "server"}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    Program program{world};
    for (std::uint64_t number = 1; number <= 3; ++number) {
        REQUIRE(program.say(number, "#lobby", "server", "x") == Errc{});
    }
    const auto mark = [&](const std::string& room, const std::string& user, Offset offset,
                          bool shared = false, std::optional<Epoch> epoch = {}) {
        const Errc errc = world.server.mark_read(room, user, epoch, offset, shared, world.now());
        program.run();
        return errc;
    };
    const auto unread = [&](const std::string& user) {
        const auto rooms = program.admin().list_for(user, "");
        REQUIRE(rooms);
        return rooms->first.at(0).unread;
    };
    const Epoch epoch = program.outcomes.at(1).ack.epoch;
    const Offset two = program.outcomes.at(2).ack.offset;

    REQUIRE(mark("#LOBBY", "ada", two, false, epoch) == Errc{});
    CHECK(unread("ada") == 1);
    REQUIRE(ada.count<MarkerMoved>() == 1);  // all of its devices are told
    CHECK(ada.last<MarkerMoved>().offset == two);
    CHECK(bob.count<MarkerMoved>() == 0);
    REQUIRE(mark("#lobby", "ada", 1) == Errc{});
    CHECK(unread("ada") == 1);  // it goes only up
    REQUIRE(mark("#lobby", "ada", varint_max, true) == Errc{});
    CHECK(unread("ada") == 0);
    REQUIRE(bob.count<MarkerMoved>() == 1);
    CHECK(bob.last<MarkerMoved>().user == "ada");

    // Who is away, and has never been here, comes as if she had joined.
    CHECK(unread("eve") == 3);
    REQUIRE(mark("#lobby", "eve", two) == Errc{});
    CHECK(unread("eve") == 1);

    CHECK(mark("#lobby", "ada", 1, false, Epoch{1}) == Errc::no_such_message);
    CHECK(mark("#nowhere", "ada", 1) == Errc::no_such_room);
    CHECK(mark("#lobby", "no name", 1) == Errc::invalid_name);
    REQUIRE(program.create(9, "#tea", "ada", RoomAccess::invitation) == Errc{});
    CHECK(mark("#tea", "eve", 1) == Errc::no_such_room);
    REQUIRE(mark("#tea", "ada", 1) == Errc{});
}

TEST_CASE("the program names people, and sees who is here", "[sim][program]") {
    World world{{.seed = 80,
                 .limits = {.members_per_page_max = 2, .profiles_max = 2},
                 .speaker = "server"}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    world.add_online("bob");
    world.add_online("eve");
    Program program{world};
    const auto name = [&](std::uint64_t number, const std::string& user, const std::string& text) {
        const Errc errc = world.server.set_profile(number, user, text, world.now());
        program.run();
        return errc != Errc{} ? errc : program.outcomes.at(number).error;
    };
    REQUIRE(name(1, "ada", "Ada L.") == Errc{});
    REQUIRE(ada.count<ProfileChanged>() == 1);
    CHECK(bob.last<ProfileChanged>().display == "Ada L.");
    REQUIRE(name(2, "server", "The house") == Errc{});  // somebody who is not logged in
    CHECK(name(3, "bob", "Eve") == Errc::forbidden);    // that is how another is called
    CHECK(name(4, "bob", "a\x01z") == Errc::invalid_text);
    CHECK(name(5, "no name", "x") == Errc::invalid_name);
    CHECK(name(6, "bob", "Bob") == Errc::storage_full);
    REQUIRE(name(7, "ada", "") == Errc{});
    REQUIRE(name(8, "bob", "Bob") == Errc{});  // there is room again

    const PeopleAdmin& people = world.server.people_admin();
    CHECK(people.find("SERVER").display == "The house");
    CHECK(people.find("server").connections == 0);
    CHECK(people.find("ada").display.empty());
    const PersonReport found = people.find("BOB");
    CHECK((found.user == "bob" && found.display == "Bob" && found.connections == 2));
    const auto [first, complete] = people.online("");
    REQUIRE(first.size() == 2);
    CHECK((first[0].user == "ada" && first[1].user == "bob" && !complete));
    const auto [rest, all] = people.online("bob");
    REQUIRE(rest.size() == 1);
    CHECK((rest[0].user == "eve" && all));
}

TEST_CASE("the program hears what it is told, and reads nothing else of two", "[sim][program]") {
    World world{{.seed = 81, .speaker = "server"}};
    Chatter& ada = world.add_online("ada");
    Chatter& bob = world.add_online("bob");
    Program program{world};
    REQUIRE(bob.client.tell("server", "before"));
    world.run();
    CHECK_FALSE(world.server.poll_told());  // nobody listens
    world.server.listen(true);
    REQUIRE(bob.client.tell("SERVER", "one"));
    REQUIRE(bob.client.tell("server", "two"));
    REQUIRE(ada.client.tell("bob", "between us"));
    REQUIRE(ada.client.tell("server", "hello"));
    world.run();
    CHECK(world.server.poll_told() == "@ada");
    CHECK(world.server.poll_told() == "@bob");
    CHECK_FALSE(world.server.poll_told());

    const RoomAdmin& admin = program.admin();
    const auto texts = [&](const std::string& room, Offset after) {
        std::vector<std::string> found;
        const auto read = admin.read(room, after, 100);
        if (!read) return std::vector<std::string>{std::string{error_name(to_errc(read.error()))}};
        for (const LoggedRecord& logged : *read) found.push_back(logged.record.text);
        return found;
    };
    CHECK(texts("@bob", 0) == std::vector<std::string>{"before", "one", "two"});
    CHECK(texts("@BOB", 1) == std::vector<std::string>{"one", "two"});
    CHECK(admin.place("@bob")->first == "@bob");
    CHECK(admin.search("@ada", "hello", varint_max, 9)->records.size() == 1);
    CHECK(texts("@eve", 0) == std::vector<std::string>{"no_such_room"});
    // What two others share is theirs, whoever asks.
    CHECK(admin.may_read("ada", "@bob") == Errc::no_such_room);
    CHECK(admin.may_read("server", "@bob") == Errc{});
    CHECK(texts("@ada,@bob", 0) == std::vector<std::string>{"no_such_room"});

    // The answer is no news of its own, and goes to bob; the marker goes as far as it was read.
    REQUIRE(program.say(1, "@bob", "server", "thanks") == Errc{});
    CHECK(bob.last<PrivateMessage>().text == "thanks");
    CHECK_FALSE(world.server.poll_told());
    CHECK(admin.marker("server", "@bob") == 0);
    REQUIRE(world.server.mark_read("@bob", "server", {}, 2, false, world.now()) == Errc{});
    CHECK(admin.marker("server", "@bob") == 2);
    // What was told is not the program's to throw away.
    CHECK(world.server.remove_room("@bob", world.now()) == Errc::no_such_room);
    CHECK(world.server.keep("@bob", {.records_max = 1}, world.now()) == Errc::no_such_room);
}

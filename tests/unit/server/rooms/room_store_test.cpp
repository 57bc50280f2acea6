#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/rooms/acts.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "support/printers.hpp"
#include "support/shared_log.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

using Keeper = RoomStore;

/// A keeper on a log that outlives it.
struct Keeping {
    explicit Keeping(ServerConfig c = {}) : config(std::move(c)) { restart(); }

    void restart() {
        room_store.emplace(SharedLog{log}, config);
        for (const std::string& room : config.rooms) REQUIRE(room_store->open(room) == Errc{});
        REQUIRE(room_store->restore() == Errc{});
    }

    Room& room(const std::string& name) {
        Room* found = room_store->directory().find(name);
        REQUIRE(found != nullptr);
        return *found;
    }
    /// Begins to make a room, and gives the log what it has to store.
    Errc begin(std::string name, const std::string& owner = "ada",
               RoomAccess access = RoomAccess::everybody) {
        const wire::CreateRoom m{
            1, {{static_cast<std::byte>(++newest)}}, std::move(name), access, "all about it"};
        const std::string key = canonical_name(m.room);
        const Errc errc = room_store->begin_creation(key, owner);
        if (errc != Errc{}) return errc;
        changes = changes_of(m, owner);
        room_store->log().append(newest, key, make_creation(m, owner, {}), changes);
        return errc;
    }
    Room* end() {
        const LogNews news = room_store->log().poll_news().value();
        room_store->end_creation(news.room, news.error == Errc{});
        return *room_store->learn(news.room);
    }
    Errc make(std::string name, const std::string& owner = "ada",
              RoomAccess access = RoomAccess::everybody) {
        const Errc errc = begin(std::move(name), owner, access);
        if (errc != Errc{}) return errc;
        REQUIRE(end() != nullptr);
        return Errc{};
    }
    /// An act of somebody, committed.
    void act(const std::string& name, const Act& what, const std::string& text = {}) {
        Room& place = room(name);
        Record record{{{static_cast<std::byte>(++newest)}}, {}, "ada", text, "{}", {}, what};
        room_store->log().append(newest, place.key(), record, changes_of(what, text));
        const auto done = room_store->log().poll_news();
        REQUIRE(done->error == Errc{});
        place.push({done->offset, std::move(record)});
    }

    ServerConfig config;
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>(Entropy::seeded(1));
    std::optional<Keeper> room_store;
    std::vector<StateChange> changes;
    unsigned newest = 0;
};

Act role_of(std::string subject, Role role, WallTime until = {}) {
    return {.kind = Act::Kind::role,
            .subject = std::move(subject),
            .value = static_cast<std::uint64_t>(role),
            .until = until};
}

}  // namespace

TEST_CASE("a room_store's rooms are there again after a restart", "[server]") {
    Keeping k;
    REQUIRE(k.make("#Den", "Ada", RoomAccess::invitation) == Errc{});
    const WallTime end{std::chrono::seconds{5}};
    k.act("#den", {.kind = Act::Kind::topic}, "cats");
    k.act("#den", role_of("Bob", Role::moderator));
    k.act("#den", role_of("carl", Role::muted, end));
    k.act("#den", role_of("dora", Role::member));
    k.act("#den", role_of("dora", Role::none));
    k.room("#den").people().set_marker(k.room("#den").people().at("bob"), 4);
    k.room_store->note_unsaved(k.room("#den"));
    k.room_store->save();
    const Epoch epoch = k.room("#den").epoch();
    k.restart();

    const Room& den = k.room("#DEN");
    CHECK(den.name() == "#Den");
    CHECK(den.topic() == "cats");
    CHECK(den.creator() == "Ada");
    CHECK(den.access() == RoomAccess::invitation);
    CHECK(den.epoch() == epoch);
    CHECK(den.head() == 6);
    CHECK(den.people().role("ada", {}) == Role::owner);
    CHECK(den.people().find("bob")->name == "Bob");
    CHECK(den.people().role("bob", {}) == Role::moderator);
    CHECK(den.people().find("bob")->marker == 4);
    CHECK(den.people().role("carl", {}) == Role::muted);
    CHECK(den.people().role("carl", end) == Role::member);
    CHECK(den.people().find("dora") == nullptr);
    CHECK(k.room_store->directory().made_by("ada") == 1);

    SECTION("also with their latest access") {
        k.act("#den", {.kind = Act::Kind::access, .value = 2});
        k.restart();
        CHECK(k.room("#den").access() == RoomAccess::archived);
        k.act("#den", {.kind = Act::Kind::access, .value = 0});
        k.restart();
        CHECK(k.room("#den").access() == RoomAccess::everybody);
    }
}

TEST_CASE("a room_store says whether another configuration fits", "[server]") {
    Keeping k;
    REQUIRE(k.make("#den") == Errc{});
    ServerConfig next{.rooms = {"#LOBBY", "#den", "#tea", "#Tea"}, .limits = {.rooms_max = 3}};
    CHECK(k.room_store->check(next) == Errc{});
    next.limits.rooms_max = 2;
    CHECK(k.room_store->check(next) == Errc::too_many_rooms);
    next.rooms = {};
    CHECK(k.room_store->check(next) == Errc{});
    next.limits.rooms_max = 1;
    CHECK(k.room_store->check(next) == Errc::too_many_rooms);
    next.rooms = {"@ada"};
    CHECK(k.room_store->check(next) == Errc::invalid_name);
    CHECK(k.room_store->directory().size() == 2);

    SECTION("also while a room is being made") {
        REQUIRE(k.begin("#milk") == Errc{});
        next = {.rooms = {"#milk"}, .limits = {.rooms_max = 3}};
        CHECK(k.room_store->check(next) == Errc{});
        next.rooms.push_back("#tea");
        CHECK(k.room_store->check(next) == Errc::too_many_rooms);
        CHECK(k.room_store->open("#Milk") == Errc{});
        CHECK(k.room_store->directory().size() == 2);
        const Room* milk = k.end();
        REQUIRE(milk != nullptr);
        CHECK(milk->creator() == "ada");
        CHECK(k.room_store->open("#Milk") == Errc{});
        CHECK(k.room("#milk").name() == "#milk");
    }
}

TEST_CASE("a room is spelled as the configuration says, or as it last did", "[server]") {
    Keeping k{{.rooms = {"#Lobby"}}};
    CHECK(k.room("#lobby").name() == "#Lobby");
    k.config.rooms = {"#LOBBY"};
    k.restart();
    CHECK(k.room("#lobby").name() == "#LOBBY");
    k.config.rooms = {};
    k.restart();
    CHECK(k.room("#lobby").name() == "#LOBBY");
    CHECK(k.room_store->open("lobby") == Errc::invalid_name);
    CHECK(k.room_store->open("@ada") == Errc::invalid_name);
}

TEST_CASE("a room that somebody began to make", "[server]") {
    Keeping k{{.rooms = {}, .limits = {.rooms_max = 3, .rooms_per_owner_max = 2}}};

    SECTION("is there once that is committed") {
        REQUIRE(k.begin("#a") == Errc{});
        CHECK(k.room_store->directory().find("#a") == nullptr);
        const Room* made = k.end();
        REQUIRE(made != nullptr);
        CHECK(made->name() == "#a");
        CHECK(made->topic() == "all about it");
        CHECK(made->people().role("ada", {}) == Role::owner);
        CHECK(made->people().size() == 1);
        CHECK(k.log->rooms()->size() == 1);
    }
    SECTION("is forgotten if it is not committed") {
        REQUIRE(k.begin("#a") == Errc{});
        k.room_store->end_creation("#a", false);
        CHECK(k.room_store->log().poll_news()->epoch != Epoch{});
        CHECK(k.room_store->directory().find("#a") == nullptr);
        CHECK(k.log->rooms()->empty());
        CHECK(k.make("#a") == Errc{});
    }
    SECTION("is forgotten if the server ends before") {
        REQUIRE(k.room_store->begin_creation("#a", "ada") == Errc{});
        CHECK(k.log->rooms()->size() == 1);
        k.restart();
        CHECK(k.room_store->directory().find("#a") == nullptr);
        CHECK(k.log->rooms()->empty());
    }
    SECTION("counts among those of its maker, and of the server") {
        CHECK(k.make("#a") == Errc{});
        CHECK(k.make("#b", "ADA") == Errc{});
        CHECK(k.begin("#c", "ada") == Errc::too_many_rooms);
        CHECK(k.begin("#c", "bob") == Errc{});
        CHECK(k.begin("#d", "carl") == Errc::too_many_rooms);
        CHECK(k.end() != nullptr);
        CHECK(k.begin("#d", "carl") == Errc::too_many_rooms);
        CHECK(k.room_store->open("#e") == Errc::too_many_rooms);
        k.restart();
        CHECK(k.begin("#c", "ada") == Errc::too_many_rooms);
    }
}

TEST_CASE("the rooms that an account makes may store so much", "[server]") {
    Keeping k{{.rooms = {},
               .limits = {.room_log_bytes_max = 1 << 20, .room_bytes_per_owner_max = 5 << 19}}};
    CHECK(k.make("#a") == Errc{});
    CHECK(k.begin("#b", "Ada") == Errc{});
    CHECK(k.begin("#c", "ada") == Errc::quota_exceeded);  // 2.5 MiB are two rooms
    CHECK(k.end() != nullptr);
    CHECK(k.begin("#c", "ada") == Errc::quota_exceeded);
    CHECK(k.make("#c", "bob") == Errc{});
    k.restart();
    CHECK(k.begin("#d", "ada") == Errc::quota_exceeded);
    // Smaller rooms may be more, and those that are there stay.
    k.config.limits.room_log_bytes_max = 1 << 19;
    k.restart();
    CHECK(k.make("#d", "ada") == Errc{});
    k.config.limits.room_log_bytes_max = 1 << 22;  // one each, all the same
    k.restart();
    CHECK(k.room_store->directory().size() == 4);
    CHECK(k.make("#e", "carl") == Errc{});
    CHECK(k.begin("#f", "carl") == Errc::quota_exceeded);
}

TEST_CASE("what pairs share does not keep others from making rooms", "[server]") {
    Keeping k{{.rooms = {}, .limits = {.rooms_max = 2}}};
    REQUIRE(k.room_store->open_private("ada", "bob"));
    REQUIRE(k.room_store->open_private("ada", "carl"));
    CHECK(k.make("#a") == Errc{});
    CHECK(k.make("#b") == Errc{});
    CHECK(k.begin("#c") == Errc::too_many_rooms);
    k.room_store->save();
    k.restart();
    CHECK(k.room_store->directory().size() == 4);
}

TEST_CASE("only operators make rooms where the configuration says so", "[server]") {
    Keeping k{{.rooms = {}, .operators = {"Root"}, .anybody_makes_rooms = false}};
    CHECK(k.begin("#a", "ada") == Errc::forbidden);
    CHECK(k.make("#a", "root") == Errc{});
}

TEST_CASE("a room_store has one room for two people", "[server]") {
    Keeping k{{.rooms = {}, .limits = {.private_rooms_max = 2}}};
    Room& pair = **k.room_store->open_private("Ada", "Bob");
    CHECK(pair.key() == "@ada,@bob");
    CHECK(pair.name_for("ada") == "@Bob");
    CHECK(pair.name_for("BOB") == "@Ada");
    CHECK(pair.access() == RoomAccess::invitation);
    CHECK(k.room_store->open_private("bob", "ada").value() == &pair);
    CHECK(k.room_store->find_for("ada", "@BOB", {}) == &pair);
    CHECK(k.room_store->find_for("bob", "@ada", {}) == &pair);
    CHECK(k.room_store->find_for("carl", "@ada", {}) == nullptr);
    CHECK(k.room_store->find_for("carl", "@ada,@bob", {}) == nullptr);
    CHECK((*k.room_store->open_private("ada", "ada"))->name_for("ada") == "@ada");

    SECTION("spelled as their accounts are, also after a restart") {
        k.room_store->save();
        k.restart();
        CHECK(k.room("@ada,@bob").name_for("ada") == "@Bob");
        CHECK(k.room("@ada,@bob").people().role("BOB", {}) == Role::member);
    }
    SECTION("and forgets the longest quiet one when there are too many") {
        CHECK(k.room_store->next_surplus(pair) == nullptr);
        const Room& newest = **k.room_store->open_private("ada", "carl");
        REQUIRE(k.room_store->next_surplus(newest) == &pair);
        k.room_store->forget(pair);
        CHECK(k.room_store->next_surplus(newest) == nullptr);
        CHECK(k.log->rooms()->size() == 2);
    }
    SECTION("also if some were opened and nothing was ever said in them") {
        k.restart();  // before anything of the two pairs was stored
        for (const char* other : {"carl", "dora", "eve"}) {
            const Room& newest = **k.room_store->open_private("ada", other);
            while (Room* surplus = k.room_store->next_surplus(newest)) {
                k.room_store->forget(*surplus);
            }
        }
        CHECK(k.room_store->private_rooms().size() == 2);
        CHECK(k.log->rooms()->size() == 2);
    }
}

TEST_CASE("who comes into a room for everybody belongs to it", "[server]") {
    Keeping k{{.rooms = {"#lobby"}, .limits = {.members_max = 2}}};
    CHECK(k.room_store->admit(k.room("#lobby"), "Ada", {}));
    CHECK(k.room_store->admit(k.room("#lobby"), "bob", {}));
    k.room_store->save();
    k.restart();
    CHECK(k.room("#lobby").people().role("ada", {}) == Role::member);

    SECTION("and goes first when it is full of people who are away") {
        CHECK(k.room_store->admit(k.room("#lobby"), "carl", {}));
        k.room_store->save();
        CHECK(k.room("#lobby").people().size() == 2);
        CHECK(k.room("#lobby").people().find("ada") == nullptr);
        k.restart();
        CHECK(k.room("#lobby").people().size() == 2);
        CHECK(k.room("#lobby").people().find("ada") == nullptr);
        CHECK(k.room("#lobby").people().role("carl", {}) == Role::member);
    }
    SECTION("but not if all of them are here, or more than members") {
        ++k.room("#lobby").people().at("ada").devices;
        k.act("#lobby", role_of("bob", Role::moderator));
        CHECK_FALSE(k.room_store->admit(k.room("#lobby"), "carl", {}));
        CHECK(k.room_store->admit(k.room("#lobby"), "ADA", {}));
    }
    SECTION("unless it is decided just now what somebody is there") {
        Room& lobby = k.room("#lobby");
        k.act("#lobby", role_of("bob", Role::none));
        lobby.changes_under_way = 1;
        CHECK(k.room_store->admit(lobby, "bob", {}));
        k.room_store->save();
        CHECK(k.log->state("#lobby")->count("role/bob") == 0);
        lobby.changes_under_way = 0;
        k.room_store->save();
        CHECK(k.log->state("#lobby")->count("role/bob") == 1);
    }
}

TEST_CASE("a list of rooms says what an account has not read", "[server]") {
    Keeping k;
    const auto say = [&](const std::string& author, const Act& act = {},
                         const std::string& text = "hi") {
        Room& lobby = k.room("#lobby");
        Record record{{{static_cast<std::byte>(++k.newest)}}, {}, author, text, "{}", {}, act};
        k.room_store->log().append(1, "#lobby", record, {});
        const auto done = k.room_store->log().poll_news();
        REQUIRE(done->error == Errc{});
        lobby.push({done->offset, std::move(record)});
    };
    const auto summary = [&](std::string_view user) {
        while (!RoomStore::knows_authors(k.room("#lobby"), user)) {
            REQUIRE(k.room_store->read_authors(k.room("#lobby")));
        }
        return k.room_store->summarize(k.room("#lobby"), user, {});
    };
    say("ada");
    say("bob");
    say("bob", {.kind = Act::Kind::reaction, .target = 1});
    say("bob");
    CHECK(summary("ada").unread == 2);
    CHECK(summary("ada").head == 4);
    CHECK(summary("carl").unread == 3);
    CHECK(summary("carl").role == Role::none);
    k.room("#lobby").people().set_marker(k.room("#lobby").people().at("ada"), 2);
    CHECK(summary("ada").marker == 2);
    CHECK(summary("ada").unread == 1);
    say("bob", {.kind = Act::Kind::deletion, .target = 4});
    CHECK(summary("ada").unread == 0);  // what was deleted needs no reading
    for (int i = 0; i < 99; ++i) say("bob");
    CHECK(summary("ada").unread == 100);  // or more: nobody counted
    k.room("#lobby").people().set_marker(k.room("#lobby").people().at("ada"), 5);
    CHECK(summary("ada").unread == 99);
    say("bob");
    CHECK(summary("ada").unread == 100);
    CHECK(summary("ada").mentions == 0);
    say("bob", {}, "@ada, look");
    CHECK(summary("ada").unread == 100);
    CHECK(summary("ada").mentions == 1);
    CHECK(summary("ADA").mentions == 1);
    CHECK(summary("carl").mentions == 0);
    SECTION("also when it was read from the log") {
        Room& lobby = k.room("#lobby");
        const LogHead head = k.log->head("#lobby");
        lobby = Room{"#lobby", head, 8};
        CHECK(summary("ada").mentions == 1);
        CHECK(summary("ada").unread == 100);
        lobby.people().set_marker(lobby.people().at("ada"), lobby.head() - 1);
        CHECK(summary("ada").unread == 1);
        CHECK(summary("ada").mentions == 1);
        lobby.people().set_marker(lobby.people().at("ada"), lobby.head());
        CHECK(summary("ada").mentions == 0);
    }
}

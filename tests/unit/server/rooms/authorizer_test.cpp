#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/log/memory_log.hpp"
#include "quicchat/server/rooms/authorizer.hpp"
#include "support/printers.hpp"

using namespace quicchat;
using Kind = Act::Kind;

namespace {

/// A room with one person of each role, whose names say it, and a message of each of them.
struct Courtroom {
    Courtroom() {
        for (const auto& [name, role] :
             {std::pair{"owner", Role::owner}, std::pair{"mod", Role::moderator},
              std::pair{"other.mod", Role::moderator}, std::pair{"member", Role::member},
              std::pair{"muted", Role::muted}, std::pair{"banned", Role::banned}}) {
            room->people().apply_role(name, role, {});
        }
    }

    Offset add(std::string author, Act act = {}, std::string text = "text") {
        Record record{{}, {}, std::move(author), std::move(text), "{}", {}, std::move(act)};
        record.id.bytes[0] = static_cast<std::byte>(room->head() + 1);
        log.append(1, room->key(), record);
        const auto done = log.poll_news();
        REQUIRE(done->error == Errc{});
        room->push({done->offset, std::move(record)});
        return done->offset;
    }
    Errc judge(std::string_view user, const Act& act, WallTime now = {}) const {
        return Authorizer{directory, log, limits, now}.judge(*room, user, act);
    }
    Errc appoint(std::string_view user, std::string subject, Role role, WallTime now = {}) const {
        return judge(user,
                     {.kind = Kind::role,
                      .subject = std::move(subject),
                      .value = static_cast<std::uint64_t>(role)},
                     now);
    }
    void set_access(RoomAccess access) {
        add("owner", {.kind = Kind::access, .value = static_cast<std::uint64_t>(access)}, "");
    }

    Limits limits{.members_max = 8};
    MemoryLog log{Entropy::seeded(1)};
    Directory directory{{"Root"}};
    Room* room = &directory.add(Room{"#a", *log.open("#a", {100, 100'000}), 8});
};

}  // namespace

TEST_CASE("a judge lets write who may write", "[server]") {
    Courtroom court;
    const Offset target = court.add("member");
    const Act acts[] = {{}, {.target = target}, {.kind = Kind::reaction, .target = target}};
    for (const Act& act : acts) {
        for (const char* user : {"owner", "mod", "member", "stranger", "ROOT"}) {
            CHECK(court.judge(user, act) == Errc{});
        }
        CHECK(court.judge("muted", act) == Errc::forbidden);
        CHECK(court.judge("banned", act) == Errc::forbidden);
    }
    SECTION("only members in a room by invitation") {
        court.set_access(RoomAccess::invitation);
        CHECK(court.judge("member", {}) == Errc{});
        CHECK(court.judge("root", {}) == Errc{});
        CHECK(court.judge("stranger", {}) == Errc::forbidden);
    }
    SECTION("nobody in an archived room") {
        court.set_access(RoomAccess::archived);
        CHECK(court.judge("owner", {}) == Errc::forbidden);
        CHECK(court.judge("root", {}) == Errc::forbidden);
        CHECK(court.judge("mod", {.kind = Kind::topic}) == Errc::forbidden);
        CHECK(court.judge("mod", {.kind = Kind::access}) == Errc::forbidden);
        CHECK(court.judge("owner", {.kind = Kind::access}) == Errc{});
    }
    SECTION("when a mute is over") {
        const WallTime end{std::chrono::seconds{10}};
        court.room->people().apply_role("muted", Role::muted, end);
        CHECK(court.judge("muted", {}, end - std::chrono::milliseconds{1}) == Errc::forbidden);
        CHECK(court.judge("muted", {}, end) == Errc{});
    }
}

TEST_CASE("a judge lets decide about the room who may", "[server]") {
    const Courtroom court;
    for (const char* user : {"member", "stranger", "muted", "banned"}) {
        CHECK(court.judge(user, {.kind = Kind::topic}) == Errc::forbidden);
        CHECK(court.judge(user, {.kind = Kind::access}) == Errc::forbidden);
    }
    CHECK(court.judge("mod", {.kind = Kind::topic}) == Errc{});
    CHECK(court.judge("owner", {.kind = Kind::topic}) == Errc{});
    CHECK(court.judge("mod", {.kind = Kind::access}) == Errc::forbidden);
    CHECK(court.judge("owner", {.kind = Kind::access}) == Errc{});
    CHECK(court.judge("root", {.kind = Kind::access}) == Errc{});
}

TEST_CASE("a judge looks at what an act is about", "[server]") {
    Courtroom court;
    const Offset target = court.add("Member");
    const auto edit = [](Offset offset) { return Act{.kind = Kind::edit, .target = offset}; };
    const auto deletion = [](Offset offset) {
        return Act{.kind = Kind::deletion, .target = offset};
    };

    SECTION("only authors edit") {
        CHECK(court.judge("member", edit(target)) == Errc{});
        CHECK(court.judge("mod", edit(target)) == Errc::forbidden);
        CHECK(court.judge("owner", edit(target)) == Errc::forbidden);
        CHECK(court.judge("root", edit(target)) == Errc::forbidden);
    }
    SECTION("authors delete, and whoever sees to order, what those below wrote") {
        CHECK(court.judge("MEMBER", deletion(target)) == Errc{});
        CHECK(court.judge("mod", deletion(target)) == Errc{});
        CHECK(court.judge("owner", deletion(target)) == Errc{});
        CHECK(court.judge("stranger", deletion(target)) == Errc::forbidden);
        const Offset by_mod = court.add("mod");
        CHECK(court.judge("mod", deletion(by_mod)) == Errc{});
        CHECK(court.judge("other.mod", deletion(by_mod)) == Errc::forbidden);
        CHECK(court.judge("owner", deletion(by_mod)) == Errc{});
        const Offset by_stranger = court.add("gone");
        CHECK(court.judge("mod", deletion(by_stranger)) == Errc{});
        const Offset by_root = court.add("root");
        CHECK(court.judge("mod", deletion(by_root)) == Errc::forbidden);
    }
    SECTION("who lost the right to write cannot change the own words either") {
        const Offset own = court.add("muted");
        CHECK(court.judge("muted", edit(own)) == Errc::forbidden);
        CHECK(court.judge("muted", deletion(own)) == Errc::forbidden);
    }
    SECTION("there must be a message") {
        const Offset topic = court.add("mod", {.kind = Kind::topic});
        const Offset reaction = court.add("mod", {.kind = Kind::reaction, .target = target}, "+1");
        for (const Offset offset : {topic, reaction, reaction + 1, Offset{1} << 61}) {
            CHECK(court.judge("owner", edit(offset)) == Errc::no_such_message);
            CHECK(court.judge("owner", deletion(offset)) == Errc::no_such_message);
            CHECK(court.judge("owner", {.target = offset}) == Errc::no_such_message);
            CHECK(court.judge("owner", {.kind = Kind::reaction, .target = offset}) ==
                  Errc::no_such_message);
        }
    }
    SECTION("and none that was deleted") {
        court.add("member", deletion(target), "");
        CHECK(court.judge("member", edit(target)) == Errc::no_such_message);
        CHECK(court.judge("member", deletion(target)) == Errc::no_such_message);
        CHECK(court.judge("member", {.target = target}) == Errc::no_such_message);
        CHECK(court.judge("mod", {.kind = Kind::reaction, .target = target}) ==
              Errc::no_such_message);
    }
    SECTION("nor one that the log has dropped") {
        REQUIRE(court.log.open("#a", {2, 100'000}));
        court.add("member");
        court.add("member");
        CHECK(court.judge("member", edit(target)) == Errc::no_such_message);
        CHECK(court.judge("member", edit(target + 1)) == Errc{});
    }
}

TEST_CASE("a judge looks at the reactions that are there", "[server]") {
    Courtroom court;
    court.limits.reactions_per_message_max = 4;
    const Offset target = court.add("member");
    const Offset other = court.add("member");
    const Act adds{.kind = Kind::reaction, .target = target};
    const Act takes{.kind = Kind::unreaction, .target = target};
    const auto judge = [&](std::string_view user, const Act& act, std::string_view text) {
        return Authorizer{court.directory, court.log, court.limits, {}}.judge(*court.room, user,
                                                                              act, text);
    };
    CHECK(judge("member", takes, "+1") == Errc::no_change);
    court.add("member", adds, "+1");

    SECTION("of that author, text and message") {
        CHECK(judge("member", adds, "+1") == Errc::no_change);
        CHECK(judge("member", takes, "+1") == Errc{});
        CHECK(judge("owner", adds, "+1") == Errc{});
        CHECK(judge("owner", takes, "+1") == Errc::no_change);
        CHECK(judge("member", adds, "+2") == Errc{});
        CHECK(judge("member", takes, "+2") == Errc::no_change);
        CHECK(judge("member", {.kind = Kind::reaction, .target = other}, "+1") == Errc{});
        CHECK(judge("member", {.kind = Kind::unreaction, .target = other}, "+1") ==
              Errc::no_change);
    }
    SECTION("by the last of several") {
        court.add("member", takes, "+1");
        CHECK(judge("member", takes, "+1") == Errc::no_change);
        CHECK(judge("member", adds, "+1") == Errc{});
        court.add("member", adds, "+1");
        CHECK(judge("member", takes, "+1") == Errc{});
        CHECK(judge("member", adds, "+1") == Errc::no_change);
    }
    SECTION("of which there may be so many, but what is there can be taken back") {
        for (const char* text : {"a", "b"}) court.add("mod", adds, text);
        CHECK(judge("owner", adds, "+1") == Errc{});
        court.room->reactions_under_way = {{"other", target}, {"other", other}};
        CHECK(judge("owner", adds, "+1") == Errc::too_many_reactions);
        court.room->reactions_under_way.clear();
        court.add("mod", takes, "a");
        CHECK(judge("owner", adds, "+1") == Errc::too_many_reactions);
        CHECK(judge("member", adds, "+1") == Errc::no_change);
        CHECK(judge("member", takes, "+1") == Errc{});
        CHECK(judge("owner", {.kind = Kind::reaction, .target = other}, "+1") == Errc{});
    }
    SECTION("but says nothing of them to who may not write") {
        CHECK(judge("muted", adds, "+1") == Errc::forbidden);
        court.add("member", {.kind = Kind::deletion, .target = target}, "");
        CHECK(judge("member", adds, "+1") == Errc::no_such_message);
    }
}

TEST_CASE("a judge lets appoint who may appoint", "[server]") {
    Courtroom court;

    SECTION("moderators those below them, to roles below theirs") {
        for (const Role role : {Role::none, Role::banned, Role::muted, Role::member}) {
            CHECK(court.appoint("mod", "member", role) == Errc{});
            CHECK(court.appoint("mod", "muted", role) == Errc{});
            CHECK(court.appoint("mod", "banned", role) == Errc{});
            CHECK(court.appoint("mod", "new", role) == Errc{});
            CHECK(court.appoint("mod", "owner", role) == Errc::forbidden);
            CHECK(court.appoint("mod", "other.mod", role) == Errc::forbidden);
            CHECK(court.appoint("mod", "root", role) == Errc::forbidden);
            CHECK(court.appoint("member", "muted", role) == Errc::forbidden);
        }
        CHECK(court.appoint("mod", "member", Role::moderator) == Errc::forbidden);
        CHECK(court.appoint("mod", "mod", Role::owner) == Errc::forbidden);
        CHECK(court.appoint("member", "member", Role::moderator) == Errc::forbidden);
    }
    SECTION("owners everybody to everything, but the last of them stays") {
        CHECK(court.appoint("owner", "member", Role::owner) == Errc{});
        CHECK(court.appoint("owner", "mod", Role::banned) == Errc{});
        CHECK(court.appoint("owner", "owner", Role::owner) == Errc{});
        CHECK(court.appoint("owner", "owner", Role::member) == Errc::forbidden);
        CHECK(court.appoint("owner", "owner", Role::none) == Errc::forbidden);
        CHECK(court.appoint("root", "owner", Role::none) == Errc{});
        court.room->people().apply_role("second", Role::owner, {});
        CHECK(court.appoint("owner", "owner", Role::none) == Errc{});
        CHECK(court.appoint("second", "owner", Role::banned) == Errc{});
    }
    SECTION("everybody who is no worse than a member to leave") {
        CHECK(court.appoint("member", "Member", Role::none) == Errc{});
        CHECK(court.appoint("mod", "mod", Role::none) == Errc{});
        court.set_access(RoomAccess::archived);
        CHECK(court.appoint("member", "member", Role::none) == Errc{});
        CHECK(court.appoint("mod", "muted", Role::none) == Errc::forbidden);
    }
    SECTION("but nobody to shed a mute or a ban by leaving") {
        CHECK(court.appoint("muted", "muted", Role::none) == Errc::forbidden);
        CHECK(court.appoint("banned", "banned", Role::none) == Errc::forbidden);
        CHECK(court.appoint("muted", "muted", Role::member) == Errc::forbidden);
        const WallTime end{std::chrono::seconds{10}};
        court.room->people().apply_role("muted", Role::muted, end);
        CHECK(court.appoint("muted", "muted", Role::none) == Errc::forbidden);
        CHECK(court.appoint("muted", "muted", Role::none, end) == Errc{});
    }
    SECTION("up to as many people as a room may know") {
        court.room->people().apply_role("seventh", Role::member, {});
        CHECK(court.appoint("mod", "eighth", Role::member) == Errc{});
        court.room->people().apply_role("eighth", Role::member, {});
        CHECK(court.appoint("mod", "ninth", Role::member) == Errc::room_full);
        CHECK(court.appoint("mod", "ninth", Role::none) == Errc{});
        CHECK(court.appoint("mod", "EIGHTH", Role::muted) == Errc{});
    }
}

TEST_CASE("nobody is more than a member of what two people share", "[server]") {
    Courtroom court;
    Room& pair =
        court.directory.add(Room{"@ada,@bob", *court.log.open("@ada,@bob", {100, 100'000}), 8});
    const auto judge = [&](std::string_view user, const Act& act) {
        return Authorizer{court.directory, court.log, court.limits, {}}.judge(pair, user, act);
    };
    for (const char* user : {"ada", "Bob"}) {
        CHECK(judge(user, {}) == Errc{});
        CHECK(judge(user, {.kind = Kind::topic}) == Errc::forbidden);
        CHECK(judge(user, {.kind = Kind::access}) == Errc::forbidden);
        // They cannot be rid of each other: what is told to one who left would be lost.
        CHECK(judge(user, {.kind = Kind::role, .subject = user}) == Errc::forbidden);
        CHECK(judge(user, {.kind = Kind::role, .subject = "carl", .value = 3}) == Errc::forbidden);
    }
    CHECK(judge("carl", {}) == Errc::forbidden);
    CHECK(judge("root", {}) == Errc::forbidden);
    CHECK(judge("root", {.kind = Kind::access}) == Errc::forbidden);
}

TEST_CASE("a judge does not decide about what it cannot read", "[server]") {
    struct Unreadable : MemoryLog {
        Unreadable() : MemoryLog(Entropy::seeded(1)) {}
        Result<std::vector<LoggedRecord>> read(const std::string&, Offset,
                                               std::size_t) const override {
            return Errc::storage_failed;
        }
    };
    const Unreadable log;
    const Limits limits;
    Directory directory{{}};
    const Room& room = directory.add(Room{"#a", {}, 8});
    const Authorizer judge{directory, log, limits, {}};
    CHECK(judge.judge(room, "ada", {.kind = Kind::edit, .target = 1}) == Errc::storage_failed);
    CHECK(judge.judge(room, "ada", {}) == Errc{});
}

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/base/hex.hpp"
#include "sim/courier.hpp"

using namespace quicchat;
using namespace quicchat::test;

TEST_CASE("a file comes to everybody in the room as it was sent", "[files]") {
    Town town;
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    const std::size_t size = GENERATE(0, 1, 32 * 1024, 32 * 1024 + 1, 300 * 1024);
    CAPTURE(size);
    const Buffer content = make_content(size, 7);

    const Offset offset = ada.must_send("#lobby", content, "holiday plan.pdf");
    bob.run();

    const RoomMessage told = bob.person.last<RoomMessage>();
    CHECK(told.offset == offset);
    CHECK(told.from == "ada");
    CHECK(told.text == "holiday plan.pdf");
    REQUIRE(told.file);
    CHECK(told.file->size == size);
    CHECK(told.file->digest == encode_hex(ReferenceCrypto::sha256(content)));

    const auto request = bob.fetch("#lobby", offset);
    CHECK(bob.outcome(request) == Errc{});
    const Courier::Fetched& file = bob.fetched[*request];
    CHECK(file.bytes == content);
    CHECK(file.begun->name == "holiday plan.pdf");
    CHECK(file.begun->size == size);
    CHECK(file.begun->offset == offset);
    CHECK(BytesView{file.begun->digest}.size() == 32);
    CHECK(town.server->transfers() == 0);
}

TEST_CASE("a file goes on where it was when the connection breaks", "[files]") {
    Town town;
    Courier ada{town, town.add_in("ada", "#lobby")};
    ada.wanted_max = 10 * kib;
    const Buffer content = make_content(400 * kib, 3);

    const auto request = ada.send("#lobby", content);
    for (int cut = 0; cut < 5; ++cut) {
        for (int i = 0; i < 4; ++i) {
            town.run();
            ada.look();
        }
        town.cut();
        town.run_for(std::chrono::seconds{10});
    }
    CHECK(ada.outcome(request) == Errc{});
    std::uint64_t given = 0;
    for (const FileWanted& wanted : ada.person.all<FileWanted>()) {
        given = std::max(given, wanted.offset);
    }
    CHECK(given > 300 * kib);
    // It was asked for not much more often than once: what had arrived was not sent again.
    CHECK(ada.person.count<FileWanted>() < 80);

    Courier bob{town, town.add_in("bob", "#lobby", Position::last(1))};
    const auto fetch = bob.fetch("#lobby", 1);
    for (int cut = 0; cut < 3; ++cut) {
        bob.person.reading = false;
        town.run();
        bob.person.read();
        bob.look();
        town.cut();
        bob.person.reading = true;
        town.run_for(std::chrono::seconds{10});
    }
    CHECK(bob.outcome(fetch) == Errc{});
    CHECK(bob.fetched[*fetch].bytes == content);
    CHECK(bob.person.count<FileBegun>() == 1);
}

TEST_CASE("a file that was stored is stored once", "[files]") {
    Town town;
    Courier ada{town, town.add_in("ada", "#lobby")};
    const MessageId id{{std::byte{7}}};
    const Buffer content = make_content(50 * kib, 1);
    const Offset first = ada.must_send("#lobby", content, "a.txt", id);
    const std::size_t asked = ada.person.count<FileWanted>();

    SECTION("sent again it is acknowledged with its first place, and no byte is sent") {
        CHECK(ada.must_send("#lobby", content, "a.txt", id) == first);
        CHECK(ada.person.count<FileWanted>() == asked);
        CHECK(town.files.size() == 1);
    }
    SECTION("the same id for another file is a conflict") {
        CHECK(ada.outcome(ada.send("#lobby", make_content(10, 2), "a.txt", id)) == Errc::conflict);
        CHECK(ada.outcome(ada.send("#lobby", content, "b.txt", id)) == Errc::conflict);
        CHECK(ada.outcome(ada.fetch("#lobby", first)) == Errc{});
    }
    SECTION("after a restart it is there") {
        town.restart();
        CHECK(ada.must_send("#lobby", content, "a.txt", id) == first);
        const auto request = ada.fetch("#lobby", first);
        CHECK(ada.outcome(request) == Errc{});
        CHECK(ada.fetched[*request].bytes == content);
    }
}

TEST_CASE("a file goes with its record", "[files]") {
    Town town{with_limits({.room_log_records_max = 5})};
    Courier ada{town, town.add_in("ada", "#lobby")};
    const Offset offset = ada.must_send("#lobby", make_content(20 * kib, 1));
    REQUIRE(town.files.size() == 1);

    SECTION("when it is deleted") {
        const auto deletion = town.act(
            ada.person, "#lobby", {.kind = Act::Kind::deletion, .target = offset}, "wrong one");
        CHECK(deletion == Errc{});
        CHECK(town.files.size() == 0);
        CHECK(town.files.bytes() == 0);
        CHECK(ada.outcome(ada.fetch("#lobby", offset)) == Errc::no_such_file);
        Chatter& bob = town.add_in("bob", "#lobby", Position::last(9));
        const RoomMessage tombstone = bob.all<RoomMessage>().front();
        CHECK(tombstone.deleted);
        CHECK(tombstone.text.empty());
        CHECK_FALSE(tombstone.file);
    }
    SECTION("when the log does not keep it any more") {
        for (int i = 0; i < 5; ++i) CHECK(town.say(ada.person, "#lobby", "next") == Errc{});
        CHECK(town.files.size() == 0);
        CHECK(ada.outcome(ada.fetch("#lobby", offset)) == Errc::no_such_file);
    }
    SECTION("but not by an edit, which there is none of") {
        CHECK(town.act(ada.person, "#lobby", {.kind = Act::Kind::edit, .target = offset}, "new") ==
              Errc::no_such_message);
        CHECK(town.act(ada.person, "#lobby", {.kind = Act::Kind::reaction, .target = offset},
                       "+1") == Errc{});
        CHECK(town.files.size() == 1);
    }
    SECTION("and files that nobody knows of go at the start") {
        town.files.begin(900, "left over", 3);
        town.files.write(900, "left over", 0, Bytes::copy_of(as_bytes("abc")));
        town.files.finish(900, "left over", 3, ReferenceCrypto::sha256(as_bytes("abc")));
        REQUIRE(town.files.size() == 2);
        town.restart();
        CHECK(town.files.size() == 1);
        CHECK(ada.outcome(ada.fetch("#lobby", offset)) == Errc{});
    }
}

TEST_CASE("a file that has gone with its record is not acknowledged again", "[files]") {
    Town town{with_limits({.room_log_records_max = 5})};
    Courier ada{town, town.add_in("ada", "#lobby")};
    const Buffer content = make_content(20 * kib, 1);
    const MessageId id{{std::byte{7}}};
    const Offset offset = ada.must_send("#lobby", content, "plan.pdf", id);

    SECTION("after the log has dropped it") {
        for (int i = 0; i < 5; ++i) CHECK(town.say(ada.person, "#lobby", "next") == Errc{});
    }
    SECTION("after it was deleted") {
        CHECK(town.act(ada.person, "#lobby", {.kind = Act::Kind::deletion, .target = offset}, "") ==
              Errc{});
    }
    REQUIRE(town.files.size() == 0);
    const std::size_t asked = ada.person.count<FileWanted>();
    CHECK(ada.outcome(ada.send("#lobby", content, "plan.pdf", id)) == Errc::no_such_file);
    CHECK(ada.person.count<FileWanted>() == asked);
    CHECK(town.files.size() == 0);
    CHECK(town.server->transfers() == 0);
    // Under another id it is another file.
    CHECK(ada.must_send("#lobby", content, "plan.pdf") > offset);
}

TEST_CASE("what was begun before a restart takes space", "[files]") {
    Town town{with_limits({.files_bytes_max = 400 * kib, .upload_ahead_bytes = 1})};
    Courier ada{town, town.add_in("ada", "#lobby")};
    Courier bob{town, town.add_in("bob", "#lobby")};
    ada.wanted_max = 10 * kib;
    const Buffer content = make_content(300 * kib, 1);
    const MessageId id{{std::byte{7}}};
    const auto request = ada.send("#lobby", content, "plan.pdf", id);
    while (town.files.bytes() < 200 * kib) {
        town.run();
        REQUIRE(ada.look());
    }
    ada.person.client.cancel_file(*request);
    town.run();
    town.restart();
    CHECK(bob.outcome(bob.send("#lobby", make_content(250 * kib, 2))) == Errc::quota_exceeded);

    // It is counted once, also when its sender goes on with it.
    (void)bob.must_send("#lobby", make_content(90 * kib, 2));
    ada.wanted_max = SIZE_MAX;
    (void)ada.must_send("#lobby", content, "plan.pdf", id);
    CHECK(bob.outcome(bob.send("#lobby", make_content(20 * kib, 3))) == Errc::quota_exceeded);
    (void)bob.must_send("#lobby", make_content(9 * kib, 4));
}

TEST_CASE("files are for those who may read, and from those who may write", "[files]") {
    Town town;
    Courier ada{town, town.add("ada")};
    Courier eve{town, town.add("eve")};
    REQUIRE(town.outcome(ada.person,
                         ada.person.client.create_room("#den", RoomAccess::invitation)) == Errc{});
    REQUIRE(town.join(ada.person, "#den") == Errc{});
    const Offset offset = ada.must_send("#den", make_content(200 * kib, 1));

    SECTION("others cannot tell that there is a room") {
        CHECK(eve.outcome(eve.fetch("#den", offset)) == Errc::no_such_room);
        CHECK(eve.outcome(eve.fetch("#none", offset)) == Errc::no_such_room);
        CHECK(eve.outcome(eve.send("#den", make_content(5, 1))) == Errc::no_such_room);
        CHECK(eve.outcome(eve.send("#none", make_content(5, 1))) == Errc::no_such_room);
    }
    SECTION("the muted fetch, and send nothing") {
        REQUIRE(town.appoint(ada.person, "#den", "eve", Role::muted) == Errc{});
        CHECK(eve.outcome(eve.fetch("#den", offset)) == Errc{});
        CHECK(eve.outcome(eve.send("#den", make_content(5, 1))) == Errc::forbidden);
    }
    SECTION("a role that changes meanwhile counts") {
        REQUIRE(town.appoint(ada.person, "#den", "eve", Role::member) == Errc{});
        eve.gives = false;
        const auto sending = eve.send("#den", make_content(100 * kib, 2));
        eve.run();
        REQUIRE(town.appoint(ada.person, "#den", "eve", Role::muted) == Errc{});
        eve.gives = true;
        const FileWanted wanted = eve.person.last<FileWanted>();
        const Buffer content = make_content(100 * kib, 2);
        CHECK(eve.person.client.give_file(*sending, wanted.offset, content) == Errc{});
        CHECK(eve.outcome(sending) == Errc::forbidden);
    }
    SECTION("who is removed does not get the rest") {
        REQUIRE(town.appoint(ada.person, "#den", "eve", Role::member) == Errc{});
        const Offset large = ada.must_send("#den", make_content(3000 * kib, 2));
        eve.person.reading = false;
        const auto fetching = eve.fetch("#den", large);
        town.run();
        REQUIRE(town.appoint(ada.person, "#den", "eve", Role::banned) == Errc{});
        eve.person.reading = true;
        CHECK(eve.outcome(fetching) == Errc::no_such_room);
        CHECK(eve.fetched[*fetching].bytes.size() < 2000 * kib);
    }
    SECTION("two people have theirs for themselves, and who is away is told") {
        Courier bob{town, town.add("bob")};
        const Offset told = ada.must_send("@bob", make_content(9, 9), "for you.txt");
        bob.run();
        const PrivateMessage message = bob.person.last<PrivateMessage>();
        CHECK(message.text == "for you.txt");
        REQUIRE(message.file);
        CHECK(message.file->size == 9);
        const auto fetching = bob.fetch("@ada", told);
        CHECK(bob.outcome(fetching) == Errc{});
        CHECK(bob.fetched[*fetching].bytes == make_content(9, 9));
        CHECK(eve.outcome(eve.fetch("@ada", told)) != Errc{});
    }
}

TEST_CASE("a scene ends when the server has done all that it put off", "[files]") {
    // Many pieces come at once, each is work for a turn, and nothing is said in between.
    const Limits limits{.turn_work_max = 1, .file_chunk_bytes_max = 16};
    Town town{with_limits(limits)};
    Courier ada{town, town.add("ada", limits)};
    (void)ada.must_send("#lobby", make_content(kib, 1));
    const auto deadline = town.server->next_deadline();
    CHECK((!deadline || *deadline > town.network.now()));
}

#include "quicchat/server/deliver/event_frames.hpp"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

// What goes out is what the log says at that moment, however long it was waited for.

namespace {

using Texts = std::vector<std::string>;
using Kind = Act::Kind;

/// Ada has said "secret 1" and so on; Bob has not read them, and stands still.
struct Secrets : HubFixture {
    explicit Secrets(Limits l = {}, int count = 5)
        : HubFixture(l), ada(&join(1, "ada")), bob(&join(2, "bob")) {
        take(1);
        take(2);
        hub.fan_out().stall(*bob);
        say(1, count);
    }
    void say(int first, int last) {
        for (int i = first; i <= last; ++i) {
            publish(*ada, "secret " + std::to_string(i));
            REQUIRE(hub.settle() == Errc{});
        }
    }
    void erase(Offset target) {
        REQUIRE(acted(*ada, {.kind = Kind::deletion, .target = target}) == Errc{});
    }
    Texts next(std::size_t count) {
        Texts texts;
        while (texts.size() < count) {
            if (taken.empty()) {
                const auto joined = hub.next_frames(*bob);
                REQUIRE(joined);
                for (const Bytes& frame : split_frames(*joined)) taken.push_back(frame);
            }
            texts.push_back(std::get<wire::Event>(read(*pop_front(taken))).text);
        }
        return texts;
    }
    Queue<Bytes> taken;  ///< By Bob's stream.
    Member* ada;
    Member* bob;
};

}  // namespace

TEST_CASE("what was deleted while a member did not read is not handed out", "[server]") {
    // Of the recent frames, and of those that are read from the log again.
    for (const std::size_t recent : {0u, 2u, 256u}) {
        for (const std::size_t at_once : {1u, 4u}) {
            CAPTURE(recent, at_once);
            Secrets chat{{.room_recent_frames_max = recent, .catch_up_records_max = at_once}, 1};
            CHECK(chat.next(1) == Texts{"secret 1"});
            chat.say(2, 5);
            chat.take(1);  // Ada's stream has them as they were
            for (const Offset target : {2u, 4u}) chat.erase(target);
            CHECK(chat.next(4) == Texts{"", "secret 3", "", "secret 5"});
        }
    }
}

TEST_CASE("an edit replaces the frame of its message, and a deletion those of its edits",
          "[server]") {
    for (const std::size_t recent : {0u, 256u}) {
        CAPTURE(recent);
        Secrets chat{{.room_recent_frames_max = recent}};
        REQUIRE(chat.acted(*chat.ada, {.kind = Kind::edit, .target = 2}, "two") == Errc{});
        CHECK(chat.next(2) == Texts{"secret 1", "two"});
        CHECK(chat.next(4) == Texts{"secret 3", "secret 4", "secret 5", "two"});
        REQUIRE(chat.acted(*chat.ada, {.kind = Kind::edit, .target = 3}, "three") == Errc{});
        chat.erase(3);
        CHECK(chat.next(2) == Texts{"", ""});
    }
}

TEST_CASE("an edit leaves the other recent frames where they are", "[server]") {
    Room room{"#a", {Epoch{1}, 1, 0}, 256};
    MemoryLog log{Entropy::seeded(1)};
    (void)log.open("#a", {100, 100'000});
    const Limits limits;
    TurnWork work{limits};
    EventFrames frames{log, limits, work};
    const auto put = [&](Act act, std::string text) {
        const Record record{HubFixture::id(static_cast<unsigned>(room.head()) + 1),
                            {},
                            "ada",
                            std::move(text),
                            "{}",
                            {},
                            std::move(act)};
        log.append(1, "#a", record, {});
        const auto done = log.poll_news();
        REQUIRE(done->error == Errc{});
        room.push({done->offset, record});
        frames.handle_commit(room, {done->offset, record});
    };
    for (int i = 1; i <= 4; ++i) put({}, "text");
    std::vector<const std::byte*> before;
    for (Offset offset = 1; offset <= 4; ++offset) before.push_back(room.recent(offset)->data());
    put({.kind = Kind::edit, .target = 2}, "other");
    for (const Offset offset : {1u, 3u, 4u}) {
        CHECK(room.recent(offset)->data() == before[offset - 1]);
    }
    CHECK(std::get<wire::Event>(HubFixture::read(*room.recent(2))).text == "other");
}

TEST_CASE("a page and a search hand out what is there when their streams take it", "[server]") {
    Secrets chat{{.room_recent_frames_max = 0}};
    const StreamId stream{400};
    Texts texts;
    const auto write = [&](ConnectionId, StreamId, const Bytes& frame) {
        const Message message = HubFixture::read(frame);
        if (const auto* event = std::get_if<wire::Event>(&message)) texts.push_back(event->text);
        return false;  // full after each
    };
    const auto finish = [](ConnectionId, StreamId) {};

    SECTION("of a page") {
        REQUIRE(chat.hub.open_page(chat.caller(2), stream,
                                   wire::HistoryRequest{1, "#lobby", 6, 5, 0}) == Errc{});
        chat.hub.pages().send({}, write, finish);
        chat.erase(2);
        for (int i = 0; i < 6; ++i) {
            chat.hub.pages().handle_writable(ConnectionId{2}, stream);
            chat.hub.pages().send({}, write, finish);
        }
        CHECK(texts == Texts{"secret 1", "", "secret 3", "secret 4", "secret 5"});
    }
    SECTION("of a search") {
        REQUIRE(chat.hub.open_page(chat.caller(2), stream,
                                   wire::SearchRequest{1, "#lobby", "secret", 6, 5}) == Errc{});
        chat.hub.pages().look();
        chat.hub.pages().send({}, write, finish);
        chat.erase(4);
        for (int i = 0; i < 6; ++i) {
            chat.hub.pages().look();
            chat.hub.pages().handle_writable(ConnectionId{2}, stream);
            chat.hub.pages().send({}, write, finish);
        }
        CHECK(texts == Texts{"secret 5", "secret 3", "secret 2", "secret 1"});
    }
}

TEST_CASE("a page ends when its reader may not read the room any more", "[server]") {
    Secrets chat;
    const StreamId stream{400};
    REQUIRE(chat.create(1, "#secret", RoomAccess::everybody) == Errc{});
    Member& owner = chat.join(3, "ada", {}, "#secret");
    chat.fill(owner, 5);
    REQUIRE(chat.hub.open_page(chat.caller(2), stream,
                               wire::HistoryRequest{7, "#secret", 6, 5, 0}) == Errc{});
    std::vector<Message> got;
    bool finished = false;
    const auto send = [&] {
        chat.hub.pages().send(
            {},
            [&](ConnectionId, StreamId, const Bytes& frame) {
                got.push_back(HubFixture::read(frame));
                return false;
            },
            [&](ConnectionId, StreamId) { finished = true; });
    };
    send();
    REQUIRE(std::holds_alternative<wire::Event>(got.back()));
    REQUIRE(chat.acted(owner, HubFixture::role("bob", Role::banned)) == Errc{});
    chat.hub.pages().handle_writable(ConnectionId{2}, stream);
    send();
    CHECK(got.size() == 2);
    CHECK(std::get<wire::Error>(got.back()).request == 7);
    CHECK(finished);
}

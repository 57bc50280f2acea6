#include "quicchat/server/deliver/search.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

constexpr StreamId search_stream{400};

/// #lobby, where ada talks, and somebody who searches.
struct Detective : HubFixture {
    explicit Detective(Limits l = {}, std::shared_ptr<MemoryLog> before = {})
        : HubFixture({.limits = l}, std::move(before)), ada(&join(1, "ada")) {
        accounts.names = {"bob", "carl"};
    }
    void say(std::string text) {
        publish(*ada, std::move(text));
        REQUIRE(hub.settle() == Errc{});
    }
    Errc open(std::string words, Offset before = varint_max, std::uint64_t count = 100,
              std::string room = "#lobby", StreamId stream = search_stream) {
        return hub.open_page(caller(1), stream,
                             {5, std::move(room), std::move(words), before, count});
    }
    /// Takes in what has come of searches: "7 3", and "/2" at the end for `next`. True if a search
    /// has ended. The streams are full after `frames_max` frames.
    bool collect(std::string& text, std::size_t frames_max = 1000) {
        bool finished = false;
        hub.pages().send(
            {},
            [&](ConnectionId, StreamId, const Bytes& frame) {
                const Message message = read(frame);
                if (const auto* event = std::get_if<wire::Event>(&message)) {
                    text += std::to_string(event->offset) + " ";
                } else {
                    const auto& end = std::get<wire::SearchEnd>(message);
                    CHECK(end.request == 5);
                    text += "/" + std::to_string(end.next);
                }
                return --frames_max > 0;
            },
            [&](ConnectionId, StreamId) { finished = true; });
        return finished;
    }
    /// All that comes of the one search that there is.
    std::string result() {
        std::string text;
        turns = 0;
        for (bool finished = false; !finished; finished = collect(text)) {
            REQUIRE(++turns < 1000);
            begin_turn();
            hub.handle_timeout({});
            REQUIRE(hub.settle() == Errc{});
        }
        CHECK_FALSE(hub.pages().is_searching());
        return text;
    }
    std::string search(std::string words, Offset before = varint_max, std::uint64_t count = 100) {
        REQUIRE(open(std::move(words), before, count) == Errc{});
        return result();
    }

    Member* ada;
    std::size_t turns = 0;
};

}  // namespace

TEST_CASE("a search finds the newest messages that have all words", "[server]") {
    Detective chat;
    for (const char* text : {"Green tea", "coffee", "tea, very GREEN", "tea", "greenteapot"}) {
        chat.say(text);
    }
    CHECK(chat.search("green tea") == "5 3 1 /0");
    CHECK(chat.search("TEA") == "5 4 3 1 /0");
    CHECK(chat.search("tea", 4) == "3 1 /0");
    CHECK(chat.search("tea", varint_max, 2) == "5 4 /4");
    CHECK(chat.search("tea", 4, 2) == "3 1 /0");
    CHECK(chat.search("milk") == "/0");
    CHECK(chat.search("tea", 0) == "/0");
    CHECK(chat.search("tea", 1) == "/0");
    CHECK(chat.search("tea", varint_max, varint_max) == "5 4 3 1 /0");
    REQUIRE(chat.open("tea", varint_max, 9, "#quiet") == Errc{});
    CHECK(chat.result() == "/0");
}

TEST_CASE("a search finds what is said, as it is now", "[server]") {
    Detective chat;
    using enum Act::Kind;
    chat.say("one word");
    chat.say("two word");
    chat.say("three word");
    REQUIRE(chat.acted(*chat.ada, {.kind = reaction, .target = 2}, "word") == Errc{});
    REQUIRE(chat.acted(*chat.ada, {.kind = reaction, .target = 1}, "word") == Errc{});
    REQUIRE(chat.acted(*chat.ada, {.kind = edit, .target = 1}, "other") == Errc{});
    REQUIRE(chat.acted(*chat.ada, {.kind = edit, .target = 2}, "a better word") == Errc{});
    REQUIRE(chat.acted(*chat.ada, {.kind = deletion, .target = 3}, "word") == Errc{});
    CHECK(chat.search("word") == "2 /0");
    CHECK(chat.search("better") == "2 /0");
    CHECK(chat.search("two") == "/0");
    CHECK(chat.search("other") == "1 /0");
    CHECK(chat.search("three") == "/0");

    // A file, by its name. It is in the log of the next server.
    Record named{chat.id(77), {}, "bob", "Word list.txt", "{}", {}, {.kind = file}};
    chat.log->append(1'000'000, "#lobby", named);
    REQUIRE(chat.log->poll_news()->offset == 9);
    Detective next{{}, chat.log};
    CHECK(next.search("word") == "9 2 /0");
}

TEST_CASE("a search goes on where it stopped, until the end", "[server]") {
    Detective chat{{.search_records_max = 10}};
    for (int i = 1; i <= 35; ++i) chat.say(i % 9 == 0 ? "word" : "text");
    CHECK(chat.search("word") == "27 /26");
    CHECK(chat.search("word", 26) == "18 /16");
    CHECK(chat.search("word", 16) == "9 /6");
    CHECK(chat.search("word", 6) == "/0");
    CHECK(chat.search("none") == "/26");
    CHECK(chat.search("word", 11) == "9 /0");
}

TEST_CASE("a search does no more in one turn than it may", "[server]") {
    SECTION("by the number of records") {
        Detective chat;
        for (int i = 1; i <= 500; ++i) chat.say("text");
        CHECK(chat.search("none") == "/0");
        CHECK(chat.turns == 8);
    }
    SECTION("by their size") {
        Detective chat;
        for (int i = 1; i <= 64; ++i) chat.say(std::string(32'000, 'x'));
        CHECK(chat.search("x xx xxx xxxx y") == "/0");
        CHECK(chat.turns > 8);
    }
    SECTION("by what it finds") {
        Detective chat{{.catch_up_records_max = 4}};
        for (int i = 1; i <= 8; ++i) chat.say("text");
        CHECK(chat.search("text") == "8 7 6 5 4 3 2 1 /0");
        CHECK(chat.turns == 2);
    }
    SECTION("however many search at once, each in its turn") {
        Detective chat{{.pages_per_connection_max = 100}};
        for (int i = 1; i <= 70; ++i) chat.say(std::string(1000, 'x'));
        for (unsigned i = 0; i < 100; ++i) {
            REQUIRE(chat.open("none", varint_max, 1, "#lobby", StreamId{400 + 4 * i}) == Errc{});
        }
        std::string text;
        std::size_t turns = 0;
        std::size_t ended_early = 0;
        while (chat.hub.pages().is_searching()) {
            REQUIRE(++turns < 1000);
            chat.begin_turn();
            chat.hub.handle_timeout({});
            (void)chat.collect(text);
            if (turns == 11) ended_early = text.size();
        }
        // 64 records cost about 130 000, so 9 slices are a turn.
        CHECK(turns >= 13);
        CHECK(turns <= 16);
        CHECK(ended_early == 0);
        CHECK(text.size() == 200);
    }
}

TEST_CASE("a slow reader of a search is waited for", "[server]") {
    Detective chat{{.catch_up_records_max = 2}};
    for (int i = 1; i <= 6; ++i) chat.say("text");
    REQUIRE(chat.open("text") == Errc{});
    std::string text;
    for (int i = 0; i < 3; ++i) {
        chat.hub.handle_timeout({});
        CHECK_FALSE(chat.collect(text, 1));
    }
    CHECK(text == "6 ");
    CHECK_FALSE(chat.hub.pages().is_searching());
    for (int i = 0; i < 8; ++i) {
        chat.hub.pages().handle_writable(ConnectionId{1}, search_stream);
        (void)chat.collect(text, 1);
        chat.hub.handle_timeout({});
    }
    (void)chat.collect(text);
    chat.hub.pages().handle_writable(ConnectionId{1}, search_stream);
    (void)chat.collect(text);
    CHECK(text == "6 5 4 3 2 1 /0");
}

TEST_CASE("a search that may not be is refused", "[server]") {
    Detective chat{{.pages_per_connection_max = 2}};
    chat.say("text");
    CHECK(chat.open("") == Errc::invalid_request);
    CHECK(chat.open("  ") == Errc::invalid_request);
    CHECK(chat.open("text", varint_max, 0) == Errc::invalid_request);
    CHECK(chat.open("a\x1b") == Errc::invalid_text);
    CHECK(chat.open(std::string(257, 'x')) == Errc::message_too_long);
    CHECK(chat.open("text", 1, 1, "lobby") == Errc::invalid_name);
    CHECK(chat.open("text", 1, 1, "#nothing") == Errc::no_such_room);
    CHECK(chat.open("text", 1, 1, "@bob") == Errc::no_such_room);
    chat.log_in(2, "bob");
    REQUIRE(chat.create(2, "#secret", RoomAccess::invitation) == Errc{});
    CHECK(chat.open("text", 1, 1, "#secret") == Errc::no_such_room);
    CHECK(chat.open("text") == Errc{});
    CHECK(chat.hub.open_page(chat.caller(1), StreamId{404}, {6, "#lobby", 1, 1, 0}) == Errc{});
    CHECK(chat.open("text", 1, 1, "#lobby", StreamId{408}) == Errc::queue_full);
    chat.hub.pages().close(ConnectionId{1}, search_stream);
    CHECK(chat.open("text", 1, 1, "#lobby", StreamId{408}) == Errc{});
    chat.disconnect(1);
    CHECK_FALSE(chat.hub.pages().is_searching());
    std::string text;
    CHECK_FALSE(chat.collect(text));
    CHECK(text.empty());
}

TEST_CASE("a search in a pair's room that goes meanwhile ends", "[server]") {
    Detective chat{{.private_rooms_max = 1}};
    for (unsigned i = 0; i < 200; ++i) {
        REQUIRE(chat.tell(1, "bob", 7 + i, i < 199 ? "none" : "word") == Errc{});
    }
    REQUIRE(chat.hub.settle() == Errc{});
    const auto replace_room = [&](const char* other) {
        REQUIRE(chat.tell(1, other, 1000) == Errc{});
        REQUIRE(chat.hub.settle() == Errc{});
    };
    std::string text;
    REQUIRE(chat.open("word", varint_max, 9, "@bob") == Errc{});
    SECTION("before it has begun") {
        replace_room("carl");
        CHECK(chat.result() == "/0");
    }
    SECTION("in the middle") {
        chat.hub.handle_timeout({});
        CHECK_FALSE(chat.collect(text));
        chat.hub.handle_timeout({});
        CHECK_FALSE(chat.collect(text));
        CHECK(text == "200 ");
        replace_room("carl");
        replace_room("bob");  // its name is another room's now
        CHECK(chat.result() == "/0");
    }
    SECTION("with something to hand over") {
        chat.hub.handle_timeout({});
        replace_room("carl");
        CHECK(chat.collect(text));
        CHECK(text == "/0");
    }
}

TEST_CASE("a search goes on while the oldest records are dropped", "[server]") {
    Detective chat{{.room_log_records_max = 100}};
    for (int i = 1; i <= 100; ++i) chat.say("word");
    REQUIRE(chat.open("none") == Errc{});
    chat.hub.handle_timeout({});
    for (int i = 1; i <= 80; ++i) chat.say("word");
    std::string text;
    CHECK_FALSE(chat.collect(text));
    CHECK(chat.result() == "/0");
}

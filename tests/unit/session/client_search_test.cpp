#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/client_pages.hpp"
#include "unit/session/client_session_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

constexpr StreamId page{40};

/// A client that has searched below 20, for at most three.
struct Searching : ClientFixture {
    Searching() {
        go_online();
        const auto asked = session.request_search("#lobby", "green tea", 20, 3);
        REQUIRE(asked);
        request = *asked;
        REQUIRE(session.wants_page());
        session.request_page_on(page);
    }
    Errc found(Offset offset) {
        return receive(page, wire::Event{offset, {}, {}, "bob", "Green tea", "{}", {}, 0});
    }
    Errc ended(Offset next, RequestId number) {
        return receive(page, wire::SearchEnd{number, Epoch{7}, next});
    }
    Errc ended(Offset next) { return ended(next, request); }

    RequestId request = 0;
};

}  // namespace

TEST_CASE("a client searches on a stream of its own", "[session]") {
    Searching client;
    CHECK_FALSE(client.session.wants_page());
    const auto sent = client.sent_messages();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].first == page);
    CHECK(std::get<wire::SearchRequest>(sent[0].second) ==
          wire::SearchRequest{client.request, "#lobby", "green tea", 20, 3});

    SECTION("and gets what was found, the newest first") {
        for (const Offset offset : {19u, 7u, 1u}) CHECK(client.found(offset) == Errc{});
        CHECK(client.ended(0) == Errc{});
        const auto result = client.event<SearchPage>();
        CHECK(result.request == client.request);
        CHECK(result.room == "#lobby");
        CHECK(result.epoch == Epoch{7});
        CHECK(result.next == 0);
        REQUIRE(result.records.size() == 3);
        CHECK(std::get<RoomMessage>(result.records[0]).offset == 19);
        CHECK(std::get<RoomMessage>(result.records[2]).text == "Green tea");
        CHECK(client.session.handle_stream_end(page, true) == Errc{});
        CHECK(client.session.unanswered_requests() == 0);
        CHECK(client.events().empty());
    }
    SECTION("and may find nothing, and where to go on") {
        CHECK(client.ended(19) == Errc{});
        const auto result = client.event<SearchPage>();
        CHECK(result.records.empty());
        CHECK(result.next == 19);
    }
    SECTION("which may be refused") {
        CHECK(client.receive(page, wire::Error{client.request, 67, 4, 0, "none"}) == Errc{});
        CHECK(client.event<Refused>().errc == Errc::no_such_room);
        CHECK(client.session.handle_stream_end(page, true) == Errc{});
    }
    SECTION("also while it is in that room, and out of it again") {
        REQUIRE(client.join("#lobby"));
        REQUIRE(client.session.leave("#lobby") == Errc{});
        CHECK(client.session.handle_stream_end(room_stream, true) == Errc{});
        (void)client.events();
        CHECK(client.ended(0) == Errc{});
        CHECK(client.event<SearchPage>().request == client.request);
    }
    SECTION("and has no answer if the connection is lost before") {
        CHECK(client.found(3) == Errc{});
        client.session.handle_disconnected();
        CHECK(client.event<Refused>().errc == Errc::not_ready);
        CHECK_FALSE(client.session.wants_page());
        CHECK(client.session.unanswered_requests() == 0);
    }
}

TEST_CASE("a client believes no server about a search that", "[session]") {
    Searching client;
    SECTION("finds what is not below where it was to begin") {
        CHECK(client.found(20) == Errc::unexpected_frame);
    }
    SECTION("finds something above all places") {
        CHECK(client.found(0) == Errc::unexpected_frame);
    }
    SECTION("does not go down") {
        CHECK(client.found(10) == Errc{});
        SECTION("but stays") { CHECK(client.found(10) == Errc::unexpected_frame); }
        SECTION("but goes up") { CHECK(client.found(11) == Errc::unexpected_frame); }
    }
    SECTION("finds more than was asked for") {
        for (const Offset offset : {9u, 8u, 7u}) CHECK(client.found(offset) == Errc{});
        CHECK(client.found(6) == Errc::unexpected_frame);
    }
    SECTION("would go on where it has been") {
        SECTION("at the beginning") { CHECK(client.ended(20) == Errc::unexpected_frame); }
        SECTION("above what it found") {
            CHECK(client.found(10) == Errc{});
            CHECK(client.ended(11) == Errc::unexpected_frame);
        }
    }
    SECTION("answers another one") {
        CHECK(client.ended(0, client.request + 1) == Errc::unexpected_frame);
    }
    SECTION("answers as if it were a page of history") {
        CHECK(client.receive(page, wire::HistoryEnd{client.request, epoch, true, true}) ==
              Errc::unexpected_frame);
    }
    SECTION("ends without an answer") {
        CHECK(client.session.handle_stream_end(page, true) == Errc::unexpected_frame);
    }
    SECTION("finds a text that could not be shown") {
        CHECK(client.receive(page, wire::Event{3, {}, {}, "bob", "\x1b[2J", "{}", {}, 0}) ==
              Errc::malformed_frame);
    }
}

TEST_CASE("a page of history is not ended by a search's end", "[session]") {
    ClientFixture client;
    client.go_online();
    const auto request = client.session.request_history("#lobby", 20, 3, 0);
    client.session.request_page_on(page);
    CHECK(client.receive(page, wire::SearchEnd{*request, epoch, 0}) == Errc::unexpected_frame);
}

TEST_CASE("what a client cannot search for is not asked", "[session]") {
    ClientFixture client;
    const auto refused = [&](std::string room, std::string words, Offset before,
                             std::size_t count) {
        const auto request = client.session.request_search(room, words, before, count);
        return request ? Errc{} : to_errc(request.error());
    };
    CHECK(refused("#lobby", "tea", 1, 1) == Errc::not_ready);
    client.go_online();
    CHECK(refused("lobby", "tea", 1, 1) == Errc::invalid_name);
    CHECK(refused("#lobby", "", 1, 1) == Errc::invalid_request);
    CHECK(refused("#lobby", "   ", 1, 1) == Errc::invalid_request);
    CHECK(refused("#lobby", "a\nb\x07", 1, 1) == Errc::invalid_text);
    CHECK(refused("#lobby", std::string(257, 'x'), 1, 1) == Errc::message_too_long);
    CHECK(refused("#lobby", "tea", 1, 0) == Errc::invalid_request);
    CHECK(refused("#lobby", "tea", 1, 101) == Errc::invalid_request);
    CHECK(refused("#lobby", "tea", ~Offset{0}, 100) == Errc{});
    CHECK(refused("@bob", "tea", 0, 1) == Errc{});
    client.session.request_page_on(page);
    CHECK(client.sent_of<wire::SearchRequest>().at(0).before == varint_max);
}

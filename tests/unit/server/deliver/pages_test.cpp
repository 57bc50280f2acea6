#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

constexpr StreamId page_stream{400};

/// #lobby with ten records, and a reader of pages.
struct Library : HubFixture {
    explicit Library(Limits l = {}) : HubFixture(l) {
        fill(join(1, "ada"), 10);
        accounts.names = {"bob", "carl"};
    }
    Errc open(std::string room, Offset offset, std::uint64_t before, std::uint64_t after,
              StreamId stream = page_stream) {
        return hub.open_page(caller(1), stream, {5, std::move(room), offset, before, after});
    }
    /// All that comes: "3 4 5 start head".
    std::string page() {
        std::string text;
        bool finished = false;
        hub.pages().send(
            {},
            [&](ConnectionId connection, StreamId, const Bytes& frame) {
                CHECK(connection == ConnectionId{1});
                const Message message = read(frame);
                if (const auto* event = std::get_if<wire::Event>(&message)) {
                    text += (text.empty() ? "" : " ") + std::to_string(event->offset);
                } else {
                    const auto& end = std::get<wire::HistoryEnd>(message);
                    CHECK(end.request == 5);
                    if (end.reaches_start) text += " start";
                    if (end.reaches_head) text += " head";
                }
                return true;
            },
            [&](ConnectionId, StreamId) { finished = true; });
        CHECK(finished);
        return text;
    }
};

}  // namespace

TEST_CASE("a page has the records around an offset", "[server]") {
    Library chat{{.catch_up_records_max = 2, .page_records_max = 6}};
    const auto page = [&](Offset offset, std::uint64_t before, std::uint64_t after) {
        REQUIRE(chat.open("#LOBBY", offset, before, after) == Errc{});
        return chat.page();
    };
    CHECK(page(5, 2, 2) == "3 4 5 6");
    CHECK(page(5, 0, 1) == "5");
    CHECK(page(3, 9, 0) == "1 2 start");
    CHECK(page(9, 0, 9) == "9 10 head");
    CHECK(page(11, 3, 0) == "8 9 10 head");
    CHECK(page(varint_max, 3, 3) == "8 9 10 head");
    CHECK(page(0, 3, 3) == "1 2 3 start");
    CHECK(page(5, 99, 99) == "1 2 3 4 start");
    CHECK(page(8, 4, 99) == "4 5 6 7 8 9");
}

TEST_CASE("a page is of a room that the reader may see", "[server]") {
    Library chat{{.pages_per_connection_max = 2}};
    CHECK(chat.open("lobby", 1, 1, 1) == Errc::invalid_name);
    CHECK(chat.open("#nothing", 1, 1, 1) == Errc::no_such_room);
    chat.log_in(2, "bob");
    REQUIRE(chat.create(2, "#secret", RoomAccess::invitation) == Errc{});
    CHECK(chat.open("#secret", 1, 1, 1) == Errc::no_such_room);
    CHECK(chat.open("@bob", 1, 1, 1) == Errc::no_such_room);  // nothing was said yet
    REQUIRE(chat.tell(1, "bob", 7) == Errc{});
    REQUIRE(chat.hub.settle() == Errc{});
    CHECK(chat.open("@bob", 1, 1, 1) == Errc{});
    CHECK(chat.page() == "1 start head");
    CHECK(chat.open("#lobby", 1, 1, 1) == Errc{});
    CHECK(chat.open("#lobby", 1, 1, 1, StreamId{404}) == Errc{});
    CHECK(chat.open("#lobby", 1, 1, 1, StreamId{408}) == Errc::queue_full);
    chat.hub.pages().close(ConnectionId{1}, page_stream);
    CHECK(chat.open("#lobby", 1, 1, 1, StreamId{408}) == Errc{});
}

TEST_CASE("a page of a pair's room that goes meanwhile ends", "[server]") {
    Library chat{{.private_rooms_max = 1, .catch_up_records_max = 2}};
    for (unsigned i = 0; i < 5; ++i) REQUIRE(chat.tell(1, "bob", 7 + i) == Errc{});
    REQUIRE(chat.hub.settle() == Errc{});
    REQUIRE(chat.open("@bob", 6, 5, 0) == Errc{});
    std::size_t frames = 0;
    chat.hub.pages().send(
        {}, [&](ConnectionId, StreamId, const Bytes&) { return ++frames < 2; },
        [](ConnectionId, StreamId) {});
    CHECK(frames == 2);
    REQUIRE(chat.tell(1, "carl", 20) == Errc{});
    REQUIRE(chat.hub.settle() == Errc{});
    chat.hub.pages().handle_writable(ConnectionId{1}, page_stream);
    (void)chat.page();
}

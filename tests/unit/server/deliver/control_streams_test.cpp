#include "quicchat/server/deliver/control_streams.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

// What others do is not queued for anybody: it is a cursor, or the newest of what changed.

namespace {

/// Ada does what she may; Bob and Carl are in #lobby, and Bob reads one frame at a time.
struct Bystander : HubFixture {
    explicit Bystander(Limits l = {}) : HubFixture(l) {
        accounts.names = {"ada", "bob"};
        for (std::uint64_t i = 1; i <= 3; ++i) members.push_back(&join(i, names[i - 1]));
        fill(*members[0], 50);
        (void)control();
    }
    /// The next frame of Bob's control stream. It is full then.
    std::vector<Message> read_one() {
        std::vector<Message> got;
        hub.control().handle_writable(ConnectionId{2});
        hub.control().send(
            [&](ConnectionId connection, const Bytes& frame) {
                if (connection == ConnectionId{2}) got.push_back(HubFixture::read(frame));
                return connection != ConnectionId{2};
            },
            [](ConnectionId) {});
        return got;
    }
    const char* names[3] = {"ada", "bob", "carl"};
    std::vector<Member*> members;
};

}  // namespace

TEST_CASE("of shared markers somebody who does not read has the newest only", "[server]") {
    Bystander chat;
    chat.mark(1, "#lobby", 1, true);
    REQUIRE(chat.read_one().size() == 1);  // and now the stream is full
    for (Offset offset = 2; offset <= 40; ++offset) chat.mark(1, "#lobby", offset, true);
    for (Offset offset = 1; offset <= 9; ++offset) chat.mark(3, "#lobby", offset, true);
    std::vector<Offset> seen;
    for (auto got = chat.read_one(); !got.empty(); got = chat.read_one()) {
        REQUIRE(got.size() == 1);
        seen.push_back(std::get<wire::Marker>(got[0]).offset);
    }
    CHECK(seen == std::vector<Offset>{40, 9});
}

TEST_CASE("of display names somebody who does not read has the newest only", "[server]") {
    Bystander chat;
    for (const char* name : {"Ada 1", "Ada 2", "Ada 3"}) {
        REQUIRE(chat.hub.set_profile(chat.caller(1), {9, name}) == Errc{});
        REQUIRE(chat.hub.settle() == Errc{});
    }
    const auto got = chat.read_one();
    REQUIRE(got.size() == 1);
    CHECK(std::get<wire::Profile>(got[0]).display == "Ada 3");
    CHECK(chat.read_one().empty());
}

TEST_CASE("private messages wait in the log for who does not read", "[server]") {
    Bystander chat{{.private_log_bytes_max = 256 * 1024}};
    chat.mark(1, "#lobby", 1, true);
    REQUIRE(chat.read_one().size() == 1);
    for (unsigned i = 1; i <= 20; ++i) {
        REQUIRE(chat.tell(1, "bob", i, std::string(30'000, 'x')) == Errc{});
        REQUIRE(chat.hub.settle() == Errc{});
    }
    // Deleted before he reads it: its text is nowhere any more.
    Member& ada = chat.join(9, "ada", {}, "@bob");
    REQUIRE(chat.acted(ada, {.kind = Act::Kind::deletion, .target = 20}) == Errc{});
    std::vector<Offset> seen;
    for (auto got = chat.read_one(); !got.empty(); got = chat.read_one()) {
        REQUIRE(got.size() == 1);
        seen.push_back(std::get<wire::Told>(got[0]).offset);
    }
    REQUIRE(seen.size() == 7);  // what a pair's log keeps of 600 kB
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == 13 + i);
}

TEST_CASE("answers come before what others did, and hold up who does not read them", "[server]") {
    Bystander chat{{.replies_max = 3}};
    chat.mark(1, "#lobby", 7, true);
    for (std::uint64_t request = 1; request <= 3; ++request) {
        CHECK_FALSE(chat.hub.is_busy(ConnectionId{2}));
        chat.hub.list_rooms(chat.caller(2), {request, ""});
    }
    CHECK(chat.hub.is_busy(ConnectionId{2}));
    CHECK_FALSE(chat.hub.is_busy(ConnectionId{1}));
    for (std::uint64_t request = 1; request <= 3; ++request) {
        CHECK(std::get<wire::Rooms>(chat.read_one().at(0)).request == request);
    }
    CHECK_FALSE(chat.hub.is_busy(ConnectionId{2}));
    CHECK(std::get<wire::Marker>(chat.read_one().at(0)).offset == 7);
}

TEST_CASE("answers of many bytes hold up as well", "[server]") {
    Bystander chat{{.stream_backlog_bytes_max = 50}};
    for (std::uint64_t request = 1; request <= 3; ++request) {
        chat.hub.list_rooms(chat.caller(2), {request, ""});
    }
    CHECK(chat.hub.is_busy(ConnectionId{2}));
}

TEST_CASE("who came and went is told once, as it is when the stream takes it", "[server]") {
    Bystander chat;
    chat.take(2);
    chat.hub.fan_out().stall(*chat.members[1]);
    for (int i = 0; i < 5; ++i) {
        Member& eve = chat.join(7, "eve");
        chat.hub.leave(eve);
    }
    chat.join(8, "dora");
    chat.hub.fan_out().handle_writable(*chat.members[1]);
    const auto told = chat.take<wire::Presence>(2);
    REQUIRE(told.size() == 2);
    for (const wire::Presence& p : told) CHECK(p.present == (p.user == "dora"));
}

TEST_CASE("others' changes leave room for those of one's own account", "[server]") {
    Bystander chat;
    chat.mark(1, "#lobby", 1, true);
    REQUIRE(chat.read_one().size() == 1);  // and now the stream is full
    const Room& lobby = *chat.hub.room_store().directory().find("#lobby");
    for (int i = 0; i < 3000; ++i) {
        chat.hub.control().note_marker(ConnectionId{2}, lobby, "stranger" + std::to_string(i));
    }
    chat.log_in(7, "bob");
    chat.mark(7, "#lobby", 33);
    bool told = false;
    for (auto got = chat.read_one(); !got.empty(); got = chat.read_one()) {
        const auto* marker = std::get_if<wire::Marker>(&got[0]);
        told = told || (marker != nullptr && marker->user == "bob" && marker->offset == 33);
    }
    CHECK(told);
}

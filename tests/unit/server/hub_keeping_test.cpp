#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

// What a hub does so that nothing is lost: dedup by device, heartbeats, what a log has from before,
// and a disk that is full.

namespace {

DeviceId device(unsigned number) { return {{static_cast<std::byte>(number)}}; }

const KnownAccounts nobody;

/// The steps of the heartbeat: a slice of the members at each.
constexpr Duration beat = Limits{}.heartbeat / 16;

}  // namespace

TEST_CASE("a hub recognises what is sent again by author, device and id", "[server]") {
    HubFixture chat;
    Member& phone = chat.join(1, "ada", {}, "#lobby", device(1));
    Member& table = chat.join(2, "ada", {}, "#lobby", device(2));
    Member& bob = chat.join(3, "bob", {}, "#lobby", device(1));
    chat.publish(phone, "hello", 5);
    REQUIRE(chat.hub.settle() == Errc{});
    chat.take(1);

    SECTION("on another connection of the device") {
        Member& again = chat.join(4, "ada", {}, "#lobby", device(1));
        chat.take(4);
        chat.publish(again, "hello", 5);
        REQUIRE(chat.hub.settle() == Errc{});
        CHECK(chat.take<wire::Ack>(4).at(0).offset == 1);
        CHECK(chat.offsets(3) == std::vector<Offset>{1});
    }
    SECTION("not for another device, nor for another author") {
        chat.publish(table, "hello", 5);
        chat.publish(bob, "other", 5);
        REQUIRE(chat.hub.settle() == Errc{});
        CHECK(chat.take<wire::Ack>(2).at(0).offset == 2);
        CHECK(chat.take<wire::Ack>(3).at(0).offset == 3);
    }
    SECTION("for messages to one person as well") {
        const auto tell = [&](std::uint64_t connection, unsigned device_number) {
            REQUIRE(chat.hub.tell({ConnectionId{connection}, "ada", device(device_number)},
                                  {7, HubFixture::id(9), "bob", "psst", "{}"}) == Errc{});
            REQUIRE(chat.hub.settle() == Errc{});
            return chat.control<wire::Ack>(connection).at(0).offset;
        };
        CHECK(tell(1, 1) == 1);
        CHECK(tell(2, 1) == 1);
        CHECK(tell(2, 2) == 2);
    }
}

TEST_CASE("a hub says the newest offset of a quiet room", "[server]") {
    HubFixture chat;
    TimePoint now{1h};
    std::uint64_t next_connection = 1;
    Member& ada = chat.join(next_connection++, "ada");
    chat.fill(ada, 3);
    chat.take(1);
    const auto wait = [&](Duration duration) {
        for (const TimePoint end = now + duration; now < end; now += beat) {
            chat.hub.handle_timeout(now);
        }
    };
    wait(beat * 2);  // it was not quiet just before
    chat.take(1);

    SECTION("about once in its time") {
        wait(30s);
        CHECK(chat.take(1) == std::vector<Message>{wire::Heartbeat{3}});
        wait(5 * 30s);
        CHECK(chat.take<wire::Heartbeat>(1).size() == 1);  // the first was not taken yet
        for (int i = 0; i < 5; ++i) {
            wait(30s);
            CHECK(chat.take<wire::Heartbeat>(1).size() == 1);
        }
    }
    SECTION("also while it is empty") {
        chat.join(9, "bob", {}, "#quiet");
        chat.take(9);
        wait(30s);
        CHECK(chat.take(9) == std::vector<Message>{wire::Heartbeat{0}});
    }
    SECTION("to all members, a slice at a time") {
        std::set<std::uint64_t> waiting{1};
        while (next_connection <= 64) {
            waiting.insert(next_connection);
            chat.join(next_connection, "user" + std::to_string(next_connection));
            ++next_connection;
        }
        for (const std::uint64_t connection : waiting) chat.take(connection);
        for (int slice = 0; slice < 16; ++slice) {
            wait(beat);
            std::size_t beats = 0;
            for (std::uint64_t connection = 1; connection <= 64; ++connection) {
                if (chat.take<wire::Heartbeat>(connection).empty()) continue;
                CHECK(waiting.erase(connection) == 1);
                ++beats;
            }
            CHECK(beats == 4);
        }
        CHECK(waiting.empty());
    }
    SECTION("not in a room where something happens") {
        for (int i = 0; i < 40; ++i) {
            chat.fill(ada, 1);
            wait(beat);
        }
        CHECK(chat.take<wire::Heartbeat>(1).empty());
    }
    SECTION("not to members that do not have everything, or have answers to come") {
        Member& slow = chat.join(2, "slow");
        chat.take(1);
        chat.take(2);
        chat.hub.fan_out().stall(slow);
        chat.fill(ada, 1);
        chat.take(1);
        chat.hub.fan_out().reply(ada, encode_refusal(1, Errc::forbidden));
        wait(3 * 30s);
        CHECK(slow.replies.empty());
        CHECK(ada.replies.size() == 1);
        chat.hub.fan_out().handle_writable(slow);
        CHECK(chat.offsets(2) == std::vector<Offset>{4});
        wait(30s);
        CHECK(chat.take(2) == std::vector<Message>{wire::Heartbeat{4}});
    }
    SECTION("before what is published after it") {
        wait(30s);
        chat.fill(ada, 1);
        const auto messages = chat.take(1);
        REQUIRE(messages.size() == 3);
        CHECK(std::get<wire::Heartbeat>(messages[0]).head == 3);
        CHECK(std::get<wire::Event>(messages[2]).offset == 4);
    }
    SECTION("at the times that it asks for, while there is anybody") {
        chat.hub.handle_timeout(now);
        const std::optional<TimePoint> next = chat.hub.next_deadline();
        REQUIRE(next);
        CHECK(*next > now);
        CHECK(*next <= now + beat);
        chat.hub.leave(ada);
        CHECK_FALSE(chat.hub.next_deadline());
    }
}

TEST_CASE("a hub goes on where its log ended", "[server]") {
    const ServerConfig config;
    MemoryLog log{Entropy::seeded(1)};
    const Retention retention{100, 100'000};
    for (const char* room : {"#lobby", "#old", "@ada,@bob"}) {
        REQUIRE(log.open(room, retention));
        log.append(1, room, {HubFixture::id(1), {}, "ada", "hi", "{}", {}});
        (void)log.poll_news();
    }
    const Epoch epoch = log.head("#lobby").epoch;
    const Epoch pair = log.head("@ada,@bob").epoch;
    Hub hub{std::move(log), config, nobody};
    REQUIRE(hub.add_room("#Lobby") == Errc{});
    REQUIRE(hub.restore() == Errc{});
    const auto join = [&](std::string room, Position position) {
        const auto member =
            hub.join({ConnectionId{1}, "ada", {}}, StreamId{4}, {1, std::move(room), position});
        REQUIRE(member);
        const auto joined =
            std::get<wire::Joined>(*decode(view_frame(hub.next_frames(**member)->view())));
        const auto next = hub.next_frames(**member);
        return std::pair{joined, next.has_value()};
    };

    SECTION("in its rooms, in the spelling of its configuration") {
        const auto [joined, more] = join("#lobby", Position::after(epoch, 0));
        CHECK(joined.room == "#Lobby");
        CHECK(joined.epoch == epoch);
        CHECK(joined.head == 1);
        CHECK(joined.recovered);
        CHECK(more);
    }
    SECTION("in rooms that are not configured any more") {
        CHECK(join("#OLD", Position::last(1)).first.head == 1);
    }
    SECTION("between two people, also for who did not know them") {
        hub.handle_login(ConnectionId{2}, "bob");
        REQUIRE(hub.tell({ConnectionId{2}, "bob", {}}, {1, {}, "ada", "ho", "{}"}) == Errc{});
        REQUIRE(hub.settle() == Errc{});
        std::vector<Message> answers;
        hub.control().send(
            [&](ConnectionId, const Bytes& frame) {
                answers.push_back(*decode(view_frame(frame.view())));
                return true;
            },
            [](ConnectionId) {});
        const auto ack = std::get<wire::Ack>(answers.at(0));
        CHECK(ack.epoch == pair);
        CHECK(ack.offset == 2);
        CHECK_FALSE(hub.join({ConnectionId{1}, "ada", {}}, StreamId{4}, {1, "@ada,@bob", {}}));
        const auto [joined, more] = join("@bob", Position::after(pair, 0));
        CHECK(joined.room == "@bob");
        CHECK(joined.head == 2);
        CHECK(more);
    }
}

TEST_CASE("a hub forgets restored pairs that were quiet for longest", "[server]") {
    const ServerConfig config{.limits = {.private_rooms_max = 2}};
    MemoryLog log{Entropy::seeded(1)};
    for (const char* room : {"@a,@b", "@a,@c", "@a,@d"}) {
        REQUIRE(log.open(room, {10, 10'000}));
        log.append(1, room, {HubFixture::id(1), {}, "a", "hi", "{}", {}});
        (void)log.poll_news();
    }
    Hub hub{std::move(log), config, nobody};
    REQUIRE(hub.restore() == Errc{});
    hub.handle_login(ConnectionId{1}, "a");
    hub.handle_login(ConnectionId{2}, "d");
    hub.handle_login(ConnectionId{3}, "e");
    REQUIRE(hub.tell({ConnectionId{1}, "a", {}}, {1, {}, "e", "hi", "{}"}) == Errc{});
    CHECK(hub.log().rooms()->size() == 2);
}

TEST_CASE("a hub holds up who tells more than the log has committed", "[server]") {
    HubFixture chat{{.replies_max = 3}};
    chat.log_in(1, "ada");
    chat.log_in(2, "bob");
    CHECK(chat.tell(1, "bob", 1) == Errc{});
    CHECK(chat.tell(1, "bob", 2) == Errc{});
    CHECK(chat.tell(1, "nobody", 3) == Errc::no_such_user);
    CHECK_FALSE(chat.hub.is_busy(ConnectionId{1}));
    CHECK(chat.tell(1, "bob", 4) == Errc{});
    CHECK(chat.hub.is_busy(ConnectionId{1}));
    CHECK_FALSE(chat.hub.is_busy(ConnectionId{2}));
    chat.disconnect(1);
    REQUIRE(chat.hub.settle() == Errc{});
    CHECK_FALSE(chat.hub.is_busy(ConnectionId{1}));
    CHECK(chat.hub.appends_under_way() == 0);
}

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "support/shared_log.hpp"
#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

// How much of its history a room keeps, where the server's program has chosen that.

namespace {

RoomReport report(HubFixture& chat, const std::string& name = "#lobby") {
    for (RoomReport& room : chat.hub.admin().list()) {
        if (room.name == name) return std::move(room);
    }
    FAIL("no such room: " + name);
    return {};
}

/// Says how much a room keeps, and lets the log do it.
Errc keep(HubFixture& chat, const RetentionChange& change, const std::string& room = "#lobby") {
    const Errc errc = chat.hub.admin().keep(room, change);
    REQUIRE(chat.hub.settle() == Errc{});
    return errc;
}

/// It is `time` on both clocks.
void wait_until(HubFixture& chat, std::chrono::milliseconds time) {
    chat.set_time(time);
    chat.hub.handle_timeout(TimePoint{time});
    REQUIRE(chat.hub.settle() == Errc{});
}

/// Messages, a day apart each, the first one now.
void fill_days(HubFixture& chat, Member& member, unsigned count) {
    for (unsigned day = 0; day < count; ++day) {
        wait_until(chat, day * 24h);
        chat.fill(member, 1);
    }
}

}  // namespace

TEST_CASE("the program says how many records a room keeps", "[server][admin]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    chat.fill(ada, 6);
    const std::size_t most = Limits{}.room_log_records_max;
    CHECK(report(chat).retention.records_max == most);
    CHECK(keep(chat, {.records_max = most + 1}) == Errc::invalid_request);
    REQUIRE(keep(chat, {.records_max = 4}) == Errc{});
    CHECK(report(chat).first == 3);  // at once, not with the next record
    chat.fill(ada, 1);
    CHECK(report(chat).first == 4);

    SECTION("also after a restart") {
        HubFixture later{{}, chat.log};
        CHECK(report(later).retention.records_max == 4);
        Member& again = later.join(1, "ada");
        for (const unsigned number : {101u, 102u}) later.publish(again, "text", number);
        REQUIRE(later.hub.settle() == Errc{});
        CHECK(report(later).first == 6);
        CHECK(report(later, "#quiet").retention.records_max == most);
    }
    SECTION("also what a server that ended has left of it, where nobody writes") {
        const auto keys = chat.log->rooms();
        for (const std::string& key : *keys) {
            if (chat.log->head(key).head == 7) chat.log->store(key, {{"keep/records", "2"}});
        }
        HubFixture later{{}, chat.log};
        CHECK(report(later).first == 4);
        REQUIRE(later.hub.next_deadline());  // although nobody is there
        CHECK(*later.hub.next_deadline() <= TimePoint{});
        wait_until(later, 1s);
        CHECK(report(later).first == 6);
        wait_until(later, 2min);
        CHECK_FALSE(later.hub.room_store().next_deadline());
    }
    SECTION("until it says otherwise") {
        REQUIRE(keep(chat, {.records_max = 0}) == Errc{});
        CHECK(report(chat).retention.records_max == most);
        CHECK(report(chat).chosen == RoomRetention{});
        HubFixture later{{}, chat.log};
        CHECK(report(later).retention.records_max == most);
    }
    SECTION("and a room that is deleted takes that along") {
        REQUIRE(chat.hub.admin().remove("#lobby") == Errc{});
        REQUIRE(chat.hub.add_room("#lobby") == Errc{});
        CHECK(report(chat).retention.records_max == most);
    }
}

TEST_CASE("the program says how many bytes a room keeps", "[server][admin]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    chat.fill(ada, 6);
    const std::size_t most = Limits{}.room_log_bytes_max;
    CHECK(keep(chat, {.bytes_max = most + 1}) == Errc::invalid_request);
    REQUIRE(keep(chat, {.bytes_max = 1}) == Errc{});
    CHECK(report(chat).first == 6);  // one stays in any case
    CHECK(report(chat).retention.bytes_max == 1);

    // What is not said stays as it is.
    REQUIRE(keep(chat, {.records_max = 5, .age_max = 1h}) == Errc{});
    CHECK(report(chat).chosen == RoomRetention{5, 1, 1h});
    REQUIRE(keep(chat, {.bytes_max = 0}) == Errc{});
    CHECK(report(chat).chosen == RoomRetention{5, 0, 1h});
    CHECK(report(chat).retention == RoomRetention{5, most, 1h});
    HubFixture later{{}, chat.log};
    CHECK(report(later).chosen == RoomRetention{5, 0, 1h});
}

TEST_CASE("the program says how old the records of a room become", "[server][admin]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    fill_days(chat, ada, 4);
    CHECK(keep(chat, {.age_max = 59s}) == Errc::invalid_request);
    CHECK(keep(chat, {.age_max = 320'000'001s}) == Errc::invalid_request);
    CHECK_FALSE(chat.hub.room_store().next_deadline());

    SECTION("and what is older goes at once, whoever wrote it and however young it is") {
        REQUIRE(keep(chat, {.age_max = 36h}) == Errc{});
        CHECK(report(chat).first == 3);
        CHECK(report(chat).head == 4);
    }
    SECTION("and goes within a minute when it has become as old, also the newest one") {
        REQUIRE(keep(chat, {.age_max = 48h}) == Errc{});
        CHECK(report(chat).first == 2);
        wait_until(chat, 72h + 1min);
        CHECK(report(chat).first == 3);
        REQUIRE(chat.hub.next_deadline());
        CHECK(*chat.hub.next_deadline() <= TimePoint{72h + 2min});
        wait_until(chat, 130h);
        CHECK(report(chat).first == 5);
        CHECK(report(chat).head == 4);
        chat.fill(ada, 1);
        CHECK(report(chat).first == 5);
        CHECK(report(chat).head == 5);
    }
    SECTION("also after a restart, and in time that it was not there") {
        REQUIRE(keep(chat, {.age_max = 48h}) == Errc{});
        HubFixture later{{}, chat.log};
        CHECK(report(later).first == 2);
        wait_until(later, 100h);
        CHECK(report(later).first == 4);
    }
    SECTION("and no record goes for its age when that is over") {
        REQUIRE(keep(chat, {.age_max = 48h}) == Errc{});
        REQUIRE(keep(chat, {.age_max = 0s}) == Errc{});
        wait_until(chat, 1000h);
        CHECK(report(chat).first == 2);
        CHECK_FALSE(chat.hub.room_store().next_deadline());
    }
}

TEST_CASE("many rooms are looked at a few at a time", "[server][admin]") {
    Limits limits;
    limits.rooms_per_owner_max = 1000;
    limits.room_bytes_per_owner_max = std::uint64_t{1} << 40;
    HubFixture chat{limits};
    std::vector<std::string> names;
    for (int i = 0; i < 150; ++i) {
        names.push_back("#room" + std::to_string(i));
        REQUIRE(chat.hub.add_room(names.back()) == Errc{});
        Member& ada = chat.join(static_cast<std::uint64_t>(i + 1), "ada", {}, names.back());
        chat.fill(ada, 1);
        REQUIRE(keep(chat, {.age_max = 1h}, names.back()) == Errc{});
    }
    const auto emptied = [&] {
        return std::ranges::count_if(chat.hub.admin().list(), [](const RoomReport& room) {
            return room.head == 1 && room.first == 2;
        });
    };
    std::chrono::milliseconds time = 2h;
    wait_until(chat, time);
    CHECK(emptied() == 3);
    while (time < 2h + 1min) {
        const auto next = chat.hub.next_deadline();
        REQUIRE(next);
        time = std::chrono::ceil<std::chrono::milliseconds>(next->time_since_epoch());
        wait_until(chat, time);
    }
    CHECK(emptied() == 150);
}

TEST_CASE("a room is looked at once in a turn, though others need it no more", "[server][admin]") {
    class CountingLog : public SharedLog {
    public:
        using SharedLog::SharedLog;
        Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                               std::size_t count_max) const override {
            ++reads;
            return SharedLog::read(room, after, count_max);
        }
        mutable int reads = 0;
    };
    const Limits limits;
    RoomRetentions retentions{limits};
    CountingLog log{std::make_shared<MemoryLog>(Entropy::seeded(1))};
    for (int i = 0; i < 300; ++i) {
        const std::string key = "#room" + std::to_string(i);
        REQUIRE(log.open(key, retentions.log_retention(key)));
        retentions.set(key, {.records_max = 9});
    }
    retentions.set("#room7", {.age_max = 1h});
    Record record;
    record.author = "ada";
    log.append({}, "#room7", record);
    while (log.poll_news()) {
    }
    for (std::chrono::milliseconds time{}; time < 4min;) {
        const int before = log.reads;
        REQUIRE(retentions.handle_timeout(log, {TimePoint{time}, WallTime{time}}) == Errc{});
        CHECK(log.reads - before <= 1);
        REQUIRE(retentions.next_deadline());
        time = std::chrono::ceil<std::chrono::milliseconds>(
            retentions.next_deadline()->time_since_epoch());
    }
    CHECK(log.reads >= 3);
}

TEST_CASE("what a room may not keep is handed to nobody", "[server][admin]") {
    HubFixture chat;
    Member& ada = chat.join(1, "ada");
    chat.log_in(2, "bob");
    chat.join(3, "eve");
    chat.fill(ada, 3);
    CHECK(chat.rooms(2).front().unread == 3);
    wait_until(chat, 2h);
    chat.fill(ada, 1);
    REQUIRE(keep(chat, {.age_max = 1h}) == Errc{});

    // Eve has read nothing yet.
    const auto messages = chat.take(3);
    std::vector<Offset> offsets;
    std::vector<std::pair<Offset, Offset>> gaps;
    for (const Message& message : messages) {
        if (const auto* e = std::get_if<wire::Event>(&message)) offsets.push_back(e->offset);
        if (const auto* g = std::get_if<wire::Gap>(&message)) gaps.emplace_back(g->first, g->last);
    }
    CHECK(offsets == std::vector<Offset>{4});
    CHECK(gaps == std::vector<std::pair<Offset, Offset>>{{1, 3}});
    CHECK(chat.rooms(2).front().unread == 1);
    chat.join(2, "bob", {.kind = Position::Kind::last, .count = 9});
    CHECK(chat.offsets(2) == std::vector<Offset>{4});
}

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/queue.hpp"
#include "unit/server/hub_fixture.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

using Copies = std::shared_ptr<std::deque<LogNews>>;

/// A log that tells another process as well what was committed.
class ToldLog : public SharedLog {
public:
    ToldLog(std::shared_ptr<MemoryLog> log, Copies copies)
        : SharedLog(std::move(log)), copies_(std::move(copies)) {}

    std::optional<LogNews> poll_news() override {
        std::optional<LogNews> news = SharedLog::poll_news();
        if (news && news->is_commit()) {
            copies_->push_back(*news);
            copies_->back().token.reset();
        }
        return news;
    }

private:
    Copies copies_;
};

/// What that one sees of it: somebody else's records.
class FollowedLog : public SharedLog {
public:
    FollowedLog(std::shared_ptr<MemoryLog> log, Copies copies)
        : SharedLog(std::move(log)), copies_(std::move(copies)) {}

    std::optional<LogNews> poll_news() override { return pop_front(*copies_); }

private:
    Copies copies_;
};

/// Two hubs over one log. One decides; the other one only learns what was committed.
struct Pair {
    Pair() {
        for (HubFixture* hub : {&decides, &follows}) hub->accounts.names.insert("bob");
    }
    /// Both take in what there is.
    void settle() {
        REQUIRE(decides.hub.settle() == Errc{});
        REQUIRE(follows.hub.settle() == Errc{});
    }

    Copies copies = std::make_shared<std::deque<LogNews>>();
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>(Entropy::seeded(1));
    HubFixture decides{{}, log, [&](const auto& shared) { return ToldLog{shared, copies}; }};
    HubFixture follows{{}, log, [&](const auto& shared) { return FollowedLog{shared, copies}; }};
};

}  // namespace

TEST_CASE("what another process put into the log reaches the members here", "[server]") {
    Pair pair;
    Member& ada = pair.decides.join(1, "ada");
    pair.follows.join(2, "bob");
    pair.follows.take(2);

    SECTION("in order, and once") {
        for (const char* text : {"one", "two"}) pair.decides.publish(ada, text);
        pair.settle();
        const auto events = pair.follows.take<wire::Event>(2);
        REQUIRE(events.size() == 2);
        CHECK(events[0].offset == 1);
        CHECK(events[0].text == "one");
        CHECK(events[1].offset == 2);
        pair.settle();
        CHECK(pair.follows.take(2).empty());
        CHECK(pair.decides.take<wire::Ack>(1).size() == 2);
    }
    SECTION("with what it does to the room") {
        pair.decides.act(ada, {.kind = Act::Kind::message}, "old");
        pair.settle();
        REQUIRE(pair.decides.acted(ada, {.kind = Act::Kind::deletion, .target = 1}) == Errc{});
        REQUIRE(pair.follows.hub.settle() == Errc{});
        const auto events = pair.follows.take<wire::Event>(2);
        REQUIRE(events.size() == 2);
        CHECK(events[0].act.kind == Act::Kind::tombstone);
        CHECK(events[0].text.empty());
    }
}

TEST_CASE("a log that leaves out a record ends the server", "[server]") {
    Pair pair;
    Member& ada = pair.decides.join(1, "ada");
    pair.follows.join(2, "bob");
    pair.follows.take(2);
    for (const char* text : {"one", "two"}) pair.decides.publish(ada, text);
    REQUIRE(pair.decides.hub.settle() == Errc{});
    pair.copies->pop_front();
    CHECK(pair.follows.hub.settle() == Errc::storage_failed);
    CHECK(pair.follows.take<wire::Event>(2).empty());
}

TEST_CASE("a room that another process made is there", "[server]") {
    Pair pair;
    pair.decides.log_in(1, "ada");
    REQUIRE(pair.decides.create(1, "#new") == Errc{});
    pair.follows.log_in(2, "bob");
    CHECK(pair.follows.join_error(2, "#new") == Errc::no_such_room);
    REQUIRE(pair.follows.hub.settle() == Errc{});
    pair.follows.join(2, "bob", {}, "#new");
    const auto joined = pair.follows.take<wire::Joined>(2);
    REQUIRE(joined.size() == 1);
    CHECK(joined[0].head == 1);

    SECTION("and goes on there, with its roles") {
        Member& ada = pair.decides.join(1, "ada", {}, "#new");
        REQUIRE(pair.decides.acted(ada, HubFixture::role("bob", Role::banned), "enough") == Errc{});
        CHECK(pair.follows.endings().empty());
        REQUIRE(pair.follows.hub.settle() == Errc{});
        const auto endings = pair.follows.endings();
        REQUIRE(endings.size() == 1);
        CHECK(endings[0].first == 2);
        CHECK(pair.follows.join_error(2, "#new") == Errc::forbidden);
    }
}

TEST_CASE("a message to one person reaches those who are here", "[server]") {
    Pair pair;
    pair.decides.log_in(1, "ada");
    pair.follows.log_in(2, "bob");
    for (unsigned number : {1u, 2u}) {
        REQUIRE(pair.decides.tell(1, "bob", number) == Errc{});
        pair.settle();
        const auto told = pair.follows.control<wire::Told>(2);
        REQUIRE(told.size() == 1);
        CHECK(told[0].offset == number);
    }
    CHECK(pair.decides.control<wire::Ack>(1).size() == 2);
}

TEST_CASE("a name that another process stored is told here", "[server]") {
    Pair pair;
    pair.decides.log_in(1, "ada");
    pair.follows.log_in(2, "ada");
    REQUIRE(pair.decides.hub.set_profile(pair.decides.caller(1), {1, "Ada L."}) == Errc{});
    pair.settle();
    const auto answer = pair.decides.control<wire::Profile>(1);
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].request == 1);
    const auto told = pair.follows.control<wire::Profile>(2);
    REQUIRE(told.size() == 1);
    CHECK(told[0].display == "Ada L.");
}

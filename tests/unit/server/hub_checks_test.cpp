#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

// A hub whose program judges messages.

namespace quicchat::test {
namespace {

using namespace std::chrono_literals;
using enum Act::Kind;

ServerConfig checking(Unchecked unchecked = Unchecked::refuse) {
    return {.checks_messages = true, .unchecked = unchecked};
}

struct CheckFixture : HubFixture {
    explicit CheckFixture(ServerConfig c = checking()) : HubFixture(std::move(c), {}) {
        ada = &join(1, "ada", {}, "#lobby", device);
        bob = &join(2, "bob");
        (void)take(1);
        (void)take(2);
    }

    std::vector<CheckQuestion> questions() {
        std::vector<CheckQuestion> all;
        while (auto next = hub.checks().poll_question()) all.push_back(*std::move(next));
        return all;
    }
    void answer(const CheckQuestion& question, CheckDecision decision) {
        REQUIRE(hub.checks().answer(question.ticket, std::move(decision)));
        REQUIRE(hub.settle() == Errc{});
    }
    /// The one question that there is gets this answer.
    void answer(CheckDecision decision) {
        const auto asked = questions();
        REQUIRE(asked.size() == 1);
        answer(asked.front(), std::move(decision));
    }
    /// What the room has, as "text" for messages.
    std::vector<std::string> texts(const std::string& room = "#lobby") {
        std::vector<std::string> all;
        const auto records = log->read(room, 0, 100);
        for (const LoggedRecord& r : *records) all.push_back(r.record.text);
        return all;
    }
    wire::Error refusal(std::uint64_t connection) {
        const auto errors = take<wire::Error>(connection);
        REQUIRE(errors.size() == 1);
        return errors.front();
    }

    DeviceId device{{std::byte{7}}};
    Member* ada = nullptr;
    Member* bob = nullptr;
};

TEST_CASE("a hub whose program judges messages", "[server][checks]") {
    CheckFixture f;

    SECTION("asks with what it should know, and stores what it accepts") {
        f.hub.publish(*f.ada, {1, f.id(1), "hello", R"({"a":1})", {.target = 0}});
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.texts().empty());
        const auto asked = f.questions();
        REQUIRE(asked.size() == 1);
        const MessageQuestion& q = asked.front().question;
        CHECK(q.user == "ada");
        CHECK(q.room == "#lobby");
        CHECK(q.kind == MessageQuestion::Kind::message);
        CHECK(q.text == "hello");
        CHECK(q.attributes == R"({"a":1})");
        CHECK(q.recipient.empty());
        f.set_time(77ms);
        f.answer(asked.front(), AcceptMessage{});
        const auto acks = f.take<wire::Ack>(1);
        REQUIRE(acks.size() == 1);
        CHECK(acks.front().offset == 1);
        CHECK(acks.front().time == WallTime{77ms});
        CHECK(f.take<wire::Event>(2).at(0).text == "hello");
        CHECK(f.ada->appends == 0);
    }
    SECTION("asks about edits, and about nothing else") {
        f.publish(*f.ada, "helo", 1);
        f.answer(AcceptMessage{});
        f.act(*f.bob, {.kind = reaction, .target = 1}, "+1");
        f.act(*f.ada, {.kind = edit, .target = 1}, "hello");
        REQUIRE(f.hub.settle() == Errc{});
        const auto asked = f.questions();
        REQUIRE(asked.size() == 1);
        CHECK(asked.front().question.kind == MessageQuestion::Kind::edit);
        f.answer(asked.front(), ReplaceMessage{"hello!"});
        CHECK(f.texts() == std::vector<std::string>{"hello!", "+1", "hello!"});
        f.act(*f.ada, {.kind = deletion, .target = 1});
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.questions().empty());
        CHECK(f.texts().size() == 4);
    }
    SECTION("does not ask about what may not be anyway") {
        f.act(*f.bob, {.kind = edit, .target = 1}, "nothing to edit");
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.questions().empty());
        CHECK(f.refusal(2).code == wire_code(Errc::no_such_message));
    }
    SECTION("stores another text, and knows what was sent") {
        f.publish(*f.ada, "damn", 1);
        f.answer(ReplaceMessage{"d***", R"({"changed":true})"});
        CHECK(f.take<wire::Ack>(1).at(0).offset == 1);
        CHECK(f.take<wire::Event>(2).at(0).text == "d***");
        for (const CheckDecision& now :
             std::vector<CheckDecision>{AcceptMessage{}, ReplaceMessage{"other"},
                                        RefuseMessage{"no"}, CheckUnavailable{}}) {
            f.publish(*f.ada, "damn", 1);
            f.answer(now);
            CHECK(f.take<wire::Ack>(1).at(0).offset == 1);
        }
        f.publish(*f.ada, "d***", 1);
        f.answer(AcceptMessage{});
        CHECK(f.refusal(1).code == wire_code(Errc::conflict));
        CHECK(f.texts() == std::vector<std::string>{"d***"});
    }
    SECTION("keeps the attributes if it is given none, and no mark if nothing changed") {
        f.hub.publish(*f.ada, {1, f.id(1), "one", R"({"a":1})", {}});
        f.answer(ReplaceMessage{"two"});
        f.publish(*f.ada, "same", 2);
        f.answer(ReplaceMessage{"same"});
        const auto records = f.log->read("#lobby", 0, 9);
        CHECK(records->at(0).record.attributes == R"({"a":1})");
        CHECK(records->at(0).record.sent != 0);
        CHECK(records->at(1).record.sent == 0);
    }
    SECTION("tells the reason of a refusal, cleaned and cut") {
        f.publish(*f.ada, "one", 1);
        f.answer(RefuseMessage{"no \x1b[31mlinks\xff here"});
        wire::Error refusal = f.refusal(1);
        CHECK(refusal.code == wire_code(Errc::not_accepted));
        CHECK(refusal.text == "no [31mlinks here");
        f.publish(*f.ada, "two", 2);
        f.answer(RefuseMessage{std::string(511, 'x') + "\xc3\xa4"});
        CHECK(f.refusal(1).text == std::string(511, 'x'));
        f.publish(*f.ada, "three", 3);
        f.answer(RefuseMessage{});
        refusal = f.refusal(1);
        CHECK(refusal.text == "the server does not accept that message");
        CHECK(refusal.error_class == static_cast<std::uint64_t>(ErrorClass::give_up));
        CHECK(f.texts().empty());
    }
    SECTION("refuses what the program makes unfit, and tells the program why") {
        for (const ReplaceMessage& unfit :
             {ReplaceMessage{""}, ReplaceMessage{"\x1b"}, ReplaceMessage{"a", "[1]"},
              ReplaceMessage{std::string(40'000, 'x')}}) {
            f.publish(*f.ada, "fine");
            f.answer(unfit);
            CHECK(f.refusal(1).code == wire_code(Errc::not_accepted));
            const auto failure = f.hub.checks().poll_failure();
            REQUIRE(failure);
            CHECK(failure->text.starts_with("the text that it should have is not fit: "));
            CHECK(failure->room == "#lobby");
        }
        CHECK(f.texts().empty());
    }
    SECTION("keeps the order of a member, and lets nothing overtake") {
        f.publish(*f.ada, "one", 1);
        f.publish(*f.ada, "two", 2);
        f.act(*f.ada, {.kind = topic}, "topic");
        f.publish(*f.ada, "three", 4);
        f.publish(*f.bob, "other", 5);
        const auto asked = f.questions();
        REQUIRE(asked.size() == 4);  // a topic of a stranger may not be, and waits for its turn
        f.answer(asked[3], AcceptMessage{});
        CHECK(f.texts() == std::vector<std::string>{"other"});
        f.answer(asked[1], AcceptMessage{});
        f.answer(asked[2], AcceptMessage{});
        CHECK(f.texts().size() == 1);
        CHECK(f.ada->appends == 4);
        f.answer(asked[0], AcceptMessage{});
        CHECK(f.texts() == std::vector<std::string>{"other", "one", "two", "three"});
        CHECK(f.refusal(1).code == wire_code(Errc::forbidden));
    }
    SECTION("reads no more of a member than it can answer") {
        Limits few;
        few.replies_max = 3;
        CheckFixture g{{.limits = few, .checks_messages = true}};
        for (unsigned i = 1; i <= 3; ++i) {
            CHECK_FALSE(g.hub.is_busy(*g.ada));
            g.publish(*g.ada, "text", i);
        }
        CHECK(g.hub.is_busy(*g.ada));
        CHECK_FALSE(g.hub.is_busy(*g.bob));
        for (unsigned i = 1; i <= 3; ++i) {
            CHECK_FALSE(g.hub.is_busy(ConnectionId{2}));
            CHECK(g.tell(2, "ada", 10 + i) == Errc{});
        }
        CHECK(g.hub.is_busy(ConnectionId{2}));
        for (const auto& q : g.questions()) g.answer(q, AcceptMessage{});
        (void)g.take(1);
        CHECK_FALSE(g.hub.is_busy(*g.ada));
        (void)g.control();
        CHECK_FALSE(g.hub.is_busy(ConnectionId{2}));
    }
    SECTION("refuses what is too much for all, unless it is stored already") {
        f.publish(*f.ada, "one", 1);
        f.answer(AcceptMessage{});
        (void)f.take(1);
        f.config.limits.checks_max = 1;
        f.publish(*f.bob, "two", 2);
        f.publish(*f.ada, "three", 3);
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.refusal(1).code == wire_code(Errc::queue_full));
        f.publish(*f.ada, "one", 1);
        f.act(*f.ada, {.kind = reaction, .target = 1}, "+1");
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.take<wire::Ack>(1).size() == 2);
        CHECK(f.tell(1, "bob", 9) == Errc{});
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.control<wire::Error>(1).at(0).code == wire_code(Errc::queue_full));
    }
}

TEST_CASE("a hub judges again what the program took its time for", "[server][checks]") {
    CheckFixture f{{.operators = {"bob"}, .checks_messages = true}};

    SECTION("and refuses who is muted meanwhile") {
        f.publish(*f.ada, "one", 1);
        const auto asked = f.questions();
        CHECK(f.acted(*f.bob, f.role("ada", Role::muted)) == Errc{});
        f.answer(asked.at(0), AcceptMessage{});
        CHECK(f.refusal(1).code == wire_code(Errc::forbidden));
        CHECK(f.texts() == std::vector<std::string>{""});
    }
    SECTION("and waits while that is being decided") {
        f.publish(*f.ada, "one", 1);
        const auto asked = f.questions();
        f.act(*f.bob, f.role("ada", Role::muted));  // not committed yet
        REQUIRE(f.hub.checks().answer(asked.at(0).ticket, AcceptMessage{}));
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.refusal(1).code == wire_code(Errc::forbidden));
    }
    SECTION("and stores what is decided when its author is gone, once") {
        f.publish(*f.ada, "one", 1);
        const auto asked = f.questions();
        f.hub.leave(*f.ada);
        f.disconnect(1);
        Member& back = f.join(3, "ada", {}, "#lobby", f.device);
        (void)f.take(3);
        f.publish(back, "one", 1);
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.questions().empty());
        f.answer(asked.at(0), ReplaceMessage{"1"});
        CHECK(f.take<wire::Ack>(3).at(0).offset == 1);
        CHECK(f.texts() == std::vector<std::string>{"1"});
        CHECK(back.appends == 0);
    }
    SECTION("and refuses what might not be when it came, for nobody was asked about it") {
        f.publish(*f.ada, "one", 1);
        CHECK(f.acted(*f.bob, f.role("ada", Role::muted)) == Errc{});
        f.publish(*f.ada, "two", 2);
        CHECK(f.acted(*f.bob, f.role("ada", Role::member)) == Errc{});
        f.answer(AcceptMessage{});
        CHECK(f.refusal(1).code == wire_code(Errc::forbidden));
        CHECK(f.texts() == std::vector<std::string>{"", "", "one"});
    }
    SECTION("and does not take one text's judgement for another's under the same id") {
        f.publish(*f.ada, "one", 1);
        f.answer(AcceptMessage{});
        f.act(*f.ada, {.kind = edit, .target = 1}, "fine", 7);
        Member& other = f.join(3, "ada", {}, "#lobby", f.device);
        f.publish(other, "not fine", 7);
        const auto asked = f.questions();
        REQUIRE(asked.size() == 2);
        CHECK(f.acted(*f.bob, {.kind = deletion, .target = 1}) == Errc{});
        f.answer(asked[0], AcceptMessage{});  // there is nothing to edit any more
        CHECK(f.refusal(1).code == wire_code(Errc::no_such_message));
        f.answer(asked[1], RefuseMessage{});
        CHECK(f.texts() == std::vector<std::string>{"", ""});
    }
    SECTION("and keeps the messages of others to a role behind what was sent before it") {
        f.publish(*f.bob, "one", 1);
        f.act(*f.bob, f.role("ada", Role::muted));
        f.publish(*f.ada, "two", 2);
        const auto asked = f.questions();
        REQUIRE(asked.size() == 2);
        for (const CheckQuestion& question : asked) {  // decided in one turn
            REQUIRE(f.hub.checks().answer(question.ticket, AcceptMessage{}));
        }
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.refusal(1).code == wire_code(Errc::forbidden));
    }
    SECTION("also what one person tells another") {
        CHECK(f.tell(1, "bob", 1, "psst") == Errc{});
        CHECK(f.tell(1, "bob", 2, "hey") == Errc{});
        const auto asked = f.questions();
        REQUIRE(asked.size() == 2);
        CHECK(asked[0].question.room == "@bob");
        CHECK(asked[0].question.recipient == "bob");
        f.answer(asked[1], RefuseMessage{"not so loud"});
        CHECK(f.control().empty());
        f.answer(asked[0], ReplaceMessage{"psst!"});
        auto control = f.control();
        std::vector<std::string> told;
        for (auto& [to, message] : control) {
            if (auto* m = std::get_if<wire::Told>(&message)) told.push_back(m->text);
            if (auto* m = std::get_if<wire::Error>(&message)) told.push_back(m->text);
        }
        CHECK(told == std::vector<std::string>{"not so loud", "psst!", "psst!"});
    }
}

TEST_CASE("a hub whose program does not answer in time", "[server][checks]") {
    const auto outcome = [](Unchecked unchecked) {
        CheckFixture f{checking(unchecked)};
        f.hub.begin_turn({}, TimePoint{1s});
        f.publish(*f.ada, "one", 1);
        CHECK(f.hub.checks().next_deadline() == TimePoint{6s});
        CHECK(f.hub.next_deadline() <= TimePoint{6s});
        f.hub.handle_timeout(TimePoint{6s});
        REQUIRE(f.hub.settle() == Errc{});
        CHECK(f.hub.checks().poll_failure());
        if (f.texts().empty()) CHECK(f.refusal(1).code == wire_code(Errc::not_checked));
        return f.texts().size();
    };
    SECTION("refuses") { CHECK(outcome(Unchecked::refuse) == 0); }
    SECTION("accepts, if it is told to") { CHECK(outcome(Unchecked::accept) == 1); }
    SECTION("says how long to wait") {
        CheckFixture f;
        f.publish(*f.ada, "one", 1);
        f.answer(CheckUnavailable{});
        const wire::Error refusal = f.refusal(1);
        CHECK(refusal.error_class == static_cast<std::uint64_t>(ErrorClass::retry_after));
        CHECK(refusal.retry_after_ms == 5000);
        CHECK_FALSE(f.hub.checks().poll_failure());  // the program knows
    }
}

}  // namespace
}  // namespace quicchat::test

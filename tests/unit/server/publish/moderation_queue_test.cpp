#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/publish/moderation_queue.hpp"
#include "support/printers.hpp"

namespace quicchat {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since_begin) { return TimePoint{since_begin}; }

/// Messages of streams, named by their texts, and what became of them: "a+" accepted, "a-" refused,
/// "a?" not judged, "a=b" replaced.
struct Checks {
    Checks() { config.checks_messages = true; }

    HeldMessage make(std::uint64_t stream, const std::string& text) const {
        HeldMessage held{.connection = ConnectionId{1},
                         .stream = StreamId{stream},
                         .room = "#a",
                         .record = {{}, {}, "ada", text, "{}", {}}};
        held.record.id.bytes[0] = static_cast<std::byte>(text.front());
        return held;
    }
    void hold(std::uint64_t stream, const std::string& text, bool asks = true) {
        std::optional<MessageQuestion> question;
        if (asks) question = MessageQuestion{.user = "ada", .room = "#A", .text = text};
        checks.hold(make(stream, text), std::move(question));
    }
    /// What the program is asked, as one text.
    std::string take() {
        std::string all;
        while (auto next = checks.poll_question()) {
            tickets.emplace_back(next->ticket);
            all += next->question.text;
        }
        return all;
    }
    std::string release(std::string blocked = "") {
        std::string all;
        const auto may_go = [&](const HeldMessage& m) {
            return blocked.find(m.record.text) == std::string::npos;
        };
        while (
            checks.release(may_go, [&](HeldMessage m, CheckDecision decision, const std::string&) {
                all += (all.empty() ? "" : " ") + m.record.text;
                if (std::holds_alternative<AcceptMessage>(decision)) all += "+";
                if (std::holds_alternative<RefuseMessage>(decision)) all += "-";
                if (std::holds_alternative<CheckUnavailable>(decision)) all += "?";
                if (auto* r = std::get_if<ReplaceMessage>(&decision)) all += "=" + r->text;
            })) {
        }
        return all;
    }
    bool answer(std::size_t number, CheckDecision decision) {
        return checks.answer(tickets.at(number), std::move(decision));
    }

    ServerConfig config{};
    ModerationQueue checks{config};
    std::vector<CheckTicket> tickets;
};

TEST_CASE("message checks", "[server][checks]") {
    Checks f;

    SECTION("are off unless the program says so") {
        CHECK(f.checks.is_on());
        CHECK_FALSE(ModerationQueue{ServerConfig{}}.is_on());
        CHECK(f.release().empty());
        CHECK_FALSE(f.checks.poll_question());
        CHECK_FALSE(f.checks.next_deadline());
    }
    SECTION("release what one stream asks in its order, whatever comes first") {
        for (const char* text : {"a", "b", "c"}) f.hold(1, text);
        f.hold(2, "d");
        CHECK(f.take() == "abcd");
        f.answer(2, AcceptMessage{});
        f.answer(1, RefuseMessage{"no"});
        CHECK(f.release().empty());
        f.answer(3, ReplaceMessage{"D"});
        CHECK(f.release() == "d=D");
        f.answer(0, AcceptMessage{});
        CHECK(f.release() == "a+ b- c+");
        CHECK(f.checks.size() == 0);
    }
    SECTION("hold acts that nobody asks about behind what was asked") {
        f.hold(1, "a");
        CHECK(f.checks.is_behind(f.make(1, "b")));
        CHECK_FALSE(f.checks.is_behind(f.make(2, "b")));
        f.hold(1, "b", false);
        f.hold(1, "c");
        CHECK(f.take() == "ac");
        CHECK(f.release().empty());
        f.answer(0, AcceptMessage{});
        CHECK(f.release() == "a+ b+");
        f.answer(1, AcceptMessage{});
        CHECK(f.release() == "c+");
        CHECK_FALSE(f.checks.is_behind(f.make(1, "b")));
    }
    SECTION("keep what may not go yet, and what is behind it") {
        f.hold(1, "a");
        f.hold(1, "b");
        f.hold(2, "c");
        f.take();
        for (std::size_t i = 0; i < 3; ++i) f.answer(i, AcceptMessage{});
        CHECK(f.release("a") == "c+");
        CHECK(f.release("b") == "a+");
        CHECK(f.release() == "b+");
    }
    SECTION("take one answer for each question") {
        f.hold(1, "a");
        f.take();
        CHECK(f.answer(0, RefuseMessage{}));
        CHECK_FALSE(f.answer(0, AcceptMessage{}));
        CHECK_FALSE(f.checks.answer(CheckTicket{77}, AcceptMessage{}));
        CHECK(f.release() == "a-");
        CHECK_FALSE(f.answer(0, AcceptMessage{}));
    }
    SECTION("ask once about what is sent again while it is open") {
        f.hold(1, "a");
        CHECK(f.checks.is_behind(f.make(2, "a")));
        f.hold(2, "a");
        f.hold(3, "a");
        f.hold(2, "b");
        CHECK(f.take() == "ab");
        f.answer(1, AcceptMessage{});
        CHECK(f.release().empty());
        f.answer(0, ReplaceMessage{"A"});
        CHECK(f.release() == "a=A a=A b+ a=A");
        CHECK(f.checks.size() == 0);
        CHECK_FALSE(f.checks.is_behind(f.make(4, "a")));
    }
    SECTION("decide alike of what repeats a repetition, in any order") {
        f.hold(1, "a");
        f.hold(2, "a");
        f.hold(3, "a");
        f.take();
        f.answer(0, RefuseMessage{});
        CHECK(f.checks.release([](const HeldMessage&) { return true; },
                               [](HeldMessage, CheckDecision, const std::string&) {}));
        f.hold(4, "a");  // the first is gone, the two others are not
        CHECK(f.take().empty());
        CHECK(f.release() == "a- a- a-");
        f.hold(5, "a");
        CHECK(f.take() == "a");
    }
    SECTION("ask about another text under the same id: the first decision is not about it") {
        f.hold(1, "a");
        f.hold(2, "another");
        f.hold(3, "and a third", false);
        CHECK(f.take() == "aanother");
        CHECK(f.release() == "and a third+");
        f.answer(0, AcceptMessage{});
        CHECK(f.release() == "a+");
        f.answer(1, RefuseMessage{});
        CHECK(f.release() == "another-");
        CHECK(f.checks.size() == 0);
    }
    SECTION("know a message as long as one that repeats it is held") {
        f.hold(3, "b");
        for (const std::uint64_t stream : {1u, 2u, 3u}) f.hold(stream, "a");
        CHECK(f.take() == "ba");
        f.answer(1, AcceptMessage{});
        CHECK(f.release() == "a+ a+");
        f.hold(4, "a");
        CHECK(f.take().empty());
        f.answer(0, AcceptMessage{});
        CHECK(f.release() == "b+ a+ a+");
    }
    SECTION("end questions that nobody answers in time, in order with the others") {
        f.checks.begin_turn(at(10s));
        f.hold(1, "a");
        f.checks.begin_turn(at(12s));
        f.hold(1, "b");
        CHECK(f.checks.next_deadline() == at(15s));
        CHECK(f.take() == "ab");
        f.checks.handle_timeout(at(14s));
        CHECK(f.release().empty());
        f.checks.handle_timeout(at(15s));
        CHECK(f.release() == "a?");
        CHECK_FALSE(f.answer(0, AcceptMessage{}));
        CHECK(f.checks.next_deadline() == at(17s));
        const auto failure = f.checks.poll_failure();
        REQUIRE(failure);
        CHECK(failure->user == "ada");
        CHECK(failure->room == "#A");
        CHECK(failure->text == "no answer in time");
        CHECK_FALSE(f.checks.poll_failure());
        f.answer(1, AcceptMessage{});
        f.checks.handle_timeout(at(17s));
        CHECK(f.release() == "b+");
        CHECK_FALSE(f.checks.poll_failure());
        CHECK_FALSE(f.checks.next_deadline());
    }
    SECTION("do not ask any more what nobody took in time") {
        f.hold(1, "a");
        f.checks.handle_timeout(at(5s));
        f.hold(2, "b");
        CHECK(f.take() == "b");
    }
    SECTION("have room for so many, and so many bytes") {
        f.config.limits.checks_max = 2;
        f.config.limits.checks_bytes_max = 100;
        f.hold(1, "a");
        CHECK(f.checks.has_room(97));
        CHECK_FALSE(f.checks.has_room(98));
        f.hold(1, "b");
        CHECK_FALSE(f.checks.has_room(0));
        f.take();
        f.answer(0, AcceptMessage{});
        f.release();
        CHECK(f.checks.has_room(97));
        CHECK(f.checks.held(ConnectionId{1}, StreamId{1}) == 1);
        CHECK(f.checks.held(ConnectionId{1}) == 0);
    }
}

}  // namespace
}  // namespace quicchat

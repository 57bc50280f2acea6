#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/town.hpp"
#include "support/seed.hpp"

// A server whose program judges messages, seldom twice alike and in its own time, on a network that
// breaks.

namespace quicchat::test {
namespace {

using namespace std::chrono_literals;

class Judgement {
public:
    explicit Judgement(std::uint64_t seed)
        : random_(Entropy::seeded(seed)), town_({.seed = seed, .server = config()}) {
        for (const char* name : {"ada", "bob", "eve", "op"}) {
            people_.push_back(&town_.add_in(name, "#lobby"));
        }
    }

    void go(int actions) {
        for (int i = 0; i < actions; ++i) {
            act();
            take_questions();
            for (std::uint64_t n = draw(0, 2); n > 0; --n) answer_one();
            town_.run_for(std::chrono::milliseconds{draw(0, 300)});
        }
        for (int i = 0; i < 200; ++i) {
            take_questions();
            while (!open_.empty()) answer_one();
            town_.run_for(1s);
        }
        check();
    }

    std::size_t stored = 0;
    std::size_t changed = 0;
    std::size_t refused = 0;
    std::size_t late = 0;

private:
    struct Sent {
        std::string user;
        std::string text;
        std::size_t answers = 0;
    };

    static ServerConfig config() {
        ServerConfig config{.rooms = {"#lobby"}, .operators = {"op"}};
        config.limits.replies_max = 4;
        config.checks_messages = true;
        config.check_timeout = 1s;
        return config;
    }

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }

    void act() {
        Chatter& person = *people_[draw(0, 2)];
        switch (draw(0, 29)) {
            case 0:
                doubt_unanswered();
                return town_.cut();
            case 1:
                if (draw(0, 3) != 0) return;
                doubt_unanswered();
                town_.restart();
                open_.clear();  // the one that asked is gone
                return;
            case 2: {
                const auto role = draw(0, 1) == 0 ? Role::muted : Role::member;
                (void)people_[3]->client.act("#lobby", {.kind = Act::Kind::role,
                                                        .subject = "bob",
                                                        .value = static_cast<std::uint64_t>(role)});
                return;
            }
            case 3:
            case 4:
                return send(person, true);
            default:
                return send(person, false);
        }
    }

    void send(Chatter& person, bool private_one) {
        const MessageId id{random_.draw<16>()};
        const std::string text = std::to_string(sent_.size());
        const auto request = private_one ? person.client.tell("op", text, "{}", id)
                                         : person.client.publish("#lobby", text, "{}", id);
        if (!request) return;
        sent_.push_back({person.user, text});
        numbers_[id] = sent_.size() - 1;
        requests_[{&person, *request}] = sent_.size() - 1;
    }

    /// What has no answer yet may be refused, for want of a judgement or of room for the question,
    /// and that refusal be lost with the connection (GUARANTEES.md, "Refusals and order").
    void doubt_unanswered() {
        std::set<std::size_t> acked;
        for (const Chatter* person : people_) {
            for (const Acked& ack : person->all<Acked>()) {
                const auto number = requests_.find({person, ack.request});
                if (number != requests_.end()) acked.insert(number->second);
            }
        }
        for (std::size_t number = 0; number < sent_.size(); ++number) {
            if (acked.count(number) == 0) doubted_.insert(sent_[number].text);
        }
    }

    void take_questions() {
        while (auto question = town_.server->poll_question()) open_.push_back(*std::move(question));
    }

    /// Any of the open ones; some are forgotten, so that their time is over.
    void answer_one() {
        if (open_.empty()) return;
        const auto place = open_.begin() + static_cast<std::ptrdiff_t>(draw(0, open_.size() - 1));
        const CheckQuestion question = *place;
        open_.erase(place);
        const std::string& text = question.question.text;
        CheckDecision decision = AcceptMessage{};
        std::string becomes = text;
        switch (draw(0, 9)) {
            case 0:
                return void(doubted_.insert(text));
            case 1:
                doubted_.insert(text);
                decision = RefuseMessage{"no"};
                becomes.clear();
                break;
            case 2:
            case 3:
                becomes += "!" + std::to_string(draw(0, 99));
                decision = ReplaceMessage{becomes};
                break;
            default:
                break;
        }
        const bool in_time = town_.server->answer(question.ticket, decision);
        if (!in_time) doubted_.insert(text);
        if (in_time && !becomes.empty()) allowed_.insert({text, becomes});
    }

    void check() {
        std::map<std::size_t, std::pair<Epoch, Offset>> places;
        const auto rooms = town_.server->log().rooms();
        for (const std::string& room : *rooms) {
            std::map<std::string, std::size_t> newest;
            const auto records = town_.server->log().read(room, 0, 10'000);
            for (const LoggedRecord& logged : *records) {
                const Record& r = logged.record;
                if (r.act.kind != Act::Kind::message) continue;
                const std::size_t number = numbers_.at(r.id);
                const std::string& text = sent_[number].text;
                INFO(room << " " << logged.offset << " is " << r.text << " of " << text);
                REQUIRE(r.author == sent_[number].user);
                // Only what was allowed, and only once.
                REQUIRE(allowed_.count({text, r.text}) == 1);
                REQUIRE(places
                            .emplace(number,
                                     std::pair{town_.server->log().head(room).epoch, logged.offset})
                            .second);
                ++stored;
                if (r.text != text) ++changed;
                // In its author's order, unless it was refused once and the refusal was lost.
                if (doubted_.count(text) != 0) continue;
                if (sent_[number].user == "bob") continue;  // may have been muted
                REQUIRE(newest[r.author] <= number);
                newest[r.author] = number;
            }
        }
        check_answers(places);
    }

    void check_answers(const std::map<std::size_t, std::pair<Epoch, Offset>>& places) {
        for (const Chatter* person : people_) {
            for (const ClientEvent& event : person->events) {
                if (const auto* acked = std::get_if<Acked>(&event)) {
                    const auto number = requests_.find({person, acked->request});
                    if (number == requests_.end()) continue;
                    ++sent_[number->second].answers;
                    REQUIRE(places.at(number->second) == std::pair{acked->epoch, acked->offset});
                } else if (const auto* no = std::get_if<Refused>(&event)) {
                    const auto number = requests_.find({person, no->request});
                    if (number == requests_.end()) continue;
                    ++sent_[number->second].answers;
                    INFO(sent_[number->second].text << " was refused: " << error_name(no->errc));
                    REQUIRE(places.count(number->second) == 0);
                    if (no->errc == Errc::not_accepted) ++refused;
                    if (no->errc == Errc::not_checked) ++late;
                    if (no->errc == Errc::not_accepted) REQUIRE(no->text == "no");
                }
            }
        }
        for (const Sent& sent : sent_) {
            INFO(sent.text);
            REQUIRE(sent.answers == 1);
        }
    }

    Entropy random_;
    Town town_;
    std::vector<Chatter*> people_;
    std::vector<Sent> sent_;
    std::map<MessageId, std::size_t> numbers_;
    std::map<std::pair<const Chatter*, RequestId>, std::size_t> requests_;
    std::vector<CheckQuestion> open_;
    std::set<std::pair<std::string, std::string>> allowed_;  ///< A text, and what it may become.
    std::set<std::string> doubted_;  ///< Texts that were refused, or not judged, once.
};

TEST_CASE("what a program judges is stored once, in order, or refused", "[sim][checks]") {
    std::size_t stored = 0;
    std::size_t changed = 0;
    std::size_t refused = 0;
    std::size_t late = 0;
    for (std::uint64_t i = 0; i < 12; ++i) {
        const std::uint64_t seed = test::seed() + i;
        INFO("QUICCHAT_SEED=" << seed);
        Judgement judgement{seed};
        judgement.go(150);
        stored += judgement.stored;
        changed += judgement.changed;
        refused += judgement.refused;
        late += judgement.late;
    }
    CHECK(stored > 300);
    CHECK(changed > 50);
    CHECK(refused > 50);
    CHECK(late > 50);
}

TEST_CASE("a server whose program judges messages", "[sim][checks]") {
    ServerConfig config{.checks_messages = true};
    Town town{{.server = config}};
    Chatter& ada = town.add_in("ada", "#lobby");
    Chatter& bob = town.add_in("bob", "#lobby");

    SECTION("tells both of them what is stored") {
        REQUIRE(ada.client.publish("#lobby", "helo"));
        town.run();
        CHECK(bob.texts().empty());
        const auto question = town.server->poll_question();
        REQUIRE(question);
        CHECK(question->question.text == "helo");
        CHECK(town.server->answer(question->ticket, ReplaceMessage{"hello"}));
        CHECK_FALSE(town.server->answer(question->ticket, AcceptMessage{}));
        town.run();
        CHECK(bob.texts() == std::vector<std::string>{"hello"});
        CHECK(ada.texts() == std::vector<std::string>{"hello"});
        CHECK(ada.count<Acked>() == 1);
    }
    SECTION("refuses by itself in time, and says so to the program") {
        REQUIRE(ada.client.publish("#lobby", "hello"));
        town.run_for(4900ms);
        CHECK(ada.count<Refused>() == 0);
        town.run_for(200ms);
        CHECK(ada.last<Refused>().errc == Errc::not_checked);
        std::size_t failures = 0;
        while (const auto event = town.server->poll_event()) {
            const auto* failed = std::get_if<CheckFailed>(&*event);
            if (failed == nullptr) continue;
            ++failures;
            CHECK(failed->user == "ada");
            CHECK(failed->room == "#lobby");
        }
        CHECK(failures == 1);
        CHECK_FALSE(town.server->poll_question());
    }
    SECTION("reads on when it has decided, however much was sent at once") {
        for (int i = 0; i < 300; ++i) REQUIRE(ada.client.publish("#lobby", "hello"));
        std::size_t asked = 0;
        for (int round = 0; round < 1000 && asked < 300; ++round) {
            town.run();
            std::size_t now = 0;
            while (const auto question = town.server->poll_question()) {
                ++now;
                town.server->answer(question->ticket, AcceptMessage{});
            }
            CHECK(now <= config.limits.replies_max);
            asked += now;
        }
        town.run();
        CHECK(asked == 300);
        CHECK(ada.count<Acked>() == 300);
        CHECK(bob.texts().size() == 300);
    }
}

}  // namespace
}  // namespace quicchat::test

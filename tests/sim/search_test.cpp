#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory/random.hpp"
#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// Words in small letters, and the same in others.
const std::vector<std::pair<std::string, std::string>> words = {
    {"tea", "TEA"},     {"steam", "Steam"},   {"größe", "GRÖßE"}, {"čaj", "ČAJ"},
    {"λόγος", "ΛΌΓΟΣ"}, {"чайник", "ЧАЙНИК"}, {"a", "A"},         {"line\ntwo", "LINE\nTwo"}};

/// What a room should hold: for each record the text in small letters, or that nothing of it can be
/// found.
struct Reference {
    struct Entry {
        std::string text;
        bool is_said = false;
    };
    std::vector<Entry> entries{};

    /// All offsets below `before` that have all of the words, the newest first.
    std::vector<Offset> find(const std::vector<std::string>& wanted, Offset before,
                             Offset first) const {
        std::vector<Offset> found;
        for (Offset offset = std::min<Offset>(before, entries.size() + 1); offset-- > first;) {
            const Entry& entry = entries[static_cast<std::size_t>(offset - 1)];
            const bool all = std::ranges::all_of(wanted, [&](const std::string& word) {
                return entry.text.find(word) != std::string::npos;
            });
            if (entry.is_said && all) found.push_back(offset);
        }
        return found;
    }
};

/// A room in which anything is said, changed and taken away, and what should be there.
class Bazaar {
public:
    explicit Bazaar(std::uint64_t seed)
        : random_(seed),
          world_({.seed = seed,
                  .limits = {.room_log_records_max = 120,
                             .catch_up_records_max = static_cast<std::size_t>(random_.draw(1, 5)),
                             .page_records_max = 20,
                             .search_records_max = static_cast<std::size_t>(random_.draw(5, 90)),
                             .stream_backlog_bytes_max = 300}}),
          ada_(&world_.add_in_room("ada")),
          eve_(&world_.add_online("eve")) {}

    void change() {
        const auto newest = static_cast<Offset>(reference_.entries.size());
        const std::uint64_t kind = newest < 5 ? 0 : random_.draw(0, 9);
        Reference::Entry entry;
        const std::string text = draw_text(entry.text);
        const Offset target =
            newest == 0 ? 0 : random_.draw(newest - std::min<Offset>(newest, 30), newest);
        if (kind < 6) {
            entry.is_said = true;
            return commit({}, text, entry);
        }
        const auto is_said = target > 0 && reference_.entries[target - 1].is_said;
        if (!is_said) return;
        if (kind == 6) {
            reference_.entries[target - 1].text = entry.text;
            return commit({.kind = Act::Kind::edit, .target = target}, text, entry);
        }
        if (kind == 7) {
            reference_.entries[target - 1] = {};
            return commit({.kind = Act::Kind::deletion, .target = target}, "", {});
        }
        commit({.kind = Act::Kind::reaction, .target = target},
               words[0].first + std::to_string(newest), {});
    }

    /// A search from some place to the end, in as many pages as it takes. Meanwhile others talk.
    void search() {
        std::string asked;
        std::vector<std::string> wanted;
        for (std::uint64_t count = random_.draw(1, 3); count > 0; --count) {
            const auto& [small, other] = words[random_.draw(0, words.size() - 1)];
            asked += (random_.chance(50) ? small : other) + std::string(count, ' ');
            wanted.push_back(small);
        }
        const Offset newest = reference_.entries.size();
        Offset before = random_.chance(50) ? varint_max : random_.draw(0, newest + 2);
        const std::size_t count = random_.draw(1, 20);
        const Offset first = newest > 120 ? newest - 119 : 1;
        const std::vector<Offset> expected = reference_.find(wanted, before, first);
        std::vector<Offset> found;
        for (int pages = 0;; ++pages) {
            REQUIRE(pages < 300);
            REQUIRE(eve_->client.request_search("#lobby", asked, before, count));
            eve_->reading = random_.chance(70);
            world_.run_for(std::chrono::seconds{1});
            eve_->reading = true;
            world_.run_for(std::chrono::seconds{1});
            const auto page = eve_->last<SearchPage>();
            REQUIRE(page.records.size() <= count);
            for (const RoomRecord& record : page.records) {
                found.push_back(std::get<RoomMessage>(record).offset);
            }
            if (page.next == 0) break;
            before = page.next;
        }
        INFO("words: " << asked);
        CHECK(found == expected);
        found_ += found.size();
    }

    std::size_t found() const { return found_; }

private:
    std::string draw_text(std::string& in_small_letters) {
        std::string text;
        for (std::uint64_t count = random_.draw(1, 5); count > 0; --count) {
            const auto& [small, other] = words[random_.draw(0, words.size() - 1)];
            text += (random_.chance(50) ? small : other) + " ";
            in_small_letters += small + " ";
        }
        return text;
    }
    void commit(const Act& act, std::string text, Reference::Entry entry) {
        if (act.kind != Act::Kind::message) entry = {};
        REQUIRE(ada_->client.publish("#lobby", std::move(text), "{}", std::nullopt, act));
        world_.run();
        reference_.entries.push_back(std::move(entry));
        REQUIRE(ada_->last<Acked>().offset == reference_.entries.size());
    }

    memory::Random random_;
    World world_;
    Chatter* ada_;
    Chatter* eve_;
    Reference reference_;
    std::size_t found_ = 0;
};

}  // namespace

TEST_CASE("a search finds what a naive search finds", "[sim]") {
    std::size_t found = 0;
    for (std::uint64_t i = 0; i < 10; ++i) {
        INFO("seed=" << seed() + i);
        Bazaar bazaar{seed() + i};
        for (int round = 0; round < 8; ++round) {
            for (int n = 0; n < 25; ++n) bazaar.change();
            for (int n = 0; n < 3; ++n) bazaar.search();
        }
        found += bazaar.found();
    }
    CHECK(found > 1000);
}

TEST_CASE("others do not wait for searches", "[sim]") {
    World world{{.seed = seed()}};
    Chatter& ada = world.add_in_room("ada");
    for (int n = 0; n < 1000; ++n) {
        REQUIRE(ada.client.publish("#lobby", std::string(4000, '.')));
        if (n % 200 == 199) world.run();
    }
    std::vector<Chatter*> eves;
    for (int n = 0; n < 4; ++n) eves.push_back(&world.add_online("eve" + std::to_string(n)));
    const auto answered = [&] {
        std::size_t count = 0;
        for (const Chatter* eve : eves) count += eve->count<SearchPage>();
        return count;
    };
    // Until nothing is under way on the network, whatever the server has put off.
    const auto deliver = [&] {
        world.turn();
        while (const std::optional<TimePoint> next = world.network.next_event()) {
            world.network.advance_to(*next);
            world.turn();
        }
    };
    // A hundred words: the answers need thousands of turns of the server.
    std::string words = "none";
    for (int n = 0; n < 100; ++n) words += " x";
    for (Chatter* eve : eves) {
        for (int n = 0; n < 6; ++n) REQUIRE(eve->client.request_search("#lobby", words));
    }
    deliver();
    CHECK(world.server.next_deadline() <= world.network.now());  // there is more to do at once
    CHECK(answered() < 24);
    // What somebody says meanwhile is there as soon as the network allows.
    const TimePoint begin = world.network.now();
    REQUIRE(ada.client.publish("#lobby", "quick"));
    deliver();
    CHECK(ada.texts().back() == "quick");
    CHECK(world.network.now() - begin < std::chrono::milliseconds{100});
    CHECK(answered() < 24);
    world.run_for(std::chrono::seconds{2});
    CHECK(answered() == 24);  // also those that had to wait for a stream
    CHECK(world.server.next_deadline() > world.network.now());
}

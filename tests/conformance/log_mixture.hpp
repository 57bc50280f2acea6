#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "conformance/log_harness.hpp"
#include "conformance/log_trimming.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/memory/random.hpp"
#include "support/seed.hpp"

// Records of all kinds, many of them before anything is polled: what depends on how a log stores
// them together.

namespace quicchat::conformance {

namespace log_check {

/// What of the promises a log keeps, beside the others.
struct MixtureConfig {
    bool has_trims = true;  ///< By `trim`, and what does not fit any more when it is told so.
    bool has_haste = true;
};

/// Asks a log and MemoryLog for the same at random, and expects the same of both.
template <LogHarness H>
class Mixture {
public:
    explicit Mixture(std::uint64_t seed, MixtureConfig config) : random_(seed), config_(config) {
        for (const char* name : {"#a", "#b"}) rooms_[name];
        for (auto& [name, room] : rooms_) open(name, room);
    }

    /// Some are asked for before anything is polled.
    void run_batch() {
        for (auto& [name, room] : rooms_) {
            if (random_.chance(20)) choose(name, room);
        }
        const std::uint64_t count = random_.chance(50) ? random_.draw(20, 70) : random_.draw(1, 20);
        for (std::uint64_t i = 0; i < count; ++i) ask();
        while (const auto expected = model_.poll_news()) compare(*expected, next_trim(harness_));
        for (const auto& [name, room] : rooms_) compare(name);
    }

    /// From now on the log may know more old ids than it must.
    void restart() {
        harness_.restart();
        was_restarted_ = true;
        for (auto& [name, room] : rooms_) open(name, room);
    }

private:
    using Kind = Act::Kind;

    struct Room {
        Retention retention{
            .records_max = 20, .bytes_max = std::size_t{1} << 30, .ids_max = 200, .age_min = {}};
        std::vector<Record> asked{};
        Offset head = 0;  ///< At most.
    };

    void open(const std::string& name, const Room& room) {
        REQUIRE(model_.open(name, room.retention));
        REQUIRE(harness_.log().open(name, room.retention));
    }

    void choose(const std::string& name, Room& room) {
        room.retention.records_max = std::array{2u, 4u, 20u, 60u, 100u}.at(random_.draw(0, 4));
        if (config_.has_haste) {
            room.retention.age_min = std::chrono::hours{random_.chance(30) ? 1 : 0};
        }
        open(name, room);
        if (!config_.has_trims || !random_.chance(50)) return;
        trim(name, WallTime::min());
    }

    void trim(const std::string& name, WallTime before) {
        model_.trim(name, before);
        harness_.log().trim(name, before);
    }

    void ask() {
        auto& [name, room] = *std::next(rooms_.begin(), random_.chance(20) ? 1 : 0);
        if (config_.has_trims && random_.chance(3)) {
            return trim(name, now_ - std::chrono::minutes{random_.draw(0, 300)});
        }
        now_ += std::chrono::minutes{random_.draw(0, 12)};
        Record record = random_.chance(25) && !room.asked.empty() ? again(room) : make(room);
        const AppendToken token = ++newest_;
        if (random_.chance(4)) {
            model_.look_up(token, name, record);
            harness_.log().look_up(token, name, record);
            return;
        }
        std::vector<StateChange> changes;
        if (random_.chance(10)) changes.push_back({"key", std::to_string(token)});
        room.asked.push_back(record);
        model_.append(token, name, record, changes);
        harness_.log().append(token, name, std::move(record), std::move(changes));
    }

    /// One that was asked for, and sometimes is not the same.
    Record again(const Room& room) {
        // Of so few none can be too old to be recognised.
        const std::size_t count = was_restarted_ ? 100 : room.asked.size();
        const std::size_t most = std::min(room.asked.size(), count);
        Record record = room.asked[room.asked.size() - random_.draw(1, most)];
        if (random_.chance(5)) record.text += "!";
        if (random_.chance(5)) ++record.act.target;
        record.time = now_;
        return record;
    }

    Record make(Room& room) {
        ++number_;
        Record record = make_record(number_, "text " + std::to_string(number_));
        record.device = device_id(static_cast<unsigned>(random_.draw(1, 2)));
        record.author = std::array{"ada", "bob", "eve"}.at(random_.draw(0, 2));
        record.time = now_;
        ++room.head;
        const std::uint64_t kind = random_.draw(0, 99);
        if (kind < 5) record.sent = number_;
        if (kind < 50) return record;
        Act& act = record.act;
        act.target = random_.draw(room.head > 40 ? room.head - 40 : 1, room.head);
        if (kind < 65) return record;  // a reply
        if (kind < 75) {
            act.kind = random_.chance(70) ? Kind::reaction : Kind::unreaction;
        } else if (kind < 85) {
            act.kind = Kind::edit;
        } else if (kind < 92) {
            act.kind = Kind::deletion;
            record.text.clear();
        } else {
            act = {kind < 96 ? Kind::file : Kind::role, act.target, "subject", number_, now_};
        }
        return record;
    }

    void compare(const LogNews& expected, const LogNews& news) {
        REQUIRE(news.token == expected.token);
        REQUIRE(news.room == expected.room);
        REQUIRE(news.error == expected.error);
        REQUIRE(news.duplicate == expected.duplicate);
        REQUIRE(news.offset == expected.offset);
        REQUIRE(news.record.has_value() == expected.record.has_value());
        if (news.error == Errc{}) REQUIRE(news.time == expected.time);
        REQUIRE(harness_.log().head(news.room).first == model_.head(news.room).first);
        REQUIRE(harness_.log().head(news.room).head == model_.head(news.room).head);
    }

    void compare(const std::string& name) {
        const auto expected = model_.read(name, 0, 1000);
        const auto found = harness_.log().read(name, 0, 1000);
        REQUIRE(found);
        REQUIRE(found->size() == expected->size());
        for (std::size_t i = 0; i < found->size(); ++i) {
            REQUIRE(found->at(i).offset == expected->at(i).offset);
            REQUIRE(same(found->at(i).record, expected->at(i).record));
            REQUIRE(found->at(i).record.changed_by == expected->at(i).record.changed_by);
            REQUIRE(found->at(i).record.sent == expected->at(i).record.sent);
        }
        REQUIRE(harness_.log().files(name)->size() == model_.files(name)->size());
        REQUIRE(*harness_.log().state(name) == *model_.state(name));
    }

    memory::Random random_;
    MixtureConfig config_;
    H harness_;
    MemoryLog model_{Entropy::seeded(1)};
    std::map<std::string, Room> rooms_;
    bool was_restarted_ = false;
    WallTime now_{std::chrono::hours{24}};
    AppendToken newest_ = 0;
    unsigned number_ = 0;
};

}  // namespace log_check

template <LogHarness H>
void check_mixture(log_check::MixtureConfig config = {}) {
    using namespace log_check;

    SECTION("passes over none of many that come together, whatever lies between plain ones") {
        H harness;
        REQUIRE(harness.log().open("#a", {.records_max = 4, .bytes_max = 1 << 20, .ids_max = 100}));
        std::vector<Record> records;
        for (unsigned i = 1; i <= 40; ++i) {
            records.push_back(make_record(i));
            if (i % 2 == 0) records.back().act.target = 1;
        }
        for (std::size_t i = 0; i < 4; ++i) append(harness, "#a", records[i]);
        for (std::size_t i = 4; i < 40; ++i) harness.log().append(i, "#a", records[i], {});
        for (std::size_t i = 4; i < 40; ++i) REQUIRE(next(harness).offset == i + 1);
        CHECK(offsets(harness.log(), "#a") == std::vector<Offset>{37, 38, 39, 40});
        for (unsigned i = 0; i < 36; ++i) check_recognised(harness, records[i], i + 1);
    }
    SECTION("takes any mixture as the memory log does") {
        const std::uint64_t seed = test::seed();
        INFO("seed=" << seed);
        Mixture<H> mixture{seed, config};
        for (int batches = 0; batches < 60; ++batches) mixture.run_batch();
        if (!H::outlives_restart) return;
        for (int batches = 0; batches < 40; ++batches) {
            if (batches % 8 == 0) mixture.restart();
            mixture.run_batch();
        }
    }
}

}  // namespace quicchat::conformance

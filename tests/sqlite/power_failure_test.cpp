#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/power_failure.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

// Cuts the power before every write and sync of a script, and looks at what is found then.

namespace quicchat {
namespace {

using namespace sqlite;
using test::DiskFiles;
using test::FaultyDisk;
using test::PowerFailure;

constexpr std::size_t operations_min = 2000;

struct Room {
    std::string name;
    Epoch epoch{};
    Offset head = 0;
    std::deque<std::pair<Offset, std::string>> records;
    Retention retention;
};

using Rooms = std::map<RoomKey, Room>;

std::string print(const Rooms& rooms) {
    std::string text;
    for (const auto& [key, room] : rooms) {
        text += room.name + " epoch " + std::to_string(static_cast<std::uint64_t>(room.epoch)) +
                " head " + std::to_string(room.head) + ":";
        for (const auto& [offset, body] : room.records) {
            text += " " + std::to_string(offset) + "=" + body.substr(0, 12) + "/" +
                    std::to_string(body.size());
        }
        text += "\n";
    }
    return text;
}

/// What the caller was told by then: the state that must be found, or the one after it.
struct Mark {
    std::size_t operations = 0;
    std::string state;
};

Record make_record(std::uint64_t number, std::size_t size) {
    Record record;
    record.author = "ada";
    record.text = std::to_string(number) + " ";
    for (std::size_t i = 0; i < 8; ++i) {
        record.id.bytes[i] = static_cast<std::byte>(number >> (8 * i));
    }
    record.text.resize(size + 12, static_cast<char>('a' + number % 26));
    return record;
}

/// Appends to three rooms of which some are forgotten now and then, and expects the answers.
class Script {
public:
    explicit Script(Writer& writer) : writer_(&writer) {
        for (int i = 0; i < 3; ++i) open("#" + std::to_string(i));
        writer_->commit();
    }

    void run_batch(memory::Random& random) {
        std::vector<std::pair<RoomKey, Offset>> expected;
        const std::uint64_t count = random.draw(1, 7);
        for (std::uint64_t i = 0; i < count; ++i) {
            if (random.chance(2)) replace_a_room(random);
            expected.push_back(append(random));
        }
        const std::vector<AppendDone> done = writer_->commit();
        REQUIRE(done.size() == expected.size());
        for (std::size_t i = 0; i < done.size(); ++i) {
            REQUIRE(done[i].completion.error == Errc{});
            REQUIRE(done[i].completion.offset == expected[i].second);
        }
        // Trimmed once it is told that they are gone, as the Store does it.
        for (const AppendDone& d : done) {
            if (random.chance(30) && rooms_.contains(d.room))
                writer_->add(TrimRoom{d.room, d.first});
        }
    }

    std::string state() const { return print(rooms_); }

private:
    void open(const std::string& name) {
        const RoomKey key{++newest_};
        Room room;
        room.name = name;
        room.epoch = Epoch{1000 + static_cast<std::uint64_t>(newest_)};
        room.retention = {8 + 4 * static_cast<std::size_t>(newest_ % 3), 1'000'000};
        writer_->add(CreateRoom{key, name, room.epoch});
        writer_->add(SetRetention{key, room.retention});
        rooms_.emplace(key, std::move(room));
    }

    void replace_a_room(memory::Random& random) {
        const RoomKey key = any_room(random);
        const std::string name = rooms_.at(key).name;
        writer_->add(DropRoom{key});
        rooms_.erase(key);
        open(name);
    }

    RoomKey any_room(memory::Random& random) const {
        auto room = rooms_.begin();
        std::advance(room, random.draw(0, rooms_.size() - 1));
        return room->first;
    }

    std::pair<RoomKey, Offset> append(memory::Random& random) {
        const RoomKey key = any_room(random);
        Room& room = rooms_.at(key);
        AppendRecord append{key, room.name, room.epoch, 0, {}};
        if (!room.records.empty() && random.chance(20)) {  // sent again
            const auto at = static_cast<std::size_t>(random.draw(0, room.records.size() - 1));
            const auto& [offset, body] = room.records[at];
            append.record = make_record(std::stoull(body), body.size() - 12);
            writer_->add(std::move(append));
            return {key, offset};
        }
        append.record = make_record(++newest_message_, random.chance(10) ? 5000 : 100);
        room.records.emplace_back(++room.head, append.record.text);
        if (room.records.size() > room.retention.records_max) room.records.pop_front();
        writer_->add(std::move(append));
        return {key, room.head};
    }

    Writer* writer_;
    Rooms rooms_;
    std::int64_t newest_ = 0;
    std::uint64_t newest_message_ = 0;
};

DatabaseConfig config(const FaultyDisk& disk, std::optional<std::int64_t> synchronous) {
    return {.path = "chat.db", .vfs = disk.vfs(), .synchronous = synchronous};
}

/// A run of the script: what it did to the disk, and what it was told when.
struct Run {
    DiskFiles before{{"chat.db", {}}};
    std::vector<test::DiskOperation> operations;
    std::vector<Mark> marks;
};

Run run_script(std::optional<std::int64_t> synchronous, memory::Random& random) {
    Run run;
    FaultyDisk disk{run.before};
    Entropy entropy = Entropy::seeded(1);
    auto database = open_database(config(disk, synchronous), entropy);
    REQUIRE(database);
    auto writer = Writer::create(*std::move(database), Durability::fsync);
    REQUIRE(writer);
    run.marks.push_back({0, ""});
    Script script{*writer};
    run.marks.push_back({disk.operations().size(), script.state()});
    while (disk.operations().size() < operations_min) {
        script.run_batch(random);
        run.marks.push_back({disk.operations().size(), script.state()});
        writer->checkpoint_above(40);
    }
    run.operations = disk.operations();
    return run;
}

/// What the ordinary code finds on the disk; nothing if it cannot be opened.
std::optional<std::string> reopen(FaultyDisk& disk) {
    Entropy entropy = Entropy::seeded(2);
    auto database = open_database(config(disk, {}), entropy);
    if (!database) return std::nullopt;
    Rooms rooms;
    {
        Statement select{*database,
                         "SELECT room.id, name, epoch, head, offset, text FROM room "
                         "LEFT JOIN record ON room = room.id AND offset >= first "
                         "ORDER BY room.id, offset"};
        Rows rows = select.query();
        while (rows.next()) {
            Room& room = rooms[RoomKey{rows.number(0)}];
            room.name = rows.text(1);
            room.epoch = Epoch{static_cast<std::uint64_t>(rows.number(2))};
            room.head = static_cast<Offset>(rows.number(3));
            if (rows.is_null(4)) continue;
            room.records.emplace_back(rows.number(4), std::string{rows.text(5)});
        }
        if (rows.code() != SQLITE_OK) return std::nullopt;
    }
    auto writer = Writer::create(*std::move(database), Durability::fsync);
    if (!writer) return std::nullopt;
    for (const auto& [key, room] : writer->rooms()) {  // and it goes on
        writer->add(SetRetention{key, {100, 1'000'000}});
        writer->add(AppendRecord{key, room.name, room.epoch, 0, make_record(1'000'000, 10)});
        writer->add(AppendRecord{key, room.name, room.epoch, 0, make_record(1'000'000, 10)});
        const auto done = writer->commit();
        if (done.size() != 2 || done[0].completion.offset != rooms.at(key).head + 1 ||
            !done[1].completion.duplicate) {
            return std::nullopt;
        }
    }
    return print(rooms);
}

struct Verdict {
    std::size_t cuts = 0;
    std::size_t lost = 0;    ///< An older state than the one that was acknowledged.
    std::size_t broken = 0;  ///< Cannot be opened, or a state that never was.
    std::string first;       ///< The first of them, for people.
};

/// Cuts at every `stride`-th operation.
Verdict cut(const Run& run, memory::Random& random, std::size_t stride) {
    Verdict verdict;
    PowerFailure power{run.before};
    std::size_t mark = 0;
    for (std::size_t i = 0; i <= run.operations.size(); ++i) {
        if (i > 0) power.apply(run.operations[i - 1]);
        while (mark + 1 < run.marks.size() && run.marks[mark + 1].operations <= i) ++mark;
        if (i % stride != 0) continue;
        for (const PowerFailure::Fate fate : PowerFailure::fates) {
            ++verdict.cuts;
            FaultyDisk disk{power.image(fate, random)};
            const std::optional<std::string> found = reopen(disk);
            if (found == run.marks[mark].state) continue;
            if (mark + 1 < run.marks.size() && found == run.marks[mark + 1].state) continue;
            const bool is_older = std::any_of(run.marks.begin(),
                                              run.marks.begin() + static_cast<std::ptrdiff_t>(mark),
                                              [&](const Mark& m) { return m.state == found; });
            ++(is_older ? verdict.lost : verdict.broken);
            if (verdict.lost + verdict.broken == 1) {
                verdict.first = "at operation " + std::to_string(i) + ", fate " +
                                std::to_string(static_cast<int>(fate)) + "\nfound:\n" +
                                found.value_or("nothing that opens") + "\nexpected:\n" +
                                run.marks[mark].state;
            }
        }
    }
    return verdict;
}

TEST_CASE("no acknowledged record is lost when the power fails", "[sqlite][power]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    memory::Random random{seed};
    const Verdict verdict = cut(run_script({}, random), random, 1);
    INFO(verdict.first);
    CHECK(verdict.cuts > 5 * operations_min);
    CHECK(verdict.lost == 0);
    CHECK(verdict.broken == 0);
}

TEST_CASE("the power failure test notices what is not synced", "[sqlite][power]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    memory::Random random{seed};
    SECTION("without any sync, records are lost or worse") {
        const Verdict verdict = cut(run_script(0, random), random, 50);
        CHECK(verdict.lost + verdict.broken > 0);
    }
    SECTION("with syncs at checkpoints only, records are lost and nothing worse") {
        const Verdict verdict = cut(run_script(1, random), random, 20);
        CHECK(verdict.lost > 0);
        CHECK(verdict.broken == 0);
    }
}

}  // namespace
}  // namespace quicchat

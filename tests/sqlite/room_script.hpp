#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/log/repeat.hpp"
#include "quicchat/memory/random.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/faulty_disk.hpp"
#include "support/printers.hpp"

namespace quicchat::test {

/// What a room should look like on the disk.
struct ScriptRoom {
    std::string name;
    Epoch epoch{};
    Offset head = 0;
    std::int64_t bytes = 0;
    std::deque<LoggedRecord> records{};
    std::deque<OldId> old{};  ///< Of records that retention dropped.
    RoomState state{};
    std::vector<Record> sent{};  ///< As they were appended, by offset - 1.
    Retention retention{};
};

/// How many ids of a script's rooms are recognised.
inline constexpr std::size_t script_ids_max = 15;

using ScriptRooms = std::map<sqlite::RoomKey, ScriptRoom>;

inline std::string print(const ScriptRooms& rooms) {
    std::string text;
    for (const auto& [key, room] : rooms) {
        text += room.name + " epoch " + std::to_string(static_cast<std::uint64_t>(room.epoch)) +
                " head " + std::to_string(room.head) + " bytes " + std::to_string(room.bytes) + ":";
        for (const auto& [offset, record] : room.records) {
            text += " " + std::to_string(offset) + "=" +
                    std::to_string(static_cast<int>(record.act.kind)) + "/" +
                    record.text.substr(0, 12) + "/" + std::to_string(record.text.size()) + "/" +
                    std::to_string(record.changed_by) + "/" + std::to_string(record.sent);
        }
        for (const OldId& old : room.old) {
            text += " old " + std::to_string(old.offset) + "/" + std::to_string(old.mark);
        }
        for (const auto& [name, value] : room.state) text += " " + name + ":" + value;
        text += "\n";
    }
    return text;
}

inline Record make_script_record(std::uint64_t number, std::size_t size) {
    Record record;
    record.author = "ada";
    record.attributes = "{}";
    record.time = WallTime{std::chrono::milliseconds{number}};
    record.text = std::to_string(number) + " ";
    for (std::size_t i = 0; i < 8; ++i) {
        record.id.bytes[i] = static_cast<std::byte>(number >> (8 * i));
    }
    record.text.resize(size + 12, static_cast<char>('a' + number % 26));
    return record;
}

/// Writes to three rooms of which some are forgotten now and then: messages, replies, edits,
/// deletions, repetitions and state. Expects the answers, and knows what should be on the disk.
class RoomScript {
public:
    explicit RoomScript(sqlite::Writer& writer) : writer_(&writer) {
        for (int i = 0; i < 3; ++i) open("#" + std::to_string(i));
        writer_->commit();
    }

    /// A transaction. False: the disk has failed, and nobody knows whether it was stored.
    bool run_batch(memory::Random& random) {
        std::vector<Answer> expected;
        std::size_t drops = 0;
        const std::uint64_t count = random.chance(10) ? random.draw(8, 40) : random.draw(1, 7);
        for (std::uint64_t i = 0; i < count; ++i) {
            if (random.chance(2)) replace_a_room(random);
            if (random.chance(30)) store(random);
            expected.push_back(append(random));
            if (!random.chance(8)) continue;
            expected.push_back(drop_old(random));
            ++drops;
        }
        const std::vector<sqlite::WriteDone> done = writer_->commit();
        if (writer_->failure()) {
            const auto appends = std::ranges::count_if(done, &sqlite::WriteDone::is_append);
            REQUIRE(static_cast<std::size_t>(appends) == expected.size() - drops);
            return false;
        }
        REQUIRE(done.size() == expected.size());
        for (std::size_t i = 0; i < done.size(); ++i) check(done[i], expected[i]);
        trim(done, random);
        return true;
    }

    /// A transaction of a store and an append. False: the disk is full, and the append was refused.
    bool run_alone(memory::Random& random) {
        store(random);
        const ScriptRooms before = rooms_;
        const Answer expected = append(random);
        const std::vector<sqlite::WriteDone> done = writer_->commit();
        REQUIRE(done.size() == 1);
        if (done[0].news.error == Errc::storage_full) {
            rooms_ = before;  // the store waits, and will not be lost
            return false;
        }
        check(done[0], expected);
        trim(done, random);
        return true;
    }

    std::string state() const { return print(rooms_); }

private:
    struct Answer {
        Errc error{};
        Offset offset = 0;
    };

    static void check(const sqlite::WriteDone& done, const Answer& expected) {
        REQUIRE(done.news.error == expected.error);
        REQUIRE(done.news.offset == expected.offset);
    }

    /// Once it is told that they are gone, as the Store does it.
    void trim(const std::vector<sqlite::WriteDone>& all, memory::Random& random) {
        for (const sqlite::WriteDone& done : all) {
            if (!random.chance(30) || !rooms_.contains(done.room)) continue;
            writer_->add(sqlite::TrimRoom{done.room, done.first, random.chance(50)});
        }
    }

    void open(const std::string& name) {
        const sqlite::RoomKey key{++newest_};
        ScriptRoom room;
        room.name = name;
        room.epoch = Epoch{1000 + static_cast<std::uint64_t>(newest_)};
        room.retention = {.records_max = 8 + 4 * static_cast<std::size_t>(newest_ % 3),
                          .bytes_max = 1'000'000,
                          .ids_max = script_ids_max};
        writer_->add(sqlite::CreateRoom{key, name, room.epoch});
        writer_->add(sqlite::SetRetention{key, room.retention});
        rooms_.emplace(key, std::move(room));
    }

    void replace_a_room(memory::Random& random) {
        const sqlite::RoomKey key = any_room(random);
        const std::string name = rooms_.at(key).name;
        writer_->add(sqlite::DropRoom{key});
        rooms_.erase(key);
        open(name);
    }

    sqlite::RoomKey any_room(memory::Random& random) const {
        auto room = rooms_.begin();
        std::advance(room, random.draw(0, rooms_.size() - 1));
        return room->first;
    }

    StateChange any_change(memory::Random& random) {
        StateChange change{"key" + std::to_string(random.draw(0, 3)), std::nullopt};
        if (random.chance(70)) change.value = std::to_string(++newest_value_);
        return change;
    }

    static void change(RoomState& state, const StateChange& change) {
        if (change.value) {
            state[change.key] = *change.value;
        } else {
            state.erase(change.key);
        }
    }

    void store(memory::Random& random) {
        const sqlite::RoomKey key = any_room(random);
        const StateChange stored = any_change(random);
        change(rooms_.at(key).state, stored);
        writer_->add(sqlite::StoreState{key, {{stored.key, stored.value}}});
    }

    Answer append(memory::Random& random) {
        const sqlite::RoomKey key = any_room(random);
        ScriptRoom& room = rooms_.at(key);
        sqlite::AppendRecord append{key, room.name, room.epoch, 0, {}, {}, false};
        if (random.chance(50)) append.changes.push_back(any_change(random));
        if (!room.records.empty() && random.chance(15)) {  // sent again
            const Offset oldest = room.head - std::min<Offset>(room.head, room.retention.ids_max);
            const Offset offset = random.draw(oldest + 1, room.head);
            append.record = room.sent[static_cast<std::size_t>(offset - 1)];
            writer_->add(std::move(append));
            return {Errc{}, offset};
        }
        append.record = make_script_record(++newest_message_, random.chance(10) ? 5000 : 100);
        if (random.chance(20)) append.record.sent = newest_message_;
        Act& act = append.record.act;
        if (!room.records.empty() && random.chance(40)) {
            act.kind = random.chance(60) ? Act::Kind::edit : Act::Kind::deletion;
            act.target = any_offset(room, random);
            if (act.kind == Act::Kind::deletion) append.record.text.clear();
            if (!change_target(room, append.record)) {
                writer_->add(std::move(append));
                return {Errc::no_such_message, 0};
            }
        } else if (!room.records.empty() && random.chance(40)) {
            act.target = any_offset(room, random);  // a reply
        }
        room.sent.push_back(append.record);
        room.records.push_back({++room.head, append.record});
        for (const StateChange& c : append.changes) change(room.state, c);
        if (room.records.size() > room.retention.records_max) drop_oldest(room);
        forget_old(room);
        room.bytes = 0;
        for (const LoggedRecord& r : room.records) room.bytes += sqlite::detail::size_of(r.record);
        writer_->add(std::move(append));
        return {Errc{}, room.head};
    }

    /// What was stored before some time goes.
    Answer drop_old(memory::Random& random) {
        const sqlite::RoomKey key = any_room(random);
        ScriptRoom& room = rooms_.at(key);
        WallTime before = WallTime::min();
        if (!room.records.empty()) {
            const auto& newest = room.records.back().record;
            const auto& oldest = room.records.front().record;
            const auto span = static_cast<std::uint64_t>((newest.time - oldest.time).count());
            before = oldest.time + std::chrono::milliseconds{random.draw(0, span + 1)};
        }
        writer_->add(sqlite::DropOld{key, room.name, room.epoch, before});
        while (!room.records.empty() && room.records.front().record.time < before) {
            drop_oldest(room);
        }
        forget_old(room);
        return {};
    }

    static void drop_oldest(ScriptRoom& room) {
        room.bytes -= sqlite::detail::size_of(room.records.front().record);
        room.old.push_back(old_id_of(room.records.front()));
        room.records.pop_front();
    }

    static void forget_old(ScriptRoom& room) {
        while (!room.old.empty() &&
               room.records.size() + room.old.size() > room.retention.ids_max) {
            room.old.pop_front();
        }
    }

    static Offset any_offset(const ScriptRoom& room, memory::Random& random) {
        return random.draw(room.records.front().offset, room.head);
    }

    static bool change_target(ScriptRoom& room, const Record& by) {
        for (LoggedRecord& r : room.records) {
            if (r.offset != by.act.target) continue;
            if (r.record.act.kind != Act::Kind::message) return false;
            r.record.text = by.text;
            r.record.changed_by = room.head + 1;
            if (by.act.kind == Act::Kind::deletion) r.record.act.kind = Act::Kind::tombstone;
        }
        for (LoggedRecord& r : room.records) {
            const Act& act = r.record.act;
            if (by.act.kind != Act::Kind::deletion || act.kind != Act::Kind::edit) continue;
            if (act.target != by.act.target) continue;
            r.record.text.clear();
            r.record.changed_by = room.head + 1;
        }
        return true;
    }

    sqlite::Writer* writer_;
    ScriptRooms rooms_;
    std::int64_t newest_ = 0;
    std::uint64_t newest_message_ = 0;
    std::uint64_t newest_value_ = 0;
};

/// What the ordinary code finds in a database of a script, and that it goes on; nothing if it
/// cannot be opened.
inline std::optional<std::string> reopen_script(const FaultyDisk& disk) {
    using namespace sqlite;
    Entropy entropy = Entropy::seeded(2);
    auto database = open_database({.path = "chat.db", .vfs = disk.vfs()}, entropy);
    if (!database) return std::nullopt;
    ScriptRooms rooms;
    {
        std::map<RoomKey, StoredRoom> stored;
        if (sqlite::detail::load_rooms(*database, stored) != SQLITE_OK) return std::nullopt;
        Statement records{*database, sqlite::detail::select_records};
        Statement before{*database, sqlite::detail::select_records};
        std::map<RoomKey, std::map<Offset, OldId>> blocks;
        const auto take = [&](RoomKey key, const sqlite::detail::OldRecord& id) {
            blocks[key][id.id.offset] = id.id;
        };
        if (sqlite::detail::IdBlocks{*database}.load(take) != SQLITE_OK) return std::nullopt;
        Statement state{*database, "SELECT key, value FROM room_state WHERE room=?1"};
        for (const auto& [key, found] : stored) {
            ScriptRoom& room = rooms[key];
            room.name = found.name;
            room.epoch = found.epoch;
            room.head = found.head;
            room.bytes = found.bytes;
            Rows rows = records.query(key, found.first, found.head, 1000);
            while (rows.next()) room.records.push_back(sqlite::detail::read_record(rows));
            Rows dropped = before.query(key, 0, found.first - 1, 1000);
            std::map<Offset, OldId> old = blocks[key];
            while (dropped.next()) {
                const LoggedRecord record = sqlite::detail::read_record(dropped);
                old[record.offset] = old_id_of(record);
            }
            for (const auto& [offset, id] : old) room.old.push_back(id);
            // Some more may be there than have to be recognised.
            while (!room.old.empty() && room.records.size() + room.old.size() > script_ids_max) {
                room.old.pop_front();
            }
            Rows values = state.query(key);
            while (values.next()) room.state.emplace(values.text(0), values.text(1));
            for (const Rows* all : {&rows, &dropped, &values}) {
                if (all->code() != SQLITE_OK) return std::nullopt;
            }
        }
    }
    auto writer = Writer::create(*std::move(database), Durability::fsync);
    if (!writer) return std::nullopt;
    for (const auto& [key, room] : rooms) {  // and it goes on
        writer->add(SetRetention{key, {100, 1'000'000}});
        for (int i = 0; i < 2; ++i) {
            writer->add(AppendRecord{
                key, room.name, room.epoch, 0, make_script_record(1'000'000, 10), {}, false});
        }
        const auto done = writer->commit();
        if (done.size() != 2 || done[0].news.offset != room.head + 1 || !done[1].news.duplicate) {
            return std::nullopt;
        }
    }
    return print(rooms);
}

}  // namespace quicchat::test

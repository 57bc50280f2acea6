#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/log/authors.hpp"
#include "quicchat/log/name_table.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// The log that a crash loses: for tests, and for servers that need no history. Each room keeps the
/// newest records within its retention, and recognises its newest ids.
class MemoryLog : public RoomLog {
public:
    /// `entropy` gives the epochs.
    explicit MemoryLog(Entropy entropy);
    /// With all records.
    MemoryLog(MemoryLog&&) = default;
    /// With all records.
    MemoryLog& operator=(MemoryLog&&) = default;

    Result<LogHead> open(const std::string& room, Retention retention) override;

    void forget(const std::string& room) override;

    Result<std::vector<std::string>> rooms() const override;

    LogHead head(const std::string& room) const override;

    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes = {}) override;

    void look_up(AppendToken token, const std::string& room, Record record) override;

    void trim(const std::string& room, WallTime before) override;

    void store(const std::string& room, std::vector<StateChange> changes) override;

    Result<RoomState> state(const std::string& room) const override;

    /// Stores the record, too: before that nobody may know of it.
    std::optional<LogNews> poll_news() override;

    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override;

    Result<std::vector<LoggedRecord>> files(const std::string& room) const override;

    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const override;

    Durability durability() const override { return Durability::memory; }

private:
    struct Room {
        Epoch epoch{};
        Retention retention;
        Offset first = 1;
        std::deque<LoggedRecord> records;
        std::int64_t bytes = 0;
        NameTable names;  ///< Also of records that are gone, see `authors`.
        Authors authors;
        RoomState state;

        Offset head() const { return first + records.size() - 1; }
        LoggedRecord& at(Offset offset);
        const LoggedRecord& at(Offset offset) const;
    };

    struct Append {
        AppendToken token = 0;
        std::string name;
        Record record;
        bool only_look_up = false;
    };

    struct Trim {
        std::string name;
        WallTime before{};
    };

    /// Something to do, in the order in which it was asked.
    struct Step {
        std::shared_ptr<Room> room;  ///< Also if it is forgotten meanwhile.
        std::vector<StateChange> changes;
        std::optional<Append> append;
        std::optional<Trim> trim{};

        bool has_news() const { return append || trim; }
    };

    /// `done` is empty before.
    void commit(Step& step, LogNews& done);

    /// Nothing: nothing went.
    std::optional<LogNews> trim(Step& step);

    std::uint64_t hash_of(const Record& record) const;

    /// The offset of the record that has or had the name of this one.
    static std::optional<Offset> find_name(const Room& room, std::uint64_t hash,
                                           const Record& record);

    /// The record has the name of the one that is or was at the offset.
    static void recognise(Room& r, const Record& record, Offset offset, LogNews& done);

    /// Does the changes of state that nothing else is before.
    void store_first();

    static void change_state(Room& room, std::vector<StateChange> changes);

    /// The records that the one at `offset` will change, as they will be. Nothing: there is no
    /// message at its target.
    static std::optional<std::vector<LoggedRecord>> changed_by(Room& room, const Record& record,
                                                               Offset offset);

    /// Whether the record would push out what another wrote a short while ago, and may not.
    static bool is_too_hasty(Room& room, const Record& record,
                             const std::vector<LoggedRecord>& changed);

    /// Its bytes are taken away, -1, or added.
    static void count(Room& room, const Record& record, std::int64_t sign);

    static std::int64_t bytes_of(const Record& record);

    /// What does not fit.
    void drop_surplus(Room& room);

    void drop_oldest(Room& room);

    /// Of the ids without records.
    void forget_surplus(Room& room, const std::string& author, const DeviceId& device);

    /// Takes a step, and forgets the name of what it forgets.
    void take(Room& room, const Authors::Step& step);

    Entropy entropy_;
    SipHash hash_;
    std::map<std::string, std::shared_ptr<Room>> rooms_;
    std::deque<Step> queue_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/log/impl/memory_log.ipp"
#endif

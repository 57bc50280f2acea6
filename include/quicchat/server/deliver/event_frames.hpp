#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/rooms/room.hpp"

namespace quicchat {

/// Makes the frames of records when they are written, from their offsets: so what was edited or
/// deleted while somebody did not read goes out as it is now. Each frame is made once for all who
/// want it: a room keeps those of its recent records; those of older ones, which members that catch
/// up and pages of history ask for, are kept here for a short while.
class EventFrames {
public:
    EventFrames(const RoomLog& log, const Limits& limits) : log_(&log), limits_(&limits) {}

    /// A record of the room as it is now; nothing if the log has dropped it, or cannot be read.
    std::optional<Bytes> get(const Room& room, Offset offset) {
        if (const Bytes* frame = room.recent(offset)) return *frame;
        const auto found = older_.find({room.epoch(), offset});
        if (found != older_.end()) return found->second.frame;
        const auto records = log_->read(room.key(), offset - 1, limits_->catch_up_records_max);
        if (!records) failure_ = to_errc(records.error());
        if (!records || records->empty() || records->front().offset != offset) return std::nullopt;
        Bytes frame = encode_event(records->front());
        keep(room.epoch(), records->front(), frame);
        for (std::size_t i = 1; i < records->size(); ++i) {
            keep(room.epoch(), (*records)[i], encode_event((*records)[i]));
        }
        return frame;
    }

    /// A record was committed, and its room knows it: what it changes is made anew.
    void handle_commit(Room& room, const LoggedRecord& logged) {
        const Act& act = logged.record.act;
        if (!is_change(act)) return;
        refresh(room, act.target);
        if (act.kind != Act::Kind::deletion) return;
        // The text of its edits is gone as well.
        for (const Offset edit : room.recent_edits_of(act.target)) refresh(room, edit);
        for (auto entry = older_.lower_bound({room.epoch(), 0});
             entry != older_.end() && entry->first.first == room.epoch();) {
            entry = entry->second.target == act.target ? drop(entry) : std::next(entry);
        }
    }

    /// Why the log could not be read, once.
    Errc take_failure() { return std::exchange(failure_, Errc{}); }
    bool has_failed() const { return failure_ != Errc{}; }

private:
    /// So many frames of older records are kept, for all rooms together.
    static constexpr std::size_t older_max = 256;
    static constexpr std::size_t older_bytes_max = 4 * 1024 * 1024;

    using Key = std::pair<Epoch, Offset>;  ///< An epoch is that of one room only.
    struct Older {
        Bytes frame;
        Offset target = 0;  ///< Of an edit.
    };
    using Map = std::map<Key, Older>;

    void keep(Epoch epoch, const LoggedRecord& logged, Bytes frame) {
        const Act& act = logged.record.act;
        const Offset target = act.kind == Act::Kind::edit ? act.target : 0;
        const auto [entry, is_new] =
            older_.try_emplace({epoch, logged.offset}, Older{std::move(frame), target});
        if (!is_new) return;
        bytes_ += entry->second.frame.size();
        order_.push_back(entry->first);
        while (!order_.empty() && (older_.size() > older_max || bytes_ > older_bytes_max ||
                                   order_.size() > 2 * older_max)) {
            const auto oldest = older_.find(order_.front());
            order_.pop_front();  // it may be gone already
            if (oldest != older_.end()) drop(oldest);
        }
    }

    Map::iterator drop(Map::iterator entry) {
        bytes_ -= entry->second.frame.size();
        return older_.erase(entry);
    }

    void refresh(Room& room, Offset offset) {
        if (const auto older = older_.find({room.epoch(), offset}); older != older_.end()) {
            drop(older);
        }
        if (room.recent(offset) == nullptr) return;
        const auto records = log_->read(room.key(), offset - 1, 1);
        if (!records) failure_ = to_errc(records.error());
        const bool is_there = records && !records->empty() && records->front().offset == offset;
        room.replace_recent(offset, is_there ? encode_event(records->front()) : Bytes{});
    }

    const RoomLog* log_;
    const Limits* limits_;
    Map older_;
    std::deque<Key> order_;  ///< In which they came.
    std::size_t bytes_ = 0;
    Errc failure_{};
};

}  // namespace quicchat

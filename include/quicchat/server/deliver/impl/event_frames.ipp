#pragma once

#include "quicchat/server/deliver/event_frames.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/server/deliver/frames.hpp"

namespace quicchat {

QUICCHAT_DECL EventFrames::EventFrames(const RoomLog& log, const Limits& limits, TurnWork& work)
    : log_(&log), limits_(&limits), work_(&work) {}

QUICCHAT_DECL std::optional<Bytes> EventFrames::get(const Room& room, Offset offset,
                                                    std::string_view reader) {
    if (const Bytes* frame = room.recent(offset)) return *frame;
    work_->count(reader, 0);
    const auto found = older_.find({room.epoch(), offset});
    if (found != older_.end()) return found->second.frame;
    const auto records = log_->read(room.key(), offset - 1, limits_->catch_up_records_max);
    if (!records) failure_ = to_errc(records.error());
    if (!records || records->empty() || records->front().offset != offset) return std::nullopt;
    Bytes frame = encode_event(records->front());
    work_->count(reader, frame.size());
    keep(room.epoch(), records->front(), frame);
    for (std::size_t i = 1; i < records->size(); ++i) {
        Bytes next = encode_event((*records)[i]);
        work_->count(reader, next.size());
        keep(room.epoch(), (*records)[i], std::move(next));
    }
    return frame;
}

QUICCHAT_DECL EventFrames::Run EventFrames::get_run(const Room& room, Offset first) {
    const Bytes* const one = room.recent(first);
    if (one == nullptr) return {};
    if (first == room.head() || one->size() >= run_bytes_max / 2) return {*one, first, first};
    Made& made = runs_[first % runs_max];
    if (made.run.first == first && made.epoch == room.epoch() && made.head == room.head()) {
        return made.run;
    }
    Buffer all;
    Offset last = first;
    for (Offset offset = first; offset <= room.head(); ++offset) {
        const Bytes* const frame = room.recent(offset);
        if (frame == nullptr || all.size() + frame->size() > run_bytes_max) break;
        append(all, frame->view());
        last = offset;
    }
    made = {{Bytes{std::move(all)}, first, last}, room.epoch(), room.head()};
    return made.run;
}

QUICCHAT_DECL void EventFrames::handle_commit(Room& room, const LoggedRecord& logged) {
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

QUICCHAT_RARE_DECL void EventFrames::drop_before(const Room& room, Offset first) {
    for (auto entry = older_.lower_bound({room.epoch(), 0});
         entry != older_.end() && entry->first < Key{room.epoch(), first};) {
        entry = drop(entry);
    }
}

QUICCHAT_DECL Errc EventFrames::take_failure() { return std::exchange(failure_, Errc{}); }

QUICCHAT_DECL void EventFrames::keep(Epoch epoch, const LoggedRecord& logged, Bytes frame) {
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

QUICCHAT_DECL EventFrames::Map::iterator EventFrames::drop(Map::iterator entry) {
    bytes_ -= entry->second.frame.size();
    return older_.erase(entry);
}

QUICCHAT_DECL void EventFrames::refresh(Room& room, Offset offset) {
    if (const auto older = older_.find({room.epoch(), offset}); older != older_.end()) {
        drop(older);
    }
    if (room.recent(offset) == nullptr) return;
    const auto records = log_->read(room.key(), offset - 1, 1);
    if (!records) failure_ = to_errc(records.error());
    const bool is_there = records && !records->empty() && records->front().offset == offset;
    room.replace_recent(offset, is_there ? encode_event(records->front()) : Bytes{});
}

}  // namespace quicchat

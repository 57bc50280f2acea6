#pragma once

#include "quicchat/session/answer_watch.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL AnswerWatch::AnswerWatch(const Limits& limits)
    : answer_wait_(limits.answer_wait), answer_timeout_(limits.answer_timeout) {}

QUICCHAT_DECL AnswerWatch::Wait AnswerWatch::begin(RequestId request) {
    waits_.emplace_hint(waits_.end(), ++newest_, Waiting{request});
    return newest_;
}

QUICCHAT_DECL void AnswerWatch::end(Wait& wait) { waits_.erase(std::exchange(wait, 0)); }

QUICCHAT_DECL void AnswerWatch::handle_disconnected() {
    waits_.clear();
    quiet_since_.reset();
    late_.reset();
    heard_ = said_ = false;
}

QUICCHAT_DECL void AnswerWatch::handle_timeout(TimePoint now, bool can_hear, bool transfers) {
    now_ = now;
    for (auto wait = waits_.rbegin(); wait != waits_.rend() && !wait->second.since; ++wait) {
        wait->second.since = now;
    }
    // What waited while nobody read has not been looked at in the first turn after that.
    const bool was_deaf = !std::exchange(can_hear_, can_hear);
    if (!can_hear || was_deaf) hears_since_ = now;
    if (waits_.empty() && !transfers) {
        quiet_since_.reset();
    } else if (!quiet_since_ || heard_ || hears_since_ == now) {
        quiet_since_ = now;
    }
    heard_ = false;
    const std::optional<TimePoint> since = oldest();
    const bool is_late = since && now - *since >= answer_wait_;
    if (is_late && !said_) late_ = waits_.begin()->second.request;
    said_ = is_late;
}

QUICCHAT_DECL std::optional<RequestId> AnswerWatch::poll_late() {
    return std::exchange(late_, std::nullopt);
}

QUICCHAT_DECL Duration AnswerWatch::waited() const {
    return now_ - waits_.begin()->second.since.value_or(now_);
}

QUICCHAT_DECL bool AnswerWatch::is_over() const {
    return quiet_since_ && now_ - *quiet_since_ >= answer_timeout_;
}

QUICCHAT_DECL std::optional<TimePoint> AnswerWatch::next_deadline(bool transfers) const {
    if (waits_.empty() && !transfers) return std::nullopt;
    // At once where something began after the latest turn: it counts from the next one on.
    const TimePoint end = quiet_since_ ? *quiet_since_ + answer_timeout_ : now_;
    if (waits_.empty()) return end;
    if (!waits_.rbegin()->second.since) return now_;
    return said_ ? end : std::min(end, *oldest() + answer_wait_);
}

QUICCHAT_DECL std::optional<TimePoint> AnswerWatch::oldest() const {
    if (waits_.empty() || !waits_.begin()->second.since) return std::nullopt;
    return std::max(*waits_.begin()->second.since, hears_since_);
}

}  // namespace quicchat

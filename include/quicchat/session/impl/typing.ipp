#pragma once

#include "quicchat/session/typing.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"

namespace quicchat {

QUICCHAT_DECL TypingPeople::TypingPeople(const Limits& limits)
    : pause_(limits.typing_pause), expiry_(limits.typing_expiry) {}

QUICCHAT_DECL bool TypingPeople::may_say(const std::string& room, TimePoint now) {
    const auto [place, first] = said_.try_emplace(canonical_name(room), now);
    if (!first && now < place->second + pause_) return false;
    place->second = now;
    return true;
}

QUICCHAT_DECL void TypingPeople::handle_typing(const std::string& room, const std::string& user,
                                               TimePoint now) {
    const auto [place, news] =
        until_.try_emplace({canonical_name(room), canonical_name(user)}, Entry{room, user, {}});
    place->second.until = now + expiry_;
    if (news && until_.size() > people_max) return void(until_.erase(place));
    if (news) events_.push_back({room, user, true});
}

QUICCHAT_DECL void TypingPeople::handle_done(const std::string& room, const std::string& user) {
    if (until_.empty()) return;
    const auto place = until_.find({canonical_name(room), canonical_name(user)});
    if (place != until_.end()) end(place);
}

QUICCHAT_DECL void TypingPeople::handle_timeout(TimePoint now) {
    for (auto place = until_.begin(); place != until_.end();) {
        const auto next = std::next(place);
        if (now >= place->second.until) end(place);
        place = next;
    }
}

QUICCHAT_DECL void TypingPeople::clear() {
    while (!until_.empty()) end(until_.begin());
    said_.clear();
}

QUICCHAT_DECL std::optional<TimePoint> TypingPeople::next_deadline() const {
    std::optional<TimePoint> deadline;
    for (const auto& [key, entry] : until_) deadline = earlier(deadline, entry.until);
    return deadline;
}

QUICCHAT_DECL std::optional<TypingChanged> TypingPeople::poll_event() { return pop_front(events_); }

QUICCHAT_DECL void TypingPeople::end(Entries::iterator place) {
    events_.push_back({place->second.room, place->second.user, false});
    until_.erase(place);
}

}  // namespace quicchat

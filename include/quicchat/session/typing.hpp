#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/session/event.hpp"

namespace quicchat {

/// Who is typing in which room, as far as hints tell that may be lost (PROTOCOL.md §6.13).
class TypingPeople {
public:
    explicit TypingPeople(const Limits& limits)
        : pause_(limits.typing_pause), expiry_(limits.typing_expiry) {}

    /// True if it may be said now that we are typing in a room.
    bool may_say(const std::string& room, TimePoint now) {
        const auto [place, first] = said_.try_emplace(canonical_name(room), now);
        if (!first && now < place->second + pause_) return false;
        place->second = now;
        return true;
    }

    /// Somebody types.
    void handle_typing(const std::string& room, const std::string& user, TimePoint now) {
        const auto [place, news] =
            until_.try_emplace({canonical_name(room), canonical_name(user)}, Entry{room, user, {}});
        place->second.until = now + expiry_;
        if (news && until_.size() > people_max) return void(until_.erase(place));
        if (news) events_.push_back({room, user, true});
    }

    /// Somebody has said what he typed, or is gone.
    void handle_done(const std::string& room, const std::string& user) {
        if (until_.empty()) return;
        const auto place = until_.find({canonical_name(room), canonical_name(user)});
        if (place != until_.end()) end(place);
    }

    void handle_timeout(TimePoint now) {
        for (auto place = until_.begin(); place != until_.end();) {
            const auto next = std::next(place);
            if (now >= place->second.until) end(place);
            place = next;
        }
    }

    /// Nobody knows any more.
    void clear() {
        while (!until_.empty()) end(until_.begin());
        said_.clear();
    }

    std::optional<TimePoint> next_deadline() const {
        std::optional<TimePoint> deadline;
        for (const auto& [key, entry] : until_) deadline = earlier(deadline, entry.until);
        return deadline;
    }

    std::optional<TypingChanged> poll_event() { return pop_front(events_); }

private:
    static constexpr std::size_t people_max = 200;

    struct Entry {
        std::string room;
        std::string user;
        TimePoint until;
    };
    using Entries = std::map<std::pair<std::string, std::string>, Entry>;

    void end(Entries::iterator place) {
        events_.push_back({place->second.room, place->second.user, false});
        until_.erase(place);
    }

    Duration pause_;
    Duration expiry_;
    std::map<std::string, TimePoint> said_;
    Entries until_;
    std::deque<TypingChanged> events_;
};

}  // namespace quicchat

#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/session/event.hpp"

namespace quicchat {

/// Who is typing in which room, as far as hints tell that may be lost (PROTOCOL.md §6.13).
class TypingPeople {
public:
    /// It takes `typing_pause` and `typing_expiry` of them.
    explicit TypingPeople(const Limits& limits);

    /// True if it may be said now that we are typing in a room.
    bool may_say(const std::string& room, TimePoint now);

    /// Somebody types.
    void handle_typing(const std::string& room, const std::string& user, TimePoint now);

    /// Somebody has said what he typed, or is gone.
    void handle_done(const std::string& room, const std::string& user);

    /// Those whose hint is too old type no more: TypingChanged follows for each.
    void handle_timeout(TimePoint now);

    /// Nobody knows any more.
    void clear();

    /// When the next hint is too old; nothing: nobody types.
    std::optional<TimePoint> next_deadline() const;

    /// Who began or ended to type, once for each.
    std::optional<TypingChanged> poll_event();

private:
    static constexpr std::size_t people_max = 200;

    struct Entry {
        std::string room;
        std::string user;
        TimePoint until;
    };
    using Entries = std::map<std::pair<std::string, std::string>, Entry>;

    void end(Entries::iterator place);

    Duration pause_;
    Duration expiry_;
    std::map<std::string, TimePoint> said_;
    Entries until_;
    std::deque<TypingChanged> events_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/typing.ipp"
#endif

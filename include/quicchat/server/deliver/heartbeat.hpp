#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/server/rooms/directory.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Says the newest offset in quiet rooms, so that the loss of the last record is noticed as well
/// (PROTOCOL.md §6.7). To a slice of the members at a time, so that a large server has no busy
/// moment.
class Heartbeat {
public:
    /// `limits` outlives it; `Limits::heartbeat` is how often each member is told, at most.
    explicit Heartbeat(const Limits& limits) : limits_(&limits) {}

    /// A slice of the members of each quiet room gets a frame, if it is time.
    void handle_timeout(TimePoint now, Directory::Rooms& rooms, auto& fan_out) {
        const Duration period = limits_->heartbeat;
        if (!next_) next_ = now + period / slices;
        if (now < *next_) return;
        next_ = now + period / slices;
        slice_ = (slice_ + 1) % slices;
        for (auto& [key, room] : rooms) {
            const std::vector<Member*>& members = room.members();
            if (members.empty() || !room.take_quiet()) continue;
            const Bytes frame{encode(wire::Heartbeat{room.head()})};
            for (std::size_t i = slice_; i < members.size(); i += slices) {
                const bool up_to_date = members[i]->next == room.head() + 1;
                if (up_to_date && members[i]->replies.empty()) fan_out.reply(*members[i], frame);
            }
        }
    }

    /// When the next slice is due; nothing before the first call.
    std::optional<TimePoint> next_deadline() const { return next_; }

private:
    static constexpr std::size_t slices = 16;

    const Limits* limits_;
    std::optional<TimePoint> next_;
    std::size_t slice_ = 0;
};

}  // namespace quicchat

#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// Who asked for an append, and what for.
struct PendingAppend {
    ConnectionId connection{};
    StreamId stream = control_stream;  ///< Or that of a member.
    RequestId request = 0;
    Errc refusal{};             ///< Not to be stored: only to be looked up.
    std::string reason{};       ///< Of the refusal, if the server's program gave one.
    bool changes_room = false;  ///< One of the room's `changes_under_way`.
    bool creates_room = false;
    bool announces_file = false;  ///< Its answer is a FileOutcome.
    bool reacts = false;  ///< One of the room's `reactions_under_way`, in this life of its log.
    Epoch epoch{};
    Record record{};
    std::vector<StateChange> changes{};
};

/// What the log was asked for and has not answered.
class PendingAppends {
public:
    explicit PendingAppends(RoomLog& log) : log_(&log) {}

    /// Asks the log to store a record or, if it is refused, to look whether it is there already:
    /// then it was sent again, and is a success.
    void submit(const std::string& room, PendingAppend asked, Record record,
                std::vector<StateChange> changes) {
        const AppendToken token = ++newest_;
        const bool refused = asked.refusal != Errc{};
        if (asked.stream == control_stream) ++under_way_[asked.connection];
        asked.record = record;
        if (asked.creates_room) asked.changes = changes;
        asked_.emplace(token, std::move(asked));
        if (refused) {
            log_->look_up(token, room, std::move(record));
        } else {
            log_->append(token, room, std::move(record), std::move(changes));
        }
    }

    /// Who asked for what the log has completed; nothing if it was not us.
    std::optional<PendingAppend> take(AppendToken token) {
        auto asked = asked_.extract(token);
        if (asked.empty()) return std::nullopt;
        if (asked.mapped().stream == control_stream) {
            const auto count = under_way_.find(asked.mapped().connection);
            if (--count->second == 0) under_way_.erase(count);
        }
        return std::move(asked.mapped());
    }

    /// How much of what a connection asked on its control stream has no answer yet.
    std::size_t under_way(ConnectionId connection) const {
        const auto found = under_way_.find(connection);
        return found == under_way_.end() ? 0 : found->second;
    }

    std::size_t size() const { return asked_.size(); }

private:
    RoomLog* log_;
    std::map<AppendToken, PendingAppend> asked_;
    AppendToken newest_ = 0;
    std::map<ConnectionId, std::size_t> under_way_;  ///< Where there is anything.
};

}  // namespace quicchat

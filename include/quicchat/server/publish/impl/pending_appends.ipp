#pragma once

#include "quicchat/server/publish/pending_appends.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL PendingAppends::PendingAppends(RoomLog& log) : log_(&log) {}

QUICCHAT_DECL void PendingAppends::submit(const std::string& room, PendingAppend asked,
                                          Record record, std::vector<StateChange> changes) {
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

QUICCHAT_DECL std::optional<PendingAppend> PendingAppends::take(AppendToken token) {
    auto asked = asked_.extract(token);
    if (asked.empty()) return std::nullopt;
    if (asked.mapped().stream == control_stream) {
        const auto count = under_way_.find(asked.mapped().connection);
        if (--count->second == 0) under_way_.erase(count);
    }
    return std::move(asked.mapped());
}

QUICCHAT_DECL std::size_t PendingAppends::under_way(ConnectionId connection) const {
    const auto found = under_way_.find(connection);
    return found == under_way_.end() ? 0 : found->second;
}

}  // namespace quicchat

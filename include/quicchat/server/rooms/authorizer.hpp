#pragma once

#include <string_view>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/directory.hpp"
#include "quicchat/server/rooms/room.hpp"

namespace quicchat {

/// Decides whether an account may do what it asks of a room, by what is committed: the caller sees
/// to it that nothing that matters is under way.
class Authorizer {
public:
    /// For one moment, `now`. What it is given outlives it.
    Authorizer(const Directory& directory, const RoomLog& log, const Limits& limits, WallTime now)
        : directory_(&directory), log_(&log), limits_(&limits), now_(now) {}

    /// `Errc{}` if the act may be stored. `storage_failed` if the log cannot be read. Its form was
    /// checked before.
    Errc judge(const Room& room, std::string_view user, const Act& act,
               std::string_view text = {}) const;

private:
    Errc judge_target(const Room& room, std::string_view user, Role role, const Act& act) const;

    /// The caller saw to it that no other reaction of theirs is under way.
    Errc judge_reaction(const Room& room, std::string_view user, const Act& act,
                        std::string_view text) const;

    Errc judge_role(const Room& room, std::string_view user, Role role, const Act& act) const;

    const Directory* directory_;
    const RoomLog* log_;
    const Limits* limits_;
    WallTime now_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/authorizer.ipp"
#endif

#pragma once

#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/access.hpp"
#include "quicchat/wire/message.hpp"

// What clients may publish, and what it means for the room (PROTOCOL.md §6.9).

namespace quicchat {

/// The right that an act needs. Of a deletion: that of one's own message.
constexpr Action action_of(Act::Kind kind) {
    switch (kind) {
        case Act::Kind::topic:
            return Action::entitle;
        case Act::Kind::role:
            return Action::discipline;
        case Act::Kind::access:
            return Action::rule;
        default:
            return Action::write;
    }
}

/// True for acts that change who may do what, or what a room is called.
constexpr bool changes_room(Act::Kind kind) {
    return kind == Act::Kind::topic || kind == Act::Kind::role || kind == Act::Kind::access;
}

/// Whether an act may be stored, for its form alone: `Errc{}`, or why its publisher is refused.
QUICCHAT_DECL Errc check_act(const Act& act, std::string_view text, std::string_view attributes,
                             const Limits& limits);

/// What is stored of a room beside an act's record.
QUICCHAT_DECL std::vector<StateChange> changes_of(const Act& act, const std::string& text);

/// Whether a file may be announced by those texts.
QUICCHAT_DECL Errc check_file_texts(Offset reply_to, std::string_view name,
                                    std::string_view attributes, const Limits& limits);

/// Whether a file may come, for its form and size alone.
QUICCHAT_DECL Errc check_offer(const wire::FileOffer& m, const Limits& limits);

/// Whether a room may be made, for its form alone.
QUICCHAT_DECL Errc check_creation(const wire::CreateRoom& m);

/// The first record of a room.
QUICCHAT_DECL Record make_creation(const wire::CreateRoom& m, std::string_view user,
                                   DeviceId device);

/// What is stored along with it.
QUICCHAT_DECL std::vector<StateChange> changes_of(const wire::CreateRoom& m,
                                                  const std::string& owner);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/acts.ipp"
#endif

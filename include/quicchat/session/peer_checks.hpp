#pragma once

#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/wire/message.hpp"

// What only a broken or hostile server would send: names and texts that we could not show.

namespace quicchat {

QUICCHAT_DECL bool is_any_room_name(std::string_view name);

QUICCHAT_DECL bool is_bad(std::string_view from, std::string_view text,
                          std::string_view attributes);

/// The subject of an act is a user, a room that was made, the digest of a file, or nothing.
QUICCHAT_DECL bool is_bad(const Act& act);

/// A display name is empty where there is none.
QUICCHAT_DECL bool is_bad_display(std::string_view display);

QUICCHAT_DECL bool is_bad(const wire::Profile& m);
QUICCHAT_DECL bool is_bad(const wire::Presence& m);
QUICCHAT_DECL bool is_bad(const RoomPerson& person);

QUICCHAT_DECL bool is_bad(const wire::Event& m);

QUICCHAT_DECL bool is_bad(const wire::Told& m);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/peer_checks.ipp"
#endif

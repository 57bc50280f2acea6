#pragma once

#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/wire/message.hpp"

// What only a broken or hostile server would send: names and texts that we could not show.

namespace quicchat {

/// A name that a server may give a room: "#tea", or "@bob" for the room of the two.
QUICCHAT_DECL bool is_any_room_name(std::string_view name);

/// True if one of these cannot be shown.
QUICCHAT_DECL bool is_bad(std::string_view from, std::string_view text,
                          std::string_view attributes);

/// The subject of an act is a user, a room that was made, the digest of a file, or nothing.
QUICCHAT_DECL bool is_bad(const Act& act);

/// A display name is empty where there is none.
QUICCHAT_DECL bool is_bad_display(std::string_view display);

/// True if its name or its display name cannot be shown.
/// @{
QUICCHAT_DECL bool is_bad(const wire::Profile& m);
QUICCHAT_DECL bool is_bad(const wire::Presence& m);
QUICCHAT_DECL bool is_bad(const RoomPerson& person);
/// @}

/// True if its names or texts cannot be shown, or its act is none that this frame has.
/// @{
QUICCHAT_DECL bool is_bad(const wire::Event& m);

QUICCHAT_DECL bool is_bad(const wire::Told& m);
/// @}

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/peer_checks.ipp"
#endif

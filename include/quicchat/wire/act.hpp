#pragma once

#include <cstdint>
#include <string>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/wire/role.hpp"

namespace quicchat {

/// What a record does to its room. A plain message says something; all else is about an earlier
/// record or about the room itself.
struct Act {
    /// What is done; what the other fields mean depends on it.
    enum class Kind : std::uint8_t {
        message = 0,     ///< `target`: the record that it replies to, or 0.
        edit = 1,        ///< Gives the message at `target` another text.
        deletion = 2,    ///< Takes the text of the message at `target` away.
        reaction = 3,    ///< Puts a short text, such as an emoji, under the message at `target`.
        unreaction = 4,  ///< Takes the author's own reaction away again.
        topic = 5,       ///< The room's topic is now the text.
        role = 6,        ///< `subject` is now of the Role `value`, up to `until` if that is not 0.
        access = 7,      ///< The room's RoomAccess is now `value`.
        creation = 8,    ///< The first record of a room that somebody made: the topic, the access.
        tombstone = 9,   ///< A message that was deleted. Never published, always read.
        /// A file: the text is its name, `subject` the SHA-256 in hexadecimal digits, `value` its
        /// size in bytes, `target` as of a message. Stored when the file is, see FileOffer.
        file = 10,
    };
    Kind kind = Kind::message;  ///< What is done.
    Offset target = 0;          ///< Which record it is about.
    std::string subject{};      ///< Whom it is about, or a digest.
    std::uint64_t value = 0;    ///< A role, an access or a size.
    WallTime until{};           ///< When a role ends by itself.
    /// Equal in every field.
    friend bool operator==(const Act&, const Act&) = default;
};

}  // namespace quicchat

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quicchat/base/error.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat {

/// What somebody wants to have stored: it is in form, within the rates, and the server's program
/// has been asked. Whether he may, and where in its room it stands, is for the Decider to say.
struct Proposal {
    /// What is to be stored.
    enum class Kind : std::uint8_t {
        act,         ///< A message, or another act in a room that is there.
        file,        ///< The record that announces a file.
        file_query,  ///< Nothing: only whether that record is there.
        creation,    ///< The first record of a room.
        profile,     ///< What an account wants to be called.
    };
    Kind kind{};       ///< See Kind.
    std::string room;  ///< Its key.
    Record record;     ///< Its time is given by the Decider.
    /// What changes in the room's state; the Decider knows that of acts itself.
    std::vector<StateChange> changes{};
    /// It is not to be stored, for that reason; only if it is there already, it is a success.
    Errc refusal{};
};

}  // namespace quicchat

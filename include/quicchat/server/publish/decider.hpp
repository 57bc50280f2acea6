#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/publish/proposal.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/server/turn_work.hpp"

namespace quicchat {

/// Decides what becomes part of the log: who may do what by what is committed, and in which order.
/// There is one for each log, and nobody else appends to it. It knows nothing of connections.
///
/// While an act that changes who may do what is under way, nothing else of its room may be
/// proposed, and while a reaction is, nothing of its author: both depend on how it ends.
class Decider {
public:
    /// What it is given outlives it.
    Decider(RoomStore& room_store, const Limits& limits, Turn& turn, TurnWork& work);

    /// Has a proposal stored or, if that may not be, looked for: then it was sent again, and is a
    /// success. News with that token follow. An error: none do, it is refused at once.
    Errc decide(AppendToken token, Proposal&& proposal);

    /// Opens the room of two people who have accounts, the first of whom wants it.
    Result<Room*> open_private_room(const std::string& one, const std::string& other);

    /// The private room that is to go since there are too many, other than the newest; nullptr:
    /// none. Take its members out, then `forget` it.
    Room* surplus(const Room& newest) { return room_store_->next_surplus(newest); }
    /// Deletes a room with its log; see RoomStore.
    void forget(const Room& room) { room_store_->forget(room); }

    /// What would become of an act, as far as it is known now: `Errc{}`, or why it may not be.
    Errc judge(const Room& room, const Record& record);

    /// True if nothing of that author may be proposed to the room now.
    static bool is_closed(const Room& room, const Record& record);

    /// How a proposal ended.
    struct Outcome {
        Errc error{};            ///< `Errc{}`: it is in the log.
        Room* opened = nullptr;  ///< Where more may be proposed now.
    };

    /// Takes in that a proposal has ended, if the news are about one.
    Outcome settle(const LogNews& news);

private:
    /// What is to be remembered until a proposal has ended. Most need nothing.
    struct Decision {
        Errc refusal{};
        bool creates_room = false;
        bool changes_room = false;         ///< One of the room's `changes_under_way`.
        std::optional<Epoch> reacts_in{};  ///< One of the room's `reactions_under_way`.
        bool is_empty() const;
    };

    Errc prepare_creation(const Proposal& proposal, Decision& decision);
    Errc prepare(Proposal& proposal, Decision& decision);

    RoomStore* room_store_;
    const Limits* limits_;
    Turn* turn_;
    TurnWork* work_;
    std::map<AppendToken, Decision> decisions_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/publish/impl/decider.ipp"
#endif

#pragma once

#include <string>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/server/turn_work.hpp"
#include "quicchat/wire/frame.hpp"

namespace quicchat {

/// Answers to RoomsRequests. Who wrote the newest records of a room must be read from the log
/// before anybody's unread messages in it can be counted for the first time, so a list that takes
/// more than its account's share of a turn goes on in the next one.
class RoomLists {
public:
    /// What it is given outlives it.
    RoomLists(RoomStore& room_store, ControlStreams& control, const Limits& limits, Turn& turn,
              TurnWork& work);

    /// Begins an answer. It is there at once, or `is_making` says that the connection waits.
    void ask(const Caller& caller, const wire::RoomsRequest& request);

    /// True while an answer to it has to wait for the next turn.
    bool is_making(ConnectionId connection) const;

    /// In a new turn: goes on with what was left.
    void go_on();

    /// Nobody waits for the answer any more.
    void close(ConnectionId connection);

private:
    struct List {
        ConnectionId connection;
        std::string user;
        std::string after;  ///< The key of the last room that is in it.
        wire::Rooms answer;
    };

    /// False if the rest must wait for the next turn.
    bool make(List& list);

    /// The same for what must be known of one room.
    Result<bool> read_authors(const Room& room, const std::string& user);

    RoomStore* room_store_;
    ControlStreams* control_;
    const Limits* limits_;
    Turn* turn_;
    TurnWork* work_;
    std::vector<List> lists_;  ///< That wait: at most one of a connection.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/room_lists.ipp"
#endif

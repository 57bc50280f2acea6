#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room_store.hpp"

namespace quicchat {

/// What people are told in rooms of two that they have not joined (PROTOCOL.md §6.6): after a login
/// from the account's marker in each of them on, then as it comes. A connection has a cursor for
/// each of these rooms that has something for it, so a slow reader costs its cursors only.
class Inboxes {
public:
    /// `room_store` outlives it.
    explicit Inboxes(RoomStore& room_store);

    /// Begins with what was told while the account was away.
    void open(ConnectionId connection, std::string_view user);

    /// The connection is gone, and its cursors.
    void close(ConnectionId connection);

    /// A record came into a room that the connection has not joined. Nothing is to be done where it
    /// has not read up to there.
    void notice(ConnectionId connection, const Room& room, Offset offset);

    /// The next message, as it is now; nothing if there is none for now.
    std::optional<Bytes> next_frame(ConnectionId connection);

    /// Why the log could not be read, once; `Errc{}`: it could.
    Errc take_failure();

private:
    struct Cursor {
        std::string key;
        Epoch epoch{};
        Offset next = 1;
    };
    using Inbox = std::deque<Cursor>;

    /// The frame for a message between two people who have not joined their room.
    static Bytes encode_told(const Room& room, const LoggedRecord& logged);

    /// Nothing if the cursor is at its room's end.
    std::optional<Bytes> next_frame(Cursor& cursor);

    RoomStore* room_store_;
    std::map<ConnectionId, Inbox> inboxes_;
    Errc failure_{};
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/inboxes.ipp"
#endif

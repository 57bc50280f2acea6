#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// What people are told in rooms of two that they have not joined (PROTOCOL.md §6.6): after a login
/// from the account's marker in each of them on, then as it comes. A connection has a cursor for
/// each of these rooms that has something for it, so a slow reader costs its cursors only.
class Inboxes {
public:
    explicit Inboxes(RoomStore& room_store) : room_store_(&room_store) {}

    /// Begins with what was told while the account was away.
    void open(ConnectionId connection, std::string_view user) {
        Inbox inbox;
        for (const std::string& key : room_store_->private_rooms().of(user)) {
            const Room* room = room_store_->directory().find(key);
            const RoomAccount* account = room == nullptr ? nullptr : room->people().find(user);
            if (account == nullptr || account->marker >= room->head()) continue;
            inbox.push_back({key, room->epoch(), account->marker + 1});
        }
        if (!inbox.empty()) inboxes_.insert_or_assign(connection, std::move(inbox));
    }

    void close(ConnectionId connection) { inboxes_.erase(connection); }

    /// A record came into a room that the connection has not joined. Nothing is to be done where it
    /// has not read up to there.
    void notice(ConnectionId connection, const Room& room, Offset offset) {
        Inbox& inbox = inboxes_[connection];
        const auto found = std::ranges::find(inbox, room.key(), &Cursor::key);
        if (found == inbox.end()) {
            inbox.push_back({room.key(), room.epoch(), offset});
        } else if (found->epoch != room.epoch()) {  // it was forgotten, and begun anew
            *found = {room.key(), room.epoch(), offset};
        }
    }

    /// The next message, as it is now; nothing if there is none for now.
    std::optional<Bytes> next_frame(ConnectionId connection) {
        const auto found = inboxes_.find(connection);
        if (found == inboxes_.end()) return std::nullopt;
        Inbox& inbox = found->second;
        while (!inbox.empty()) {
            if (std::optional<Bytes> frame = next_frame(inbox.front())) return frame;
            inbox.pop_front();
        }
        inboxes_.erase(found);
        return std::nullopt;
    }

    Errc take_failure() { return std::exchange(failure_, Errc{}); }

private:
    struct Cursor {
        std::string key;
        Epoch epoch{};
        Offset next = 1;
    };
    using Inbox = std::deque<Cursor>;

    /// The frame for a message between two people who have not joined their room.
    static Bytes encode_told(const Room& room, const LoggedRecord& logged) {
        const Record& r = logged.record;
        return Bytes{encode(wire::Told{room.epoch(), logged.offset, r.time, r.id, r.author,
                                       room.other_than(r.author), r.text, r.attributes, r.act})};
    }

    /// Nothing if the cursor is at its room's end.
    std::optional<Bytes> next_frame(Cursor& cursor) {
        const Room* room = room_store_->directory().find(cursor.key);
        if (room == nullptr || room->epoch() != cursor.epoch) return std::nullopt;
        while (cursor.next <= room->head()) {
            const auto records = room_store_->log().read(cursor.key, cursor.next - 1, 1);
            if (!records) failure_ = to_errc(records.error());
            if (!records || records->empty()) return std::nullopt;
            const LoggedRecord& logged = records->front();
            cursor.next = logged.offset + 1;
            if (is_said(logged.record.act.kind)) return encode_told(*room, logged);
        }
        return std::nullopt;
    }

    RoomStore* room_store_;
    std::map<ConnectionId, Inbox> inboxes_;
    Errc failure_{};
};

}  // namespace quicchat

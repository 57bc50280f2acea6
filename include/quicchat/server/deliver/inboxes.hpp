#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Hands over what people were told while they were away (PROTOCOL.md §6.6): after a login, from
/// the account's marker in each of its rooms of two on. A slow reader costs its cursors only.
class Inboxes {
public:
    Inboxes(RoomStore& room_store, const Limits& limits)
        : room_store_(&room_store), limits_(&limits) {}

    void open(ConnectionId connection, std::string_view user) {
        Inbox inbox;
        for (const std::string& key : room_store_->private_rooms().of(user)) {
            const Room* room = room_store_->directory().find(key);
            const RoomAccount* person = room == nullptr ? nullptr : room->people().find(user);
            if (person == nullptr || person->marker >= room->head()) continue;
            inbox.rooms.push_back({key, person->marker + 1});
        }
        if (inbox.rooms.empty()) return;
        inboxes_.insert_or_assign(connection, std::move(inbox));
        waiting_.push_back(connection);
    }

    void close(ConnectionId connection) {
        inboxes_.erase(connection);
        std::erase(waiting_, connection);
    }

    /// True if what is in the room is still to come by `next_frame`.
    bool holds(ConnectionId connection, const Room& room) const {
        const auto found = inboxes_.find(connection);
        if (found == inboxes_.end()) return false;
        return std::ranges::any_of(found->second.rooms,
                                   [&](const Cursor& c) { return c.key == room.key(); });
    }

    /// Hands `write` frame after frame for a connection's control stream, until it says that the
    /// stream is full. Then `handle_writable` says when it is not.
    template <class Write>
    void send(const Write& write) {
        for (const ConnectionId connection : std::exchange(waiting_, {})) {
            std::optional<Bytes> frame = next_frame(connection);
            while (frame && write(connection, *std::move(frame))) frame = next_frame(connection);
        }
    }

    void handle_writable(ConnectionId connection) {
        const bool waits = std::ranges::find(waiting_, connection) != waiting_.end();
        if (inboxes_.count(connection) != 0 && !waits) waiting_.push_back(connection);
    }

    /// The frame for a message between two people who have not joined their room.
    static Bytes encode_told(const Room& room, const LoggedRecord& logged) {
        const Record& r = logged.record;
        return Bytes{encode(wire::Told{room.epoch(), logged.offset, r.time, r.id, r.author,
                                       room.other_than(r.author), r.text, r.attributes, r.act})};
    }

    Errc take_failure() { return std::exchange(failure_, Errc{}); }

private:
    struct Cursor {
        std::string key;
        Offset next = 1;
    };
    struct Inbox {
        std::deque<Cursor> rooms{};
        std::deque<Bytes> frames{};
    };

    std::optional<Bytes> next_frame(ConnectionId connection) {
        const auto found = inboxes_.find(connection);
        if (found == inboxes_.end()) return std::nullopt;
        Inbox& inbox = found->second;
        while (inbox.frames.empty() && !inbox.rooms.empty()) fill(inbox);
        std::optional<Bytes> frame = pop_front(inbox.frames);
        if (!frame) inboxes_.erase(found);
        return frame;
    }

    /// Reads a little of the first room; goes on to the next one when it is at its end.
    void fill(Inbox& inbox) {
        Cursor& cursor = inbox.rooms.front();
        const Room* room = room_store_->directory().find(cursor.key);
        if (room == nullptr || cursor.next > room->head()) return inbox.rooms.pop_front();
        const auto records =
            room_store_->log().read(cursor.key, cursor.next - 1, limits_->catch_up_records_max);
        if (!records) failure_ = to_errc(records.error());
        if (!records || records->empty()) return inbox.rooms.pop_front();
        for (const LoggedRecord& r : *records) {
            if (is_said(r.record.act.kind)) inbox.frames.push_back(encode_told(*room, r));
        }
        cursor.next = records->back().offset + 1;
    }

    RoomStore* room_store_;
    const Limits* limits_;
    std::map<ConnectionId, Inbox> inboxes_;
    std::vector<ConnectionId> waiting_;
    Errc failure_{};
};

}  // namespace quicchat

#pragma once

#include "quicchat/server/deliver/inboxes.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Inboxes::Inboxes(RoomStore& room_store) : room_store_(&room_store) {}

QUICCHAT_RARE_DECL void Inboxes::open(ConnectionId connection, std::string_view user) {
    Inbox inbox;
    for (const std::string& key : room_store_->private_rooms().of(user)) {
        const Room* room = room_store_->directory().find(key);
        const RoomAccount* account = room == nullptr ? nullptr : room->people().find(user);
        if (account == nullptr || account->marker >= room->head()) continue;
        inbox.push_back({key, room->epoch(), account->marker + 1});
    }
    if (!inbox.empty()) inboxes_.insert_or_assign(connection, std::move(inbox));
}

QUICCHAT_RARE_DECL void Inboxes::close(ConnectionId connection) { inboxes_.erase(connection); }

QUICCHAT_DECL void Inboxes::notice(ConnectionId connection, const Room& room, Offset offset) {
    Inbox& inbox = inboxes_[connection];
    const auto found = std::ranges::find(inbox, room.key(), &Cursor::key);
    if (found == inbox.end()) {
        inbox.push_back({room.key(), room.epoch(), offset});
    } else if (found->epoch != room.epoch()) {  // it was forgotten, and begun anew
        *found = {room.key(), room.epoch(), offset};
    }
}

QUICCHAT_DECL std::optional<Bytes> Inboxes::next_frame(ConnectionId connection) {
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

QUICCHAT_DECL Errc Inboxes::take_failure() { return std::exchange(failure_, Errc{}); }

QUICCHAT_DECL Bytes Inboxes::encode_told(const Room& room, const LoggedRecord& logged) {
    const Record& r = logged.record;
    return Bytes{encode(wire::Told{room.epoch(), logged.offset, r.time, r.id, r.author,
                                   room.other_than(r.author), r.text, r.attributes, r.act})};
}

QUICCHAT_DECL std::optional<Bytes> Inboxes::next_frame(Cursor& cursor) {
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

}  // namespace quicchat

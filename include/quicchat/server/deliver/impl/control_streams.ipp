#pragma once

#include "quicchat/server/deliver/control_streams.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL ControlStreams::ControlStreams(Inboxes& inboxes, RoomStore& room_store,
                                             const DisplayNames& names, const Limits& limits,
                                             TurnWork& work)
    : inboxes_(&inboxes),
      room_store_(&room_store),
      names_(&names),
      limits_(&limits),
      work_(&work) {}

QUICCHAT_DECL void ControlStreams::open(ConnectionId connection, std::string_view user) {
    connections_[connection].user = user;
    inboxes_->open(connection, user);
    wake(connection);
}

QUICCHAT_DECL void ControlStreams::close(ConnectionId connection) {
    connections_.erase(connection);
    answer_bytes_.subtract(connection, answer_bytes_.of(connection));
    waiting_.erase(connection);
    inboxes_->close(connection);
}

QUICCHAT_DECL void ControlStreams::answer(ConnectionId connection, Bytes frame) {
    Connection* found = find(connection);
    if (found == nullptr) return;
    answer_bytes_.add(connection, frame.size());
    found->answers.push_back(std::move(frame));
    wake(connection);
}

QUICCHAT_DECL bool ControlStreams::is_busy(ConnectionId connection) const {
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return false;
    const Connection& c = found->second;
    return c.answers.size() >= limits_->replies_max ||
           answer_bytes_.of(connection) >= limits_->stream_backlog_bytes_max;
}

QUICCHAT_DECL void ControlStreams::note_marker(ConnectionId connection, const Room& room,
                                               const std::string& account) {
    note(connection, {room.key(), account});
}

QUICCHAT_DECL void ControlStreams::note_profile(ConnectionId connection,
                                                const std::string& account) {
    note(connection, {std::string{}, account});
}

QUICCHAT_DECL void ControlStreams::note_told(ConnectionId connection, const Room& room,
                                             Offset offset) {
    if (find(connection) == nullptr) return;
    inboxes_->notice(connection, room, offset);
    wake(connection);
}

QUICCHAT_DECL void ControlStreams::handle_writable(ConnectionId connection) {
    Connection* found = find(connection);
    if (found == nullptr) return;
    found->stalled = false;
    wake(connection);
}

QUICCHAT_DECL ControlStreams::Connection* ControlStreams::find(ConnectionId connection) {
    const auto found = connections_.find(connection);
    return found == connections_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL void ControlStreams::wake(ConnectionId connection) { waiting_.insert(connection); }

QUICCHAT_DECL void ControlStreams::note(ConnectionId connection, Change change) {
    Connection* found = find(connection);
    if (found == nullptr) return;
    // Others' may be left out where there are too many, one's own not: these are one's own doing.
    const bool is_full = found->changes.size() >= changes_max;
    if (is_full && !is_same_name(change.second, found->user)) return;
    if (found->changes.insert(std::move(change)).second) wake(connection);
}

QUICCHAT_DECL bool ControlStreams::must_wait(const Connection& connection) {
    return connection.answers.empty() && work_->must_wait(connection.user);
}

QUICCHAT_DECL std::optional<Bytes> ControlStreams::next_frame(ConnectionId id,
                                                              Connection& connection) {
    if (std::optional<Bytes> frame = pop_front(connection.answers)) {
        answer_bytes_.subtract(id, frame->size());
        return frame;
    }
    while (!connection.changes.empty()) {
        const auto change = connection.changes.extract(connection.changes.begin());
        if (auto frame = encode_change(connection, change.value())) return frame;
    }
    std::optional<Bytes> told = inboxes_->next_frame(id);
    if (told) work_->count(connection.user, told->size());
    return told;
}

QUICCHAT_DECL std::optional<Bytes> ControlStreams::encode_change(const Connection& connection,
                                                                 const Change& change) const {
    const auto& [key, account] = change;
    if (key.empty()) return Bytes{encode(wire::Profile{0, account, names_->find(account)})};
    const Room* room = room_store_->directory().find(key);
    const RoomAccount* reader = room == nullptr ? nullptr : room->people().find(account);
    if (reader == nullptr) return std::nullopt;
    return Bytes{
        encode(wire::Marker{room->name_for(connection.user), reader->name, reader->marker})};
}

}  // namespace quicchat

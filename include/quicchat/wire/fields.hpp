#pragma once

#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "quicchat/base/limits.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat::detail {

template <class M, class T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

/// For texts that the session judges: the frame's length bounds them already, and a text that is
/// too long for its purpose is a refused request, not a broken frame.
inline constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();

// The fields of each message, once, for reading and writing. PROTOCOL.md §4 has the same list.

void fields(auto& io, Is<Act> auto& act) {
    io.choice(act.kind, Act::Kind::file);
    io.number(act.target);
    io.text(act.subject, any_size);
    io.number(act.value);
    io.time(act.until);
}

void fields(auto& io, Is<RoomPerson> auto& person) {
    io.text(person.user, user_name_bytes_max);
    io.choice(person.role, Role::owner);
    io.flag(person.present);
    io.text(person.display, display_name_bytes_max);
}

void fields(auto& io, Is<RoomSummary> auto& room) {
    io.text(room.room, room_name_bytes_max);
    io.text(room.topic, topic_bytes_max);
    io.choice(room.access, RoomAccess::archived);
    io.choice(room.role, Role::owner);
    io.number(room.head);
    io.number(room.marker);
    io.number(room.unread);
    io.number(room.mentions);
}

void fields(auto& io, Is<wire::Hello> auto& m) {
    io.number(m.minor_min);
    io.number(m.minor_max);
    io.texts(m.features, features_max, user_name_bytes_max);
    io.text(m.agent, agent_bytes_max);
}

void fields(auto& io, Is<wire::Welcome> auto& m) {
    io.number(m.minor);
    io.texts(m.features, features_max, user_name_bytes_max);
    io.number(m.limits.message_bytes_max);
    io.number(m.limits.attributes_bytes_max);
    io.number(m.limits.rooms_max);
    io.text(m.agent, agent_bytes_max);
}

void fields(auto& io, Is<wire::LoginBegin> auto& m) {
    io.text(m.mechanism, user_name_bytes_max);
    io.id(m.device);
    io.data(m.data, sasl_bytes_max);
}

void fields(auto& io, Is<wire::LoginChallenge> auto& m) { io.data(m.data, sasl_bytes_max); }

void fields(auto& io, Is<wire::LoginResponse> auto& m) { io.data(m.data, sasl_bytes_max); }

void fields(auto& io, Is<wire::LoginDone> auto& m) {
    io.text(m.user, user_name_bytes_max);
    io.data(m.data, sasl_bytes_max);
}

void fields(auto& io, Is<wire::Error> auto& m) {
    io.number(m.request);
    io.number(m.code);
    io.number(m.error_class);
    io.number(m.retry_after_ms);
    io.text(m.text, error_text_bytes_max);
}

void fields(auto& io, Is<wire::Goaway> auto& m) {
    io.number(m.code);
    io.number(m.grace_ms);
    io.text(m.text, error_text_bytes_max);
}

void fields(auto& io, Is<wire::Token> auto& m) {
    io.number(m.generation);
    io.data(m.key, sasl_bytes_max);
}

void fields(auto& io, Is<wire::Join> auto& m) {
    io.number(m.request);
    io.text(m.room, any_size);
    io.choice(m.position.kind, Position::Kind::after);
    if (m.position.kind == Position::Kind::last) io.number(m.position.count);
    if (m.position.kind == Position::Kind::after) {
        io.epoch(m.position.epoch);
        io.number(m.position.offset);
    }
}

void fields(auto& io, Is<wire::Joined> auto& m) {
    io.number(m.request);
    io.text(m.room, room_name_bytes_max);
    io.epoch(m.epoch);
    io.number(m.head);
    io.number(m.next);
    io.flag(m.recovered);
    io.choice(m.role, Role::owner);
    io.choice(m.access, RoomAccess::archived);
    io.number(m.marker);
    io.text(m.topic, topic_bytes_max);
}

void fields(auto& io, Is<wire::Publish> auto& m) {
    io.number(m.request);
    io.id(m.id);
    io.text(m.text, any_size);
    io.text(m.attributes, any_size);
    fields(io, m.act);
}

void fields(auto& io, Is<wire::Ack> auto& m) {
    io.number(m.request);
    io.epoch(m.epoch);
    io.number(m.offset);
    io.choice(m.durability, Durability::fsync);
    io.time(m.time);
}

/// Of a wire::Event, or of the record that it tells of.
void record_fields(auto& io, auto& offset, auto& from, auto& record) {
    io.number(offset);
    io.time(record.time);
    io.id(record.id);
    io.text(from, user_name_bytes_max);
    io.text(record.text, any_size);
    io.text(record.attributes, any_size);
    fields(io, record.act);
    io.number(record.changed_by);
}

void fields(auto& io, Is<wire::Event> auto& m) { record_fields(io, m.offset, m.from, m); }

void fields(auto& io, Is<wire::Gap> auto& m) {
    io.number(m.first);
    io.number(m.last);
}

void fields(auto& io, Is<wire::MembersRequest> auto& m) {
    io.number(m.request);
    io.text(m.after, user_name_bytes_max);
}

void fields(auto& io, Is<wire::Members> auto& m) {
    io.number(m.request);
    io.list(m.people, [](auto& each, auto& person) { fields(each, person); });
    io.flag(m.complete);
}

void fields(auto& io, Is<wire::Presence> auto& m) {
    io.text(m.user, user_name_bytes_max);
    io.flag(m.present);
    io.text(m.display, display_name_bytes_max);
}

void fields(auto& io, Is<wire::Heartbeat> auto& m) { io.number(m.head); }

void fields(auto& io, Is<wire::Tell> auto& m) {
    io.number(m.request);
    io.id(m.id);
    io.text(m.to, any_size);
    io.text(m.text, any_size);
    io.text(m.attributes, any_size);
}

void fields(auto& io, Is<wire::Told> auto& m) {
    io.epoch(m.epoch);
    io.number(m.offset);
    io.time(m.time);
    io.id(m.id);
    io.text(m.from, user_name_bytes_max);
    io.text(m.to, user_name_bytes_max);
    io.text(m.text, any_size);
    io.text(m.attributes, any_size);
    fields(io, m.act);
}

void fields(auto& io, Is<wire::CreateRoom> auto& m) {
    io.number(m.request);
    io.id(m.id);
    io.text(m.room, any_size);
    io.choice(m.access, RoomAccess::archived);
    io.text(m.topic, any_size);
}

void fields(auto& io, Is<wire::RoomsRequest> auto& m) {
    io.number(m.request);
    io.text(m.after, room_name_bytes_max);
}

void fields(auto& io, Is<wire::Rooms> auto& m) {
    io.number(m.request);
    io.list(m.rooms, [](auto& each, auto& room) { fields(each, room); });
    io.flag(m.complete);
}

void fields(auto& io, Is<wire::MarkRead> auto& m) {
    io.text(m.room, any_size);
    io.epoch(m.epoch);
    io.number(m.offset);
    io.flag(m.shared);
}

void fields(auto& io, Is<wire::Marker> auto& m) {
    io.text(m.room, room_name_bytes_max);
    io.text(m.user, user_name_bytes_max);
    io.number(m.offset);
}

void fields(auto& io, Is<wire::HistoryRequest> auto& m) {
    io.number(m.request);
    io.text(m.room, any_size);
    io.number(m.offset);
    io.number(m.before);
    io.number(m.after);
}

void fields(auto& io, Is<wire::HistoryEnd> auto& m) {
    io.number(m.request);
    io.epoch(m.epoch);
    io.flag(m.reaches_start);
    io.flag(m.reaches_head);
}

void fields(auto& io, Is<wire::Typing> auto& m) {
    io.number(m.stream);
    io.text(m.user, user_name_bytes_max);
}

void fields(auto& io, Is<wire::SearchRequest> auto& m) {
    io.number(m.request);
    io.text(m.room, any_size);
    io.text(m.words, any_size);
    io.number(m.before);
    io.number(m.count);
}

void fields(auto& io, Is<wire::SearchEnd> auto& m) {
    io.number(m.request);
    io.epoch(m.epoch);
    io.number(m.next);
}

void fields(auto& io, Is<wire::SetProfile> auto& m) {
    io.number(m.request);
    io.text(m.display, any_size);
}

void fields(auto& io, Is<wire::Profile> auto& m) {
    io.number(m.request);
    io.text(m.user, user_name_bytes_max);
    io.text(m.display, display_name_bytes_max);
}

void fields(auto& io, Is<wire::FileOffer> auto& m) {
    io.number(m.request);
    io.id(m.id);
    io.text(m.room, any_size);
    io.text(m.name, any_size);
    io.number(m.size);
    io.data(m.digest, digest_bytes_max);
    io.text(m.attributes, any_size);
    io.number(m.reply_to);
}

void fields(auto& io, Is<wire::FileReady> auto& m) {
    io.number(m.request);
    io.number(m.offset);
}

void fields(auto& io, Is<wire::FileData> auto& m) { io.data(m.data, any_size); }

void fields(auto& io, Is<wire::FileRequest> auto& m) {
    io.number(m.request);
    io.text(m.room, any_size);
    io.number(m.offset);
    io.number(m.from);
}

void fields(auto& io, Is<wire::FileHead> auto& m) {
    io.number(m.request);
    io.epoch(m.epoch);
    io.text(m.name, file_name_bytes_max);
    io.number(m.size);
    io.data(m.digest, digest_bytes_max);
}

}  // namespace quicchat::detail

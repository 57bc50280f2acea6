#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/wire/cursor.hpp"
#include "quicchat/wire/frame.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {
namespace detail {

template <class M, class T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

/// For texts that the session judges: the frame's length bounds them already, and a text that is
/// too long for its purpose is a refused request, not a broken frame.
inline constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();

// The fields of each message, once, for reading and writing. PROTOCOL.md §4 has the same list.

void fields(auto& io, Is<Act> auto& act) {
    io.choice(act.kind, Act::Kind::tombstone);
    io.number(act.target);
    io.text(act.subject, any_size);
    io.number(act.value);
    io.time(act.until);
}

void fields(auto& io, Is<RoomPerson> auto& person) {
    io.text(person.user, user_name_bytes_max);
    io.choice(person.role, Role::owner);
    io.flag(person.present);
}

void fields(auto& io, Is<RoomSummary> auto& room) {
    io.text(room.room, room_name_bytes_max);
    io.text(room.topic, topic_bytes_max);
    io.choice(room.access, RoomAccess::archived);
    io.choice(room.role, Role::owner);
    io.number(room.head);
    io.number(room.marker);
    io.number(room.unread);
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

void fields(auto& io, Is<wire::Event> auto& m) {
    io.number(m.offset);
    io.time(m.time);
    io.id(m.id);
    io.text(m.from, user_name_bytes_max);
    io.text(m.text, any_size);
    io.text(m.attributes, any_size);
    fields(io, m.act);
    io.number(m.changed_by);
}

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

/// PROTOCOL.md §2.3: what follows the known fields are extensions of later minor versions, each a
/// number, a length and so many bytes. Odd ones are skipped, even ones refused.
inline Errc skip_extensions(FieldReader& reader) {
    Buffer ignored;
    while (reader.ok() && !reader.rest().empty()) {
        std::uint64_t number = 0;
        reader.number(number);
        reader.data(ignored, reader.rest().size());
        if (reader.ok() && !may_be_skipped(number)) return Errc::unknown_frame;
    }
    return reader.ok() ? Errc{} : Errc::malformed_frame;
}

template <class M>
Result<M> decode_as(BytesView payload) {
    M message;
    FieldReader reader{payload};
    fields(reader, message);
    if (!reader.ok()) return Errc::malformed_frame;
    if (const Errc errc = skip_extensions(reader); errc != Errc{}) return errc;
    return message;
}

template <class M>
Result<Message> decode_variant(BytesView payload) {
    Result<M> message = decode_as<M>(payload);
    if (!message) return message.error();
    return Message{*std::move(message)};
}

template <std::size_t... I>
Result<Message> decode_by_type(const FrameView& frame, std::index_sequence<I...>) {
    Result<Message> result = Errc::unknown_frame;
    (void)((static_cast<std::uint64_t>(std::variant_alternative_t<I, Message>::type) ==
                frame.type &&
            (result = decode_variant<std::variant_alternative_t<I, Message>>(frame.payload),
             true)) ||
           ...);
    return result;
}

}  // namespace detail

/// The message in a frame. `unknown_frame` for a type of a later version: skip it if
/// `may_be_skipped` says so, otherwise close. `malformed_frame` for anything that does not fit.
inline Result<Message> decode(const FrameView& frame) {
    return detail::decode_by_type(frame, std::make_index_sequence<std::variant_size_v<Message>>{});
}

/// The hint in a datagram (PROTOCOL.md §2.4); nothing for anything else.
inline std::optional<wire::Typing> decode_datagram(BytesView bytes) {
    const Result<std::uint64_t> type = read_varint(bytes);
    const Result<std::uint64_t> length = type ? read_varint(bytes) : type;
    if (!length || *length != bytes.size()) return std::nullopt;
    if (*type != static_cast<std::uint64_t>(FrameType::typing)) return std::nullopt;
    Result<wire::Typing> hint = detail::decode_as<wire::Typing>(bytes);
    if (!hint) return std::nullopt;
    return *std::move(hint);
}

/// The whole frame of a message.
template <class M>
requires requires { M::type; }
Buffer encode(const M& message) {
    Buffer payload;
    FieldWriter writer{payload};
    detail::fields(writer, message);

    Buffer frame;
    frame.reserve(payload.size() + 10);
    append_frame(frame, {static_cast<std::uint64_t>(M::type), payload});
    return frame;
}

}  // namespace quicchat

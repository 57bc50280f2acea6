#pragma once

#include "quicchat/session/client_membership.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/client_pages.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

QUICCHAT_DECL ClientMembership::ClientMembership(const ClientStatus& status, ClientRooms& rooms,
                                                 Outbox& outbox, ClientMessages& messages,
                                                 ClientTyping& typing, ClientOutput& output)
    : status_(&status),
      rooms_(&rooms),
      outbox_(&outbox),
      messages_(&messages),
      typing_(&typing),
      output_(&output) {}

QUICCHAT_DECL Result<RequestId> ClientMembership::join(std::string_view name,
                                                       const Position& position) {
    if (status_->over) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    if (std::max(position.count, position.offset) > varint_max) return Errc::invalid_request;
    if (rooms_->contains(name)) return Errc::already_joined;
    if (rooms_->size() >= status_->limits.rooms_max) return Errc::too_many_rooms;
    if (!outbox_->has_room(0)) return Errc::queue_full;
    rooms_->add(name, position);
    return outbox_->add({.kind = Outbox::Kind::join, .room = std::string{name}});
}

QUICCHAT_DECL Errc ClientMembership::leave(std::string_view name) {
    if (status_->over) return Errc::not_ready;
    ClientRoom* room = rooms_->find_wanted(name);
    if (room == nullptr) return Errc::not_in_room;
    room->stage = Stage::leaving;
    if (room->stream) return output_->send_end(*room->stream), Errc{};
    end_room(*room);
    rooms_->erase(*room);
    return Errc{};
}

QUICCHAT_DECL void ClientMembership::join_on(StreamId stream, std::string_view name) {
    ClientRoom& room = *rooms_->find(name);
    const auto is_first_join = [&](const auto& entry) {
        return entry.second.kind == Outbox::Kind::join &&
               canonical_name(entry.second.room) == canonical_name(name);
    };
    Outbox::Requests& requests = outbox_->requests();
    const auto asked = std::ranges::find_if(requests, is_first_join);
    const RequestId request = asked != requests.end()
                                  ? asked->first
                                  : outbox_->add({.kind = Outbox::Kind::rejoin, .room = room.name});
    outbox_->handle_sent(request, stream);
    rooms_->begin_join(room, stream, request);
    output_->send(stream, wire::Join{request, room.name, room.position()});
    messages_->send_waiting();
}

QUICCHAT_DECL Errc ClientMembership::handle_frame(StreamId stream, FrameType type,
                                                  Message message) {
    ClientRoom* found = rooms_->find(stream);
    if (found == nullptr) return Errc::unexpected_frame;
    ClientRoom& room = *found;
    // We left; what was under way is dropped unread, but for answers to what we asked before.
    const bool answer = type == FrameType::ack || type == FrameType::error;
    if (room.stage == Stage::leaving && !answer) return Errc{};
    return match_some(
        std::move(message), Errc::unexpected_frame,
        [&](wire::Joined&& m) { return on_joined(room, m); },
        [&](wire::Event&& m) { return on_event(room, std::move(m)); },
        [&](wire::Gap&& m) { return on_gap(room, m); },
        [&](wire::Ack&& m) { return messages_->handle_ack(stream, m); },
        [&](wire::Members&& m) { return on_members(room, std::move(m)); },
        [&](wire::Presence&& m) { return on_presence(room, std::move(m)); },
        [&](wire::Heartbeat&& m) { return room.handle_heartbeat(m); },
        [&](wire::Error&& m) { return on_error(room, std::move(m)); });
}

QUICCHAT_DECL Errc ClientMembership::handle_stream_end(StreamId stream, bool at_boundary) {
    const ClientRoom* room = rooms_->find(stream);
    if (room == nullptr) return Errc{};
    if (!at_boundary) return Errc::malformed_frame;

    // Both directions end, so that the stream's number is given back.
    if (room->stage != Stage::leaving) output_->send_end(stream);
    end_room(*room);
    rooms_->erase(*room);
    return Errc{};
}

QUICCHAT_DECL void ClientMembership::handle_disconnected() {
    for (const ClientRoom& room : rooms_->handle_disconnected()) end_room(room);
    outbox_->take_if([](const Outbox::Request& r) { return r.kind == Outbox::Kind::rejoin; });
}

QUICCHAT_DECL Errc ClientMembership::on_joined(ClientRoom& room, const wire::Joined& m) {
    std::optional<RoomGap> gap;
    if (const Errc errc = room.handle_joined(m, gap); errc != Errc{}) return errc;
    const auto asked = outbox_->take(m.request, *room.stream);
    if (!asked) return Errc::unexpected_frame;  // refused before
    if (!is_clean_text(m.topic)) return Errc::malformed_frame;
    const bool again = asked->kind == Outbox::Kind::rejoin;
    output_->report(RoomJoined{again ? 0 : m.request, m.room, m.epoch, m.head, m.next, m.recovered,
                               m.role, m.access, m.marker, m.topic});
    if (gap) output_->report(*std::move(gap));
    return Errc{};
}

QUICCHAT_DECL Errc ClientMembership::on_event(ClientRoom& room, wire::Event m) {
    if (is_bad(m)) return Errc::malformed_frame;
    if (const Errc errc = room.handle_event(m.offset); errc != Errc{}) return errc;
    typing_->handle_done(room.name, m.from);
    std::visit([&](auto&& record) { output_->report(std::move(record)); },
               to_record(room.name, room.epoch, std::move(m)));
    return Errc{};
}

QUICCHAT_DECL Errc ClientMembership::on_gap(ClientRoom& room, const wire::Gap& m) {
    if (const Errc errc = room.handle_gap(m); errc != Errc{}) return errc;
    output_->report(RoomGap{room.name, room.epoch, m.first, m.last});
    return Errc{};
}

QUICCHAT_DECL Errc ClientMembership::on_members(const ClientRoom& room, wire::Members m) {
    if (m.request != 0 && !outbox_->take(m.request, *room.stream, Outbox::Kind::members)) {
        return Errc::unexpected_frame;
    }
    for (const RoomPerson& person : m.people) {
        if (is_bad(person)) return Errc::malformed_frame;
    }
    output_->report(MemberList{m.request, room.name, std::move(m.people), m.complete});
    return Errc{};
}

QUICCHAT_DECL Errc ClientMembership::on_presence(const ClientRoom& room, wire::Presence m) {
    if (is_bad(m)) return Errc::malformed_frame;
    output_->report(PresenceChanged{room.name, std::move(m.user), m.present, std::move(m.display)});
    return Errc{};
}

QUICCHAT_DECL Errc ClientMembership::on_error(ClientRoom& room, wire::Error m) {
    if (!is_clean_text(m.text)) return Errc::malformed_frame;
    const auto request = outbox_->take(m.request, *room.stream);
    if (m.request == 0 || (request && request->kind == Outbox::Kind::rejoin)) {
        room.end = from_wire_code(m.code);
        room.end_text = std::move(m.text);
        return Errc{};
    }
    if (!request) return Errc::unexpected_frame;
    if (request->kind == Outbox::Kind::join) room.stage = Stage::refused;
    return output_->report_refused(room.name, std::move(m));
}

QUICCHAT_DECL void ClientMembership::end_room(const ClientRoom& room) {
    const std::string key = canonical_name(room.name);
    const auto is_here = [&](const Outbox::Request& request) {
        // What has a stream of its own has its answer there.
        return !request.has_own_stream() && canonical_name(request.room) == key;
    };
    output_->report_unanswered(outbox_->take_if(is_here), Errc::not_in_room,
                               "the room ended before the answer came");
    if (room.stage == Stage::refused) return;  // said already
    output_->report(RoomLeft{room.name, room.end, room.end_text});
}

}  // namespace quicchat

#pragma once

#include "quicchat/session/client_requests.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL ClientRequests::ClientRequests(const Limits& limits)
    : page_records_max_(limits.page_records_max),
      server_limits_{limits.message_bytes_max, limits.attributes_bytes_max,
                     limits.rooms_per_connection_max},
      outbox_(limits),
      pages_(limits),
      typing_(limits) {}

QUICCHAT_DECL Result<RequestId> ClientRequests::join(std::string_view name,
                                                     const Position& position) {
    if (over_) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    if (std::max(position.count, position.offset) > varint_max) return Errc::invalid_request;
    if (rooms_.contains(name)) return Errc::already_joined;
    if (rooms_.size() >= server_limits_.rooms_max) return Errc::too_many_rooms;
    if (!outbox_.has_room(0)) return Errc::queue_full;
    rooms_.add(name, position);
    return outbox_.add({.kind = Kind::join, .room = std::string{name}});
}

QUICCHAT_DECL Errc ClientRequests::leave(std::string_view name) {
    if (over_) return Errc::not_ready;
    Room* room = find_wanted(name);
    if (room == nullptr) return Errc::not_in_room;
    room->stage = Stage::leaving;
    if (room->stream) return send_end(*room->stream), Errc{};
    end_room(*room);
    rooms_.erase(*room);
    return Errc{};
}

QUICCHAT_DECL Result<RequestId> ClientRequests::publish(std::string_view name, const MessageId& id,
                                                        std::string text, std::string attributes,
                                                        Act act) {
    if (const Errc errc = check(act, text, attributes); errc != Errc{}) return errc;
    const Room* room = find_wanted(name);
    if (room == nullptr) return Errc::not_in_room;
    return ask({.kind = Kind::message,
                .room = room->name,
                .id = id,
                .text = std::move(text),
                .attributes = std::move(attributes),
                .act = std::move(act)});
}

QUICCHAT_DECL Result<RequestId> ClientRequests::tell(std::string to, const MessageId& id,
                                                     std::string text, std::string attributes) {
    if (const Errc errc = check({}, text, attributes); errc != Errc{}) return errc;
    if (!is_user_name(to)) return Errc::invalid_name;
    return ask({.kind = Kind::message,
                .id = id,
                .to = std::move(to),
                .text = std::move(text),
                .attributes = std::move(attributes)});
}

QUICCHAT_DECL Result<RequestId> ClientRequests::create_room(std::string name, const MessageId& id,
                                                            RoomAccess access, std::string topic) {
    if (over_) return Errc::not_ready;
    if (!is_room_name(name)) return Errc::invalid_name;
    if (access == RoomAccess::archived) return Errc::invalid_request;
    if (topic.size() > topic_bytes_max) return Errc::message_too_long;
    if (!is_clean_text(topic)) return Errc::invalid_text;
    return ask({.kind = Kind::creation,
                .id = id,
                .to = std::move(name),
                .text = std::move(topic),
                .act = {.value = static_cast<std::uint64_t>(access)}});
}

QUICCHAT_DECL Errc ClientRequests::mark_read(std::string_view name, Offset offset, bool shared) {
    if (over_) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    if (offset > varint_max) return Errc::invalid_request;
    const Room* room = rooms_.find(name);
    std::optional<Epoch> epoch;
    if (room != nullptr && room->known) epoch = room->epoch;
    if (!epoch && is_private_name(name)) epoch = told_.epoch(name.substr(1));
    if (!epoch) return Errc::not_in_room;
    read_.note({std::string{name}, *epoch, offset, shared});
    send_markers();
    return Errc{};
}

QUICCHAT_DECL std::optional<Buffer> ClientRequests::say_typing(std::string_view name,
                                                               TimePoint now) {
    const Room* room = ready_ ? find_wanted(name) : nullptr;
    if (room == nullptr || room->stage != Stage::joined) return std::nullopt;
    if (!typing_.may_say(room->name, now)) return std::nullopt;
    return encode(wire::Typing{static_cast<std::uint64_t>(*room->stream), ""});
}

QUICCHAT_DECL void ClientRequests::handle_timeout(TimePoint now) {
    typing_.handle_timeout(now);
    report_typing();
}

QUICCHAT_DECL Result<RequestId> ClientRequests::restore(UnsentMessage message) {
    return ask({.kind = Kind::message,
                .room = std::move(message.room),
                .id = message.id,
                .to = std::move(message.to),
                .text = std::move(message.text),
                .attributes = std::move(message.attributes),
                .act = std::move(message.act)});
}

QUICCHAT_DECL void ClientRequests::join_on(StreamId stream, std::string_view name) {
    Room& room = *rooms_.find(name);
    const auto is_first_join = [&](const auto& entry) {
        return entry.second.kind == Kind::join &&
               canonical_name(entry.second.room) == canonical_name(name);
    };
    Outbox::Requests& requests = outbox_.requests();
    const auto asked = std::ranges::find_if(requests, is_first_join);
    const RequestId request = asked != requests.end()
                                  ? asked->first
                                  : outbox_.add({.kind = Kind::rejoin, .room = room.name});
    requests.at(request).stream = stream;
    rooms_.begin_join(room, stream, request);
    send(stream, wire::Join{request, room.name, room.position()});
    for (auto& [number, message] : requests) send_message(number, message);
}

QUICCHAT_DECL std::optional<ClientEvent> ClientRequests::poll_event() {
    std::optional<ClientEvent> event = pop_front(events_);
    const auto* told = event ? std::get_if<PrivateMessage>(&*event) : nullptr;
    if (told != nullptr && !over_) {
        read_.note({"@" + (is_same_name(told->from, user_) ? told->to : told->from), told->epoch,
                    told->offset, false});
    }
    return event;
}

QUICCHAT_DECL void ClientRequests::send_markers() {
    if (!ready_) return;
    while (std::optional<ReadMarker> marker = read_.poll()) {
        send(control_stream, wire::MarkRead{std::move(marker->room), marker->epoch, marker->offset,
                                            marker->shared});
    }
}

QUICCHAT_DECL std::optional<Outgoing> ClientRequests::poll_outgoing() {
    return pop_front(outgoing_);
}

template <class M>
void ClientRequests::send(StreamId stream, const M& message) {
    outgoing_.push_back({stream, Bytes{encode(message)}, false});
}

QUICCHAT_DECL void ClientRequests::send_end(StreamId stream) {
    outgoing_.push_back({stream, {}, true});
}

QUICCHAT_DECL void ClientRequests::send_message(RequestId number, Outbox::Request& request) {
    const bool resent = request.kind == Kind::message || request.kind == Kind::creation;
    if (!resent || request.stream || !ready_) return;
    if (request.kind == Kind::creation) {
        request.stream = control_stream;
        return send(control_stream,
                    wire::CreateRoom{number, request.id, request.to,
                                     RoomAccess{static_cast<std::uint8_t>(request.act.value)},
                                     request.text});
    }
    if (request.room.empty()) {
        request.stream = control_stream;
        return send(control_stream,
                    wire::Tell{number, request.id, request.to, request.text, request.attributes});
    }
    const Room* room = find_wanted(request.room);
    if (room == nullptr || !room->stream) return;
    request.stream = room->stream;
    send(*room->stream,
         wire::Publish{number, request.id, request.text, request.attributes, request.act});
}

QUICCHAT_DECL Result<RequestId> ClientRequests::ask(Outbox::Request request) {
    if (!outbox_.has_room(request.text.size() + request.attributes.size())) {
        return Errc::queue_full;
    }
    const RequestId number = outbox_.add(std::move(request));
    send_message(number, outbox_.requests().at(number));
    return number;
}

QUICCHAT_DECL ClientRequests::Room* ClientRequests::find_wanted(std::string_view name) {
    Room* room = rooms_.find(name);
    return room != nullptr && room->is_wanted() ? room : nullptr;
}

QUICCHAT_DECL Errc ClientRequests::check(const Act& act, std::string_view text,
                                         std::string_view attributes) const {
    if (over_) return Errc::not_ready;
    return check_form(act, text, attributes, server_limits_.message_bytes_max,
                      server_limits_.attributes_bytes_max);
}

QUICCHAT_DECL void ClientRequests::report_typing() {
    while (std::optional<TypingChanged> event = typing_.poll_event()) {
        events_.push_back(*std::move(event));
    }
}

QUICCHAT_DECL bool ClientRequests::has_own_stream(const Outbox::Request& request) {
    return request.kind == Kind::history || request.kind == Kind::search;
}

QUICCHAT_DECL void ClientRequests::end_room(const Room& room) {
    const std::string key = canonical_name(room.name);
    const auto is_here = [&](const Outbox::Request& request) {
        // What has a stream of its own has its answer there.
        return !has_own_stream(request) && canonical_name(request.room) == key;
    };
    refuse_if(is_here, Errc::not_in_room, "the room ended before the answer came");
    if (room.stage == Stage::refused) return;  // said already
    events_.push_back(RoomLeft{room.name, room.end, room.end_text});
}

template <class Predicate>
void ClientRequests::refuse_if(Predicate wanted, Errc errc, std::string_view text) {
    for (const auto& [number, request] : outbox_.take_if(wanted)) {
        if (request.kind == Kind::rejoin) continue;  // the application did not ask
        events_.push_back(Refused{number, request.room, errc, {}, std::string{text}});
    }
}

QUICCHAT_DECL void ClientRequests::begin_sending() {
    ready_ = true;
    for (auto& [number, request] : outbox_.requests()) send_message(number, request);
    read_.begin_again();
    send_markers();
}

QUICCHAT_DECL void ClientRequests::stop_sending() {
    ready_ = false;
    outgoing_.clear();
    for (const Room& room : rooms_.handle_disconnected()) end_room(room);
    const auto is_question = [](const Outbox::Request& r) {
        return r.kind == Kind::members || r.kind == Kind::rooms || r.kind == Kind::profile ||
               has_own_stream(r);
    };
    refuse_if(is_question, Errc::not_ready, "the connection was lost before the answer came");
    outbox_.take_if([](const Outbox::Request& r) { return r.kind == Kind::rejoin; });
    outbox_.handle_disconnected();
    pages_.clear();
    typing_.clear();
    report_typing();
}

}  // namespace quicchat

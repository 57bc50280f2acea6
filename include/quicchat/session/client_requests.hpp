#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/session/client_pages.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/session/outbox.hpp"
#include "quicchat/session/read_markers.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/session/told_messages.hpp"
#include "quicchat/session/typing.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// What an application asks of a server. It is taken at any time until the end, sent when that is
/// possible, and sent again on the next connection until it is answered.
class ClientRequests {
public:
    explicit ClientRequests(const Limits& limits)
        : page_records_max_(limits.page_records_max),
          server_limits_{limits.message_bytes_max, limits.attributes_bytes_max,
                         limits.rooms_per_connection_max},
          outbox_(limits),
          pages_(limits),
          typing_(limits) {}

    /// Joins a room. RoomJoined or Refused follows.
    Result<RequestId> join(std::string_view name, const Position& position) {
        if (over_) return Errc::not_ready;
        if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
        if (std::max(position.count, position.offset) > varint_max) return Errc::invalid_request;
        if (rooms_.contains(name)) return Errc::already_joined;
        if (rooms_.size() >= server_limits_.rooms_max) return Errc::too_many_rooms;
        if (!outbox_.has_room(0)) return Errc::queue_full;
        rooms_.add(name, position);
        return outbox_.add({.kind = Kind::join, .room = std::string{name}});
    }

    /// Leaves a room. RoomLeft follows.
    Errc leave(std::string_view name) {
        if (over_) return Errc::not_ready;
        Room* room = find_wanted(name);
        if (room == nullptr) return Errc::not_in_room;
        room->stage = Stage::leaving;
        if (room->stream) return send_end(*room->stream), Errc{};
        end_room(*room);
        rooms_.erase(*room);
        return Errc{};
    }

    /// Puts a message, or another act, into a room. Acked or Refused follows, with the returned
    /// number.
    Result<RequestId> publish(std::string_view name, const MessageId& id, std::string text,
                              std::string attributes, Act act = {}) {
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

    /// Sends a message to one person. Acked or Refused follows.
    Result<RequestId> tell(std::string to, const MessageId& id, std::string text,
                           std::string attributes) {
        if (const Errc errc = check({}, text, attributes); errc != Errc{}) return errc;
        if (!is_user_name(to)) return Errc::invalid_name;
        return ask({.kind = Kind::message,
                    .id = id,
                    .to = std::move(to),
                    .text = std::move(text),
                    .attributes = std::move(attributes)});
    }

    /// Makes a room. Acked or Refused follows.
    Result<RequestId> create_room(std::string name, const MessageId& id, RoomAccess access,
                                  std::string topic) {
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

    /// Says that we have read a room up to `offset`; `shared`: its members may know. Has no answer,
    /// and goes only up. Of rooms that we are in, and of what people told us.
    Errc mark_read(std::string_view name, Offset offset, bool shared) {
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

    /// The hint that we are typing in a room, for a datagram; nothing if it was said just now, or
    /// if it cannot be said.
    std::optional<Buffer> say_typing(std::string_view name, TimePoint now) {
        const Room* room = ready_ ? find_wanted(name) : nullptr;
        if (room == nullptr || room->stage != Stage::joined) return std::nullopt;
        if (!typing_.may_say(room->name, now)) return std::nullopt;
        return encode(wire::Typing{static_cast<std::uint64_t>(*room->stream), ""});
    }

    /// Hints of who is typing hold for a while only.
    void handle_timeout(TimePoint now) {
        typing_.handle_timeout(now);
        report_typing();
    }
    std::optional<TimePoint> next_deadline() const { return typing_.next_deadline(); }

    // For programs that keep unsent messages over their restarts.

    /// Takes in a message that an earlier run of the program did not get an answer to. It is sent
    /// as soon as its room is joined; Acked or Refused follows.
    Result<RequestId> restore(UnsentMessage message) {
        return ask({.kind = Kind::message,
                    .room = std::move(message.room),
                    .id = message.id,
                    .to = std::move(message.to),
                    .text = std::move(message.text),
                    .attributes = std::move(message.attributes),
                    .act = std::move(message.act)});
    }

    /// From now on `poll_outbox_change` says what has to be kept. Poll it after each turn.
    void report_outbox_changes() { outbox_.report_changes(); }
    std::optional<OutboxChange> poll_outbox_change() { return outbox_.poll_change(); }

    /// Joins a room, or goes on in it, on a stream that was opened for it.
    void join_on(StreamId stream, std::string_view name) {
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

    /// A message to one person counts as read when it is taken here.
    std::optional<ClientEvent> poll_event() {
        std::optional<ClientEvent> event = pop_front(events_);
        const auto* told = event ? std::get_if<PrivateMessage>(&*event) : nullptr;
        if (told != nullptr && !over_) {
            read_.note({"@" + (is_same_name(told->from, user_) ? told->to : told->from),
                        told->epoch, told->offset, false});
        }
        return event;
    }

    /// Says what was read since the last call. To be called when there are no more events.
    void send_markers() {
        if (!ready_) return;
        while (std::optional<ReadMarker> marker = read_.poll()) {
            send(control_stream, wire::MarkRead{std::move(marker->room), marker->epoch,
                                                marker->offset, marker->shared});
        }
    }

    std::optional<Outgoing> poll_outgoing() { return pop_front(outgoing_); }
    std::size_t unread_events() const { return events_.size(); }
    std::size_t unanswered_requests() const { return outbox_.size(); }

protected:
    using Kind = Outbox::Kind;
    using Room = ClientRoom;
    using Stage = ClientRoom::Stage;

    template <class M>
    void send(StreamId stream, const M& message) {
        outgoing_.push_back({stream, Bytes{encode(message)}, false});
    }
    void send_end(StreamId stream) { outgoing_.push_back({stream, {}, true}); }

    /// Sends a message that is not on its way yet, if its stream is there.
    void send_message(RequestId number, Outbox::Request& request) {
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
            return send(control_stream, wire::Tell{number, request.id, request.to, request.text,
                                                   request.attributes});
        }
        const Room* room = find_wanted(request.room);
        if (room == nullptr || !room->stream) return;
        request.stream = room->stream;
        send(*room->stream,
             wire::Publish{number, request.id, request.text, request.attributes, request.act});
    }

    Result<RequestId> ask(Outbox::Request request) {
        if (!outbox_.has_room(request.text.size() + request.attributes.size())) {
            return Errc::queue_full;
        }
        const RequestId number = outbox_.add(std::move(request));
        send_message(number, outbox_.requests().at(number));
        return number;
    }

    Room* find_wanted(std::string_view name) {
        Room* room = rooms_.find(name);
        return room != nullptr && room->is_wanted() ? room : nullptr;
    }

    Errc check(const Act& act, std::string_view text, std::string_view attributes) const {
        if (over_) return Errc::not_ready;
        return check_form(act, text, attributes, server_limits_.message_bytes_max,
                          server_limits_.attributes_bytes_max);
    }

    void report_typing() {
        while (std::optional<TypingChanged> event = typing_.poll_event()) {
            events_.push_back(*std::move(event));
        }
    }

    static bool has_own_stream(const Outbox::Request& request) {
        return request.kind == Kind::history || request.kind == Kind::search;
    }

    /// We are out of a room, and what was asked in it will have no answer.
    void end_room(const Room& room) {
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
    void refuse_if(Predicate wanted, Errc errc, std::string_view text) {
        for (const auto& [number, request] : outbox_.take_if(wanted)) {
            if (request.kind == Kind::rejoin) continue;  // the application did not ask
            events_.push_back(Refused{number, request.room, errc, {}, std::string{text}});
        }
    }

    /// The session is logged in: sends what waited for that.
    void begin_sending() {
        ready_ = true;
        for (auto& [number, request] : outbox_.requests()) send_message(number, request);
        read_.begin_again();
        send_markers();
    }

    /// The connection is gone: what is here waits for the next one.
    void stop_sending() {
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

    bool ready_ = false;  ///< Messages may be sent.
    bool over_ = false;   ///< Nothing more is taken.
    std::string user_;    ///< Our own name, once the server has said it.
    std::size_t page_records_max_;
    ServerLimits server_limits_;
    Outbox outbox_;
    ClientPages pages_;
    TypingPeople typing_;
    ReadMarkers read_;
    ToldMessages told_;
    ClientRooms rooms_;
    std::deque<ClientEvent> events_;
    std::deque<Outgoing> outgoing_;
};

}  // namespace quicchat

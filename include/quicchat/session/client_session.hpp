#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/client_room.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/session/outbox.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/version.hpp"

namespace quicchat {

/// A SASL message of the server that the login policy must answer.
struct LoginInput {
    Buffer data;
    bool final = false;  ///< The server says that the login is complete.
};

/// A client's side of one conversation, without I/O: frames in, frames and events out.
///
/// After any call, write what `poll_outgoing` gives and answer what `poll_login` gives. An Errc
/// from `handle_frame` is the end: close the connection with it.
class ClientSession {
public:
    explicit ClientSession(Limits limits, std::string agent = "{}")
        : limits_(limits), agent_(std::move(agent)), pending_(limits) {}

    /// The connection is up and `control` is our first stream. Says Hello and begins the login in
    /// one flight.
    void handle_connected(Connected connected, StreamId control, std::string mechanism,
                          Buffer login_data) {
        const bool advanced = lifecycle_.advance(Input::connected);
        assert(advanced);
        (void)advanced;
        connected_ = std::move(connected);
        control_ = control;
        send(control_, encode(wire::Hello{protocol_minor_min, protocol_minor_max, {}, agent_}));
        send(control_, encode(wire::LoginBegin{std::move(mechanism), std::move(login_data)}));
    }

    /// Applies one frame of the server. `Errc{}` if all is well.
    Errc handle_frame(StreamId stream, const FrameView& frame) {
        if (state() == State::draining || state() == State::closed) return Errc{};

        Result<Message> message = decode(frame);
        if (!message) {
            const Errc errc = to_errc(message.error());
            return errc == Errc::unknown_frame && may_be_skipped(frame.type) ? Errc{} : errc;
        }
        const Channel channel = stream == control_ ? Channel::control : Channel::room;
        const auto type = static_cast<FrameType>(frame.type);
        if (!is_permitted(Side::server, channel, type, state())) return Errc::unexpected_frame;
        if (channel == Channel::control) return handle_control(*std::move(message));

        const auto room = streams_.find(stream);
        if (room == streams_.end()) return Errc::unexpected_frame;
        // We left; what was under way is dropped unread, but for answers to what we asked before.
        const bool answer = type == FrameType::ack || type == FrameType::error;
        if (room->second->second.stage == Stage::leaving && !answer) return Errc{};
        return handle_room(room->second->second, *std::move(message));
    }

    /// The server finished or reset a stream.
    Errc handle_stream_end(StreamId stream, bool at_boundary) {
        if (state() == State::draining || state() == State::closed) return Errc{};
        if (stream == control_) return Errc::unexpected_frame;
        const auto found = streams_.find(stream);
        if (found == streams_.end()) return Errc{};
        if (!at_boundary) return Errc::malformed_frame;

        const auto room = found->second;
        for (const RequestId request : pending_.take_all(stream)) {
            events_.push_back(Refused{request,
                                      room->second.name,
                                      Errc::not_in_room,
                                      {},
                                      "the room ended before the answer came"});
        }
        if (room->second.stage != Stage::refused) {
            events_.push_back(RoomLeft{room->second.name, room->second.end, room->second.end_text});
        }
        // Both directions end, so that the stream's number is given back.
        if (room->second.stage != Stage::leaving) send(stream, {}, true);
        streams_.erase(found);
        rooms_.erase(room);
        return Errc{};
    }

    /// The connection is gone. Offline is the last event.
    void handle_disconnected(CloseReason reason) {
        if (!lifecycle_.advance(Input::disconnected)) return;
        events_.push_back(Offline{std::move(reason)});
        outgoing_.clear();
    }

    /// The login policy answered the challenge.
    void login_respond(Buffer data) {
        send(control_, encode(wire::LoginResponse{std::move(data)}));
    }

    /// The server proved itself: the session is ready.
    void login_complete() {
        if (!lifecycle_.advance(Input::authenticated)) return;
        events_.push_back(
            Online{user_, server_limits_, connected_.peer_address, connected_.peer_key});
    }

    /// The connection is being closed; nothing more is read or sent.
    void handle_close(Input why) {
        lifecycle_.advance(why);
        outgoing_.clear();
    }

    /// Joins a room on `stream`, which was opened for it. Check with `may_join` first.
    RequestId join(StreamId stream, std::string_view name, Position position) {
        const RequestId request =
            *pending_.add({.stream = stream, .kind = Kind::join, .room = std::string{name}});
        const auto [room, added] =
            rooms_.emplace(canonical_name(name), Room{std::string{name}, stream, request});
        assert(added);
        (void)added;
        streams_.emplace(stream, room);
        send(stream, encode(wire::Join{request, std::string{name}, position}));
        return request;
    }

    Errc may_join(std::string_view name, const Position& position = {}) const {
        if (state() != State::ready) return Errc::not_ready;
        if (!is_room_name(name)) return Errc::invalid_name;
        if (std::max(position.count, position.offset) > varint_max) return Errc::invalid_request;
        if (rooms_.count(canonical_name(name)) != 0) return Errc::already_joined;
        if (rooms_.size() >= server_limits_.rooms_max) return Errc::too_many_rooms;
        return pending_.size() < limits_.outbox_messages_max ? Errc{} : Errc::queue_full;
    }

    /// Leaves a room. RoomLeft follows.
    Errc leave(std::string_view name) {
        Room* room = find_joined(name);
        if (room == nullptr) return state() == State::ready ? Errc::not_in_room : Errc::not_ready;
        room->stage = Stage::leaving;
        send(room->stream, {}, true);
        return Errc{};
    }

    /// Puts a message into a room. Acked or Refused follows, with the returned number.
    Result<RequestId> publish(std::string_view name, const MessageId& id, std::string text,
                              std::string attributes) {
        if (const Errc errc = check_message(text, attributes); errc != Errc{}) return errc;
        const Room* room = find_joined(name);
        if (room == nullptr) return Errc::not_in_room;
        const auto request = pending_.add(
            {room->stream, Kind::message, room->name, id, text.size() + attributes.size()});
        if (!request) return Errc::queue_full;
        send(room->stream,
             encode(wire::Publish{*request, id, std::move(text), std::move(attributes)}));
        return *request;
    }

    /// Sends a message to one person. Acked or Refused follows.
    Result<RequestId> tell(std::string to, const MessageId& id, std::string text,
                           std::string attributes) {
        if (const Errc errc = check_message(text, attributes); errc != Errc{}) return errc;
        if (!is_user_name(to)) return Errc::invalid_name;
        const auto request =
            pending_.add({control_, Kind::message, "", id, text.size() + attributes.size()});
        if (!request) return Errc::queue_full;
        send(control_, encode(wire::Tell{*request, id, std::move(to), std::move(text),
                                         std::move(attributes)}));
        return *request;
    }

    /// Asks who is in a room, for names after `after`. MemberList follows.
    Result<RequestId> request_members(std::string_view name, std::string after) {
        if (state() != State::ready) return Errc::not_ready;
        const Room* room = find_joined(name);
        if (room == nullptr) return Errc::not_in_room;
        if (!after.empty() && !is_user_name(after)) return Errc::invalid_name;
        const auto request = pending_.add({room->stream, Kind::members, room->name});
        if (!request) return Errc::queue_full;
        send(room->stream, encode(wire::MembersRequest{*request, std::move(after)}));
        return *request;
    }

    std::optional<ClientEvent> poll_event() { return pop_front(events_); }
    std::optional<Outgoing> poll_outgoing() { return pop_front(outgoing_); }
    std::optional<LoginInput> poll_login() { return std::exchange(login_, std::nullopt); }

    State state() const { return lifecycle_.state(); }
    std::size_t unread_events() const { return events_.size(); }
    std::size_t unanswered_requests() const { return pending_.size(); }

private:
    using Kind = PendingRequests::Kind;
    using Room = ClientRoom;
    using Stage = ClientRoom::Stage;
    using Rooms = std::map<std::string, Room, std::less<>>;

    void send(StreamId stream, Buffer frame, bool fin = false) {
        outgoing_.push_back({stream, Bytes{std::move(frame)}, fin});
    }

    /// A room in which requests make sense: joined, or about to be, since streams keep order.
    Room* find_joined(std::string_view name) {
        if (state() != State::ready) return nullptr;
        const auto found = rooms_.find(canonical_name(name));
        if (found == rooms_.end()) return nullptr;
        const Stage stage = found->second.stage;
        return stage == Stage::joining || stage == Stage::joined ? &found->second : nullptr;
    }

    Errc check_message(std::string_view text, std::string_view attributes) const {
        if (state() != State::ready) return Errc::not_ready;
        if (text.size() > server_limits_.message_bytes_max ||
            attributes.size() > server_limits_.attributes_bytes_max) {
            return Errc::message_too_long;
        }
        if (text.empty() || !is_clean_text(text) || !is_clean_text(attributes)) {
            return Errc::invalid_text;
        }
        return Errc{};
    }

    /// What only a broken or hostile server would send: a text that we could not show.
    static bool is_bad(std::string_view from, std::string_view text, std::string_view attributes) {
        return !is_user_name(from) || !is_clean_text(text) || !is_clean_text(attributes);
    }

    // Control stream.

    Errc handle_control(Message message) {
        return match(
            std::move(message), [&](wire::Welcome&& m) { return on_welcome(std::move(m)); },
            [&](wire::LoginChallenge&& m) {
                return on_login({std::move(m.data), false});
            },
            [&](wire::LoginDone&& m) {
                if (!is_user_name(m.user)) return Errc::malformed_frame;
                user_ = std::move(m.user);
                return on_login({std::move(m.data), true});
            },
            [&](wire::Error&& m) { return on_control_error(std::move(m)); },
            [&](wire::Goaway&& m) {
                if (!is_clean_text(m.text)) return Errc::malformed_frame;
                events_.push_back(GoingAway{from_wire_code(m.code), from_milliseconds(m.grace_ms),
                                            std::move(m.text)});
                return Errc{};
            },
            [&](wire::Ack&& m) { return on_ack(control_, m); },
            [&](wire::Told&& m) {
                if (is_bad(m.from, m.text, m.attributes) || !is_user_name(m.to)) {
                    return Errc::malformed_frame;
                }
                events_.push_back(PrivateMessage{m.epoch, m.offset, m.time, m.id, std::move(m.from),
                                                 std::move(m.to), std::move(m.text),
                                                 std::move(m.attributes)});
                return Errc{};
            },
            [](auto&&) { return Errc::unexpected_frame; });  // the permissions let none through
    }

    Errc on_welcome(wire::Welcome m) {
        if (m.minor < protocol_minor_min || m.minor > protocol_minor_max) {
            return Errc::version_mismatch;
        }
        server_limits_ = m.limits;
        lifecycle_.advance(Input::negotiated);
        return Errc{};
    }

    Errc on_login(LoginInput input) {
        login_ = std::move(input);
        return Errc{};
    }

    Errc on_control_error(wire::Error m) {
        if (!is_clean_text(m.text)) return Errc::malformed_frame;
        if (m.request == 0) return Errc{};  // why the connection ends; the close says it again
        const auto request = pending_.take(m.request, control_);
        if (!request) return Errc::unexpected_frame;
        events_.push_back(Refused{m.request, request->room, from_wire_code(m.code),
                                  from_milliseconds(m.retry_after_ms), std::move(m.text)});
        return Errc{};
    }

    Errc on_ack(StreamId stream, const wire::Ack& m) {
        const auto request = pending_.take(m.request, stream, Kind::message);
        if (!request) return Errc::unexpected_frame;
        events_.push_back(Acked{m.request, request->id, m.epoch, m.offset, m.durability, m.time});
        return Errc{};
    }

    // Room streams.

    Errc handle_room(Room& room, Message message) {
        return match(
            std::move(message), [&](wire::Joined&& m) { return on_joined(room, m); },
            [&](wire::Event&& m) { return on_event(room, std::move(m)); },
            [&](wire::Gap&& m) { return on_gap(room, m); },
            [&](wire::Ack&& m) { return on_ack(room.stream, m); },
            [&](wire::Members&& m) { return on_members(room, std::move(m)); },
            [&](wire::Presence&& m) {
                if (!is_user_name(m.user)) return Errc::malformed_frame;
                events_.push_back(PresenceChanged{room.name, std::move(m.user), m.present});
                return Errc{};
            },
            [&](wire::Error&& m) { return on_room_error(room, std::move(m)); },
            [](auto&&) { return Errc::unexpected_frame; });
    }

    Errc on_joined(Room& room, const wire::Joined& m) {
        if (const Errc errc = room.handle_joined(m); errc != Errc{}) return errc;
        pending_.take(m.request, room.stream);
        events_.push_back(RoomJoined{m.request, m.room, m.epoch, m.head, m.next, m.recovered});
        return Errc{};
    }

    Errc on_event(Room& room, wire::Event m) {
        if (is_bad(m.from, m.text, m.attributes)) return Errc::malformed_frame;
        if (const Errc errc = room.handle_event(m.offset); errc != Errc{}) return errc;
        events_.push_back(RoomMessage{room.name, room.epoch, m.offset, m.time, m.id,
                                      std::move(m.from), std::move(m.text),
                                      std::move(m.attributes)});
        return Errc{};
    }

    Errc on_gap(Room& room, const wire::Gap& m) {
        if (const Errc errc = room.handle_gap(m); errc != Errc{}) return errc;
        events_.push_back(RoomGap{room.name, room.epoch, m.first, m.last});
        return Errc{};
    }

    Errc on_members(Room& room, wire::Members m) {
        if (m.request != 0 && !pending_.take(m.request, room.stream, Kind::members)) {
            return Errc::unexpected_frame;
        }
        for (const std::string& user : m.users) {
            if (!is_user_name(user)) return Errc::malformed_frame;
        }
        events_.push_back(MemberList{m.request, room.name, std::move(m.users), m.complete});
        return Errc{};
    }

    /// An error about a request refuses it; one about none is why the server ends our membership.
    Errc on_room_error(Room& room, wire::Error m) {
        if (!is_clean_text(m.text)) return Errc::malformed_frame;
        const Errc errc = from_wire_code(m.code);
        if (m.request == 0) {
            room.end = errc;
            room.end_text = std::move(m.text);
            return Errc{};
        }
        if (!pending_.take(m.request, room.stream)) return Errc::unexpected_frame;
        if (m.request == room.join_request && room.stage == Stage::joining) {
            room.stage = Stage::refused;
        }
        events_.push_back(Refused{m.request, room.name, errc, from_milliseconds(m.retry_after_ms),
                                  std::move(m.text)});
        return Errc{};
    }

    Limits limits_;
    std::string agent_;
    Lifecycle lifecycle_{State::connecting};
    Connected connected_;
    StreamId control_{};
    std::string user_;
    ServerLimits server_limits_;
    PendingRequests pending_;
    Rooms rooms_;
    std::map<StreamId, Rooms::iterator> streams_;
    std::deque<ClientEvent> events_;
    std::deque<Outgoing> outgoing_;
    std::optional<LoginInput> login_;
};

}  // namespace quicchat

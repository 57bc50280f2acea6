#pragma once

#include "quicchat/session/client_session.hpp"

#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/session/told_messages.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/version.hpp"

namespace quicchat {

QUICCHAT_DECL void ClientSession::handle_connected(Connected connected, SessionLogin login) {
    if (!lifecycle_.advance(Input::connected)) return;
    connected_ = std::move(connected);
    one_flight_ = login.one_flight;
    send(control_stream, wire::Hello{protocol_minor_min, protocol_minor_max, {}, agent_});
    send(control_stream,
         wire::LoginBegin{std::move(login.mechanism), login.device, std::move(login.data)});
}

QUICCHAT_DECL Errc ClientSession::handle_frame(StreamId stream, const FrameView& frame) {
    if (state() == State::draining || state() == State::closed) return Errc{};

    Result<Message> message = decode(frame);
    if (!message) {
        const Errc errc = to_errc(message.error());
        return errc == Errc::unknown_frame && may_be_skipped(frame.type) ? Errc{} : errc;
    }
    const Channel channel = stream == control_stream ? Channel::control : Channel::room;
    const auto type = static_cast<FrameType>(frame.type);
    if (!is_permitted(Side::server, channel, type, state())) return Errc::unexpected_frame;
    if (channel == Channel::control) return handle_control(*std::move(message));

    if (pages_.contains(stream)) return handle_page(stream, *std::move(message));
    if (is_transfer(stream)) return handle_transfer(stream, *std::move(message));
    Room* room = rooms_.find(stream);
    if (room == nullptr) return Errc::unexpected_frame;
    // We left; what was under way is dropped unread, but for answers to what we asked before.
    const bool answer = type == FrameType::ack || type == FrameType::error;
    if (room->stage == Stage::leaving && !answer) return Errc{};
    return handle_room(*room, *std::move(message));
}

QUICCHAT_DECL void ClientSession::handle_datagram(BytesView bytes, TimePoint now) {
    const std::optional<wire::Typing> hint = decode_datagram(bytes);
    if (!hint || state() != State::ready || !is_user_name(hint->user)) return;
    const Room* room = rooms_.find(StreamId{hint->stream});
    if (room == nullptr || room->stage != Stage::joined) return;
    typing_.handle_typing(room->name, hint->user, now);
    report_typing();
}

QUICCHAT_DECL Errc ClientSession::handle_stream_end(StreamId stream, bool at_boundary) {
    if (state() == State::draining || state() == State::closed) return Errc{};
    if (stream == control_stream) return Errc::unexpected_frame;
    if (pages_.contains(stream)) return end_page(stream);
    if (is_transfer(stream)) return end_transfer(stream, at_boundary);
    Room* room = rooms_.find(stream);
    if (room == nullptr) return Errc{};
    if (!at_boundary) return Errc::malformed_frame;

    // Both directions end, so that the stream's number is given back.
    if (room->stage != Stage::leaving) send_end(stream);
    end_room(*room);
    rooms_.erase(*room);
    return Errc{};
}

QUICCHAT_DECL void ClientSession::handle_disconnected() {
    lifecycle_.advance(Input::disconnected);
    login_.reset();
    stop_sending();
    stop_transfers();
}

QUICCHAT_DECL void ClientSession::retry(CloseReason reason, Duration delay, std::uint64_t attempt) {
    lifecycle_ = Lifecycle{State::connecting};
    events_.push_back(Reconnecting{std::move(reason), delay, attempt});
}

QUICCHAT_DECL void ClientSession::end(CloseReason reason) {
    over_ = true;
    events_.push_back(Offline{std::move(reason)});
}

QUICCHAT_DECL void ClientSession::login_respond(Buffer data) {
    send(control_stream, wire::LoginResponse{std::move(data)});
}

QUICCHAT_DECL void ClientSession::login_complete() {
    if (!lifecycle_.advance(Input::authenticated)) return;
    events_.push_back(Online{user_, server_limits_, connected_.peer_address, connected_.peer_key});
    begin_sending();
}

QUICCHAT_DECL void ClientSession::handle_close(Input why) {
    over_ = over_ || why == Input::close_asked;
    lifecycle_.advance(why);
    ready_ = false;
    outgoing_.clear();
}

QUICCHAT_DECL std::optional<std::string> ClientSession::poll_join() const {
    const bool early =
        one_flight_ && (state() == State::negotiating || state() == State::authenticating);
    if (state() != State::ready && !early) return std::nullopt;
    if (early && rooms_.stream_count() >= early_joins_max) return std::nullopt;
    const Room* room = rooms_.next_waiting();
    return room == nullptr ? std::nullopt : std::optional{room->name};
}

QUICCHAT_DECL std::optional<LoginInput> ClientSession::poll_login() {
    return std::exchange(login_, std::nullopt);
}

QUICCHAT_DECL std::optional<wire::Token> ClientSession::poll_token() {
    return std::exchange(token_, std::nullopt);
}

QUICCHAT_DECL Errc ClientSession::handle_control(Message message) {
    return match_some(
        std::move(message), Errc::unexpected_frame,
        [&](wire::Welcome&& m) { return on_welcome(std::move(m)); },
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
        [&](wire::Token&& m) {
            events_.push_back(TokenRenewed{m.generation});
            token_ = std::move(m);
            return Errc{};
        },
        [&](wire::Ack&& m) { return on_ack(control_stream, m); },
        [&](wire::Rooms&& m) { return on_rooms(std::move(m)); },
        [&](wire::Marker&& m) {
            if (!is_any_room_name(m.room) || !is_user_name(m.user)) {
                return Errc::malformed_frame;
            }
            events_.push_back(MarkerMoved{std::move(m.room), std::move(m.user), m.offset});
            return Errc{};
        },
        [&](wire::Profile&& m) {
            if (is_bad(m)) return Errc::malformed_frame;
            if (m.request != 0 && !outbox_.take(m.request, control_stream, Kind::profile)) {
                return Errc::unexpected_frame;
            }
            events_.push_back(ProfileChanged{m.request, std::move(m.user), std::move(m.display)});
            return Errc{};
        },
        [&](wire::Told&& m) {
            if (is_bad(m)) return Errc::malformed_frame;
            if (!told_.is_news(is_same_name(m.from, user_) ? m.to : m.from, m.epoch, m.offset)) {
                return Errc{};
            }
            events_.push_back(PrivateMessage{
                m.epoch, m.offset, m.time, m.id, std::move(m.from), std::move(m.to),
                std::move(m.text), std::move(m.attributes), m.act.target, to_file(m.act)});
            return Errc{};
        });  // the permissions let none through
}

QUICCHAT_DECL Errc ClientSession::on_welcome(wire::Welcome m) {
    if (m.minor < protocol_minor_min || m.minor > protocol_minor_max) {
        return Errc::version_mismatch;
    }
    server_limits_ = m.limits;
    lifecycle_.advance(Input::negotiated);
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_login(LoginInput input) {
    login_ = std::move(input);
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_control_error(wire::Error m) {
    if (!is_clean_text(m.text)) return Errc::malformed_frame;
    if (m.request == 0) return Errc{};  // why the connection ends; the close says it again
    const auto request = outbox_.take(m.request, control_stream);
    if (!request) return Errc::unexpected_frame;
    return refuse(*request, std::move(m));
}

QUICCHAT_DECL Errc ClientSession::on_rooms(wire::Rooms m) {
    if (!outbox_.take(m.request, control_stream, Kind::rooms)) return Errc::unexpected_frame;
    for (const RoomSummary& room : m.rooms) {
        if (!is_any_room_name(room.room) || !is_clean_text(room.topic)) {
            return Errc::malformed_frame;
        }
    }
    events_.push_back(RoomList{m.request, std::move(m.rooms), m.complete});
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_ack(StreamId stream, const wire::Ack& m) {
    const auto request = outbox_.take_stored(m.request, stream);
    if (!request) return Errc::unexpected_frame;
    events_.push_back(Acked{m.request, request->id, m.epoch, m.offset, m.durability, m.time});
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::handle_page(StreamId stream, Message message) {
    return match_some(
        std::move(message), Errc::unexpected_frame,
        [&](wire::Event&& m) {
            return is_bad(m) ? Errc::malformed_frame : pages_.add(stream, std::move(m));
        },
        [&](wire::HistoryEnd&& m) {
            if (!outbox_.take(m.request, stream, Kind::history)) return Errc::unexpected_frame;
            events_.push_back(pages_.complete(stream, m));
            return Errc{};
        },
        [&](wire::SearchEnd&& m) {
            if (!outbox_.take(m.request, stream, Kind::search)) return Errc::unexpected_frame;
            Result<SearchPage> page = pages_.complete(stream, m);
            if (!page) return to_errc(page.error());
            events_.push_back(*std::move(page));
            return Errc{};
        },
        [&](wire::Error&& m) {
            const auto request = outbox_.take(m.request, stream);
            if (!request) return Errc::unexpected_frame;
            return refuse(*request, std::move(m));
        });
}

QUICCHAT_DECL Errc ClientSession::end_page(StreamId stream) {
    const auto request = outbox_.take(pages_.end(stream), stream);
    return request ? Errc::unexpected_frame : Errc{};
}

QUICCHAT_DECL Errc ClientSession::refuse(const Outbox::Request& request, wire::Error m) {
    if (!is_clean_text(m.text)) return Errc::malformed_frame;
    events_.push_back(Refused{m.request, request.room, from_wire_code(m.code),
                              from_milliseconds(m.retry_after_ms), std::move(m.text)});
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::handle_room(Room& room, Message message) {
    return match_some(
        std::move(message), Errc::unexpected_frame,
        [&](wire::Joined&& m) { return on_joined(room, m); },
        [&](wire::Event&& m) { return on_event(room, std::move(m)); },
        [&](wire::Gap&& m) { return on_gap(room, m); },
        [&](wire::Ack&& m) { return on_ack(*room.stream, m); },
        [&](wire::Members&& m) { return on_members(room, std::move(m)); },
        [&](wire::Presence&& m) {
            if (is_bad(m)) return Errc::malformed_frame;
            events_.push_back(
                PresenceChanged{room.name, std::move(m.user), m.present, std::move(m.display)});
            return Errc{};
        },
        [&](wire::Heartbeat&& m) { return room.handle_heartbeat(m); },
        [&](wire::Error&& m) { return on_room_error(room, std::move(m)); });
}

QUICCHAT_DECL Errc ClientSession::on_joined(Room& room, const wire::Joined& m) {
    std::optional<RoomGap> gap;
    if (const Errc errc = room.handle_joined(m, gap); errc != Errc{}) return errc;
    const auto asked = outbox_.take(m.request, *room.stream);
    if (!asked) return Errc::unexpected_frame;  // refused before
    if (!is_clean_text(m.topic)) return Errc::malformed_frame;
    const bool again = asked->kind == Kind::rejoin;
    events_.push_back(RoomJoined{again ? 0 : m.request, m.room, m.epoch, m.head, m.next,
                                 m.recovered, m.role, m.access, m.marker, m.topic});
    if (gap) events_.push_back(*std::move(gap));
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_event(Room& room, wire::Event m) {
    if (is_bad(m)) return Errc::malformed_frame;
    if (const Errc errc = room.handle_event(m.offset); errc != Errc{}) return errc;
    typing_.handle_done(room.name, m.from);
    report_typing();
    std::visit([&](auto&& record) { events_.push_back(std::move(record)); },
               to_record(room.name, room.epoch, std::move(m)));
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_gap(Room& room, const wire::Gap& m) {
    if (const Errc errc = room.handle_gap(m); errc != Errc{}) return errc;
    events_.push_back(RoomGap{room.name, room.epoch, m.first, m.last});
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_members(Room& room, wire::Members m) {
    if (m.request != 0 && !outbox_.take(m.request, *room.stream, Kind::members)) {
        return Errc::unexpected_frame;
    }
    for (const RoomPerson& person : m.people) {
        if (is_bad(person)) return Errc::malformed_frame;
    }
    events_.push_back(MemberList{m.request, room.name, std::move(m.people), m.complete});
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_room_error(Room& room, wire::Error m) {
    if (!is_clean_text(m.text)) return Errc::malformed_frame;
    const Errc errc = from_wire_code(m.code);
    const auto request = outbox_.take(m.request, *room.stream);
    if (m.request == 0 || (request && request->kind == Kind::rejoin)) {
        room.end = errc;
        room.end_text = std::move(m.text);
        return Errc{};
    }
    if (!request) return Errc::unexpected_frame;
    if (request->kind == Kind::join) room.stage = Stage::refused;
    events_.push_back(Refused{m.request, room.name, errc, from_milliseconds(m.retry_after_ms),
                              std::move(m.text)});
    return Errc{};
}

}  // namespace quicchat

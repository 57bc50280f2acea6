#pragma once

#include "quicchat/session/client_session.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/version.hpp"

namespace quicchat {

QUICCHAT_DECL ClientSession::ClientSession(const Limits& limits, std::string agent)
    : agent_(std::move(agent)),
      events_max_(limits.events_max),
      status_{.limits = {limits.message_bytes_max, limits.attributes_bytes_max,
                         limits.rooms_per_connection_max}},
      outbox_(limits),
      typing_(limits, status_, rooms_, output_),
      reading_(status_, rooms_, output_),
      messages_(status_, rooms_, outbox_, output_),
      membership_(status_, rooms_, outbox_, messages_, typing_, output_),
      questions_(limits, status_, rooms_, outbox_, output_),
      transfers_(limits, status_, outbox_, output_) {}

QUICCHAT_DECL void ClientSession::handle_connected(Connected connected, SessionLogin login) {
    if (!lifecycle_.advance(Input::connected)) return;
    connected_ = std::move(connected);
    one_flight_ = login.one_flight;
    output_.send(control_stream, wire::Hello{protocol_minor_min, protocol_minor_max, {}, agent_});
    output_.send(control_stream,
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

    if (questions_.is_page(stream)) return questions_.handle_page(stream, *std::move(message));
    if (transfers_.is_transfer(stream)) {
        return transfers_.handle_frame(stream, *std::move(message));
    }
    return membership_.handle_frame(stream, type, *std::move(message));
}

QUICCHAT_DECL Errc ClientSession::handle_stream_end(StreamId stream, bool at_boundary) {
    if (state() == State::draining || state() == State::closed) return Errc{};
    if (stream == control_stream) return Errc::unexpected_frame;
    if (questions_.is_page(stream)) return questions_.handle_page_end(stream);
    if (transfers_.is_transfer(stream)) return transfers_.handle_stream_end(stream, at_boundary);
    return membership_.handle_stream_end(stream, at_boundary);
}

QUICCHAT_DECL void ClientSession::handle_disconnected() {
    lifecycle_.advance(Input::disconnected);
    login_.reset();
    status_.ready = false;
    output_.drop_unsent();
    membership_.handle_disconnected();
    questions_.handle_disconnected();
    outbox_.handle_disconnected();
    typing_.handle_disconnected();
    transfers_.handle_disconnected();
}

QUICCHAT_DECL void ClientSession::retry(CloseReason reason, Duration delay, std::uint64_t attempt) {
    lifecycle_ = Lifecycle{State::connecting};
    output_.report(Reconnecting{std::move(reason), delay, attempt});
}

QUICCHAT_DECL void ClientSession::end(CloseReason reason) {
    status_.over = true;
    output_.report(Offline{std::move(reason)});
}

QUICCHAT_DECL void ClientSession::login_respond(Buffer data) {
    output_.send(control_stream, wire::LoginResponse{std::move(data)});
}

QUICCHAT_DECL void ClientSession::login_complete() {
    if (!lifecycle_.advance(Input::authenticated)) return;
    output_.report(
        Online{status_.user, status_.limits, connected_.peer_address, connected_.peer_key});
    status_.ready = true;
    messages_.send_waiting();
    reading_.begin_again();
}

QUICCHAT_DECL void ClientSession::handle_close(Input why) {
    status_.over = status_.over || why == Input::close_asked;
    lifecycle_.advance(why);
    status_.ready = false;
    output_.drop_unsent();
}

QUICCHAT_DECL Errc ClientSession::handle_timeout(TimePoint now) {
    typing_.handle_timeout(now);
    if (!status_.ready) return Errc{};
    AnswerWatch& answers = outbox_.answers();
    answers.handle_timeout(now, unread_events() < events_max_, transfers_.waits_for_server());
    const std::optional<RequestId> late = answers.poll_late();
    if (std::optional<NoAnswerYet> said = late ? describe(*late) : std::nullopt) {
        said->waited = answers.waited();
        output_.report(*std::move(said));
    }
    return answers.is_over() ? Errc::transport_failed : Errc{};
}

QUICCHAT_DECL std::optional<TimePoint> ClientSession::next_deadline() const {
    const auto typing = typing_.next_deadline();
    if (!status_.ready) return typing;
    return earlier(typing, outbox_.answers().next_deadline(transfers_.waits_for_server()));
}

QUICCHAT_DECL std::optional<std::string> ClientSession::poll_join() const {
    const bool early =
        one_flight_ && (state() == State::negotiating || state() == State::authenticating);
    if (state() != State::ready && !early) return std::nullopt;
    if (early && rooms_.stream_count() >= early_joins_max) return std::nullopt;
    const ClientRoom* room = rooms_.next_waiting();
    return room == nullptr ? std::nullopt : std::optional{room->name};
}

QUICCHAT_DECL std::optional<LoginInput> ClientSession::poll_login() {
    return std::exchange(login_, std::nullopt);
}

QUICCHAT_DECL std::optional<wire::Token> ClientSession::poll_token() {
    return std::exchange(token_, std::nullopt);
}

QUICCHAT_DECL std::optional<ClientEvent> ClientSession::poll_event() {
    std::optional<ClientEvent> event = output_.poll_event();
    if (!event) return std::nullopt;
    reading_.handle_taken(*event);
    transfers_.handle_taken(*event);
    return event;
}

QUICCHAT_DECL Errc ClientSession::handle_control(Message message) {
    return match_some(
        std::move(message), Errc::unexpected_frame,
        [&](wire::Welcome&& m) { return on_welcome(std::move(m)); },
        [&](wire::LoginChallenge&& m) {
            login_ = LoginInput{std::move(m.data), false};
            return Errc{};
        },
        [&](wire::LoginDone&& m) { return on_login_done(std::move(m)); },
        [&](wire::Error&& m) { return on_error(std::move(m)); },
        [&](wire::Goaway&& m) { return on_goaway(std::move(m)); },
        [&](wire::Token&& m) { return on_token(std::move(m)); },
        [&](wire::Ack&& m) { return messages_.handle_ack(control_stream, m); },
        [&](wire::Rooms&& m) { return questions_.handle_rooms(std::move(m)); },
        [&](wire::Marker&& m) { return on_marker(std::move(m)); },
        [&](wire::Profile&& m) { return questions_.handle_profile(std::move(m)); },
        [&](wire::Told&& m) {
            return reading_.handle_told(std::move(m));
        });  // the permissions let none through
}

QUICCHAT_DECL Errc ClientSession::on_welcome(wire::Welcome m) {
    if (m.minor < protocol_minor_min || m.minor > protocol_minor_max) {
        return Errc::version_mismatch;
    }
    status_.limits = m.limits;
    lifecycle_.advance(Input::negotiated);
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_login_done(wire::LoginDone m) {
    if (!is_user_name(m.user)) return Errc::malformed_frame;
    status_.user = std::move(m.user);
    login_ = LoginInput{std::move(m.data), true};
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_error(wire::Error m) {
    if (!is_clean_text(m.text)) return Errc::malformed_frame;
    if (m.request == 0) return Errc{};  // why the connection ends; the close says it again
    const auto request = outbox_.take(m.request, control_stream);
    if (!request) return Errc::unexpected_frame;
    return output_.report_refused(request->room, std::move(m));
}

QUICCHAT_DECL Errc ClientSession::on_goaway(wire::Goaway m) {
    if (!is_clean_text(m.text)) return Errc::malformed_frame;
    output_.report(
        GoingAway{from_wire_code(m.code), from_milliseconds(m.grace_ms), std::move(m.text)});
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_token(wire::Token m) {
    output_.report(TokenRenewed{m.generation});
    token_ = std::move(m);
    return Errc{};
}

QUICCHAT_DECL Errc ClientSession::on_marker(wire::Marker m) {
    if (!is_any_room_name(m.room) || !is_user_name(m.user)) return Errc::malformed_frame;
    output_.report(MarkerMoved{std::move(m.room), std::move(m.user), m.offset});
    return Errc{};
}

QUICCHAT_DECL std::optional<NoAnswerYet> ClientSession::describe(RequestId request) const {
    const Outbox::Request* r = outbox_.find(request);
    if (r == nullptr) return transfers_.describe(request);
    const bool is_private = r->kind == RequestKind::message && r->room.empty();
    const std::string to = is_private ? "@" + r->to : r->to;  // a new room's name, or nobody
    return NoAnswerYet{.request = request, .kind = r->kind, .room = r->room.empty() ? to : r->room};
}

}  // namespace quicchat

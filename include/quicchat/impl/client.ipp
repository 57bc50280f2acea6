#pragma once

#include "quicchat/client.hpp"

namespace quicchat {

template <DialingTransport T>
void Client<T>::compute_in(std::shared_ptr<Background> background) {
    background_ = std::move(background);
    login_->compute_in(background_);
}

template <DialingTransport T>
void Client<T>::connect(Now now) {
    assert(!connection_ && !redial_at_);
    if (!closing_) dial(now.steady);
}

template <DialingTransport T>
void Client<T>::process(Now now) {
    now_ = now.steady;
    transport_.handle_timeout(now.steady);
    while (std::optional<TransportEvent> event = transport_.poll_event()) {
        handle(*std::move(event));
    }
    // Always, or else `wake_fd` is never quiet; what an earlier connection waited for is dropped.
    Result<std::optional<Buffer>> answer = login_->poll();
    if (state() == State::authenticating && send_answer(std::move(answer))) flush();
    if (redial_at_ && now.steady >= *redial_at_) dial(now.steady);
    if (login_deadline_ && now.steady >= *login_deadline_) fail(Errc::login_timeout);
    watch_progress();
    if (const Errc errc = session_->handle_timeout(now.steady); errc != Errc{}) {
        fail(errc, "the server answers nothing");
    }
    pay_credit();
}

template <DialingTransport T>
std::optional<TimePoint> Client<T>::next_deadline() const {
    const auto deadline = earlier(earlier(transport_.next_deadline(), session_->next_deadline()),
                                  earlier(redial_at_, login_deadline_));
    // Loops that do not wait for `wake_fd` look now and then.
    constexpr Duration patience = std::chrono::milliseconds{5};
    const bool computes = state() == State::authenticating && login_->is_computing();
    return computes ? earlier(deadline, now_ + patience) : deadline;
}

template <DialingTransport T>
std::optional<int> Client<T>::wake_fd() const {
    return background_ ? background_->wake_fd() : std::nullopt;
}

template <DialingTransport T>
void Client<T>::close() {
    if (closing_) return;
    closing_ = true;
    session_->handle_close(Input::close_asked);
    if (connection_) {
        transport_.close(*connection_, Errc::closed, "");
    } else {
        redial_at_.reset();
        session_->handle_disconnected();
        session_->end({});
    }
}

template <DialingTransport T>
std::optional<ClientEvent> Client<T>::poll_event() {
    std::optional<ClientEvent> event = session_->poll_event();
    if (event) count(*event);
    // Nothing else would wake a server that waits for credit.
    if (event && session_->unread_events() == limits_.events_max / 2) pay_credit();
    if (event && std::holds_alternative<FileChunk>(*event)) pay_credit();
    if (!event) session_->send_markers();
    if (!event) flush();
    return event;
}

template <DialingTransport T>
ClientStats Client<T>::stats() const {
    ClientStats stats = counts_;
    stats.state = session_->state();
    stats.unanswered_requests = session_->unanswered_requests();
    stats.unread_events = session_->unread_events();
    if (connection_) stats.path = path_stats_of(transport_, *connection_);
    stats.transport = stats_of(transport_);
    return stats;
}

template <DialingTransport T>
void Client<T>::count(const ClientEvent& event) {
    match(
        event, [&](const RoomMessage&) { ++counts_.messages_received; },
        [&](const PrivateMessage&) { ++counts_.messages_received; },
        [&](const Acked&) { ++counts_.requests_stored; },
        [&](const Refused& refused) { counts_.requests_refused.add(refused.errc); },
        [](const auto&) {});
}

template <DialingTransport T>
Result<RequestId> Client<T>::join(std::string_view room, Position position) {
    return flushed(session_->join(room, position));
}

template <DialingTransport T>
Result<RequestId> Client<T>::publish(std::string_view room, std::string text,
                                     std::string attributes, std::optional<MessageId> id, Act act) {
    return flushed(session_->publish(room, id ? *id : draw_id(), std::move(text),
                                     std::move(attributes), std::move(act)));
}

template <DialingTransport T>
Result<RequestId> Client<T>::act(std::string_view room, Act act, std::string text) {
    return publish(room, std::move(text), "{}", std::nullopt, std::move(act));
}

template <DialingTransport T>
Result<RequestId> Client<T>::create_room(std::string room, RoomAccess access, std::string topic,
                                         std::optional<MessageId> id) {
    return flushed(
        session_->create_room(std::move(room), id ? *id : draw_id(), access, std::move(topic)));
}

template <DialingTransport T>
Result<RequestId> Client<T>::set_display_name(std::string display) {
    return flushed(session_->set_display_name(std::move(display)));
}

template <DialingTransport T>
Result<RequestId> Client<T>::request_rooms(std::string after) {
    return flushed(session_->request_rooms(std::move(after)));
}

template <DialingTransport T>
Result<RequestId> Client<T>::request_history(std::string_view room, Offset offset,
                                             std::size_t before, std::size_t after) {
    return flushed(session_->request_history(room, offset, before, after));
}

template <DialingTransport T>
Result<RequestId> Client<T>::send_file(std::string_view room, FileToSend file,
                                       std::optional<MessageId> id) {
    return flushed(session_->send_file(room, id ? *id : draw_id(), std::move(file)));
}

template <DialingTransport T>
Errc Client<T>::give_file(RequestId request, std::uint64_t offset, BytesView bytes) {
    return flushed(session_->give_file(request, offset, bytes));
}

template <DialingTransport T>
Result<RequestId> Client<T>::fetch_file(std::string_view room, Offset offset, std::uint64_t from) {
    return flushed(session_->fetch_file(room, offset, from));
}

template <DialingTransport T>
void Client<T>::release_file_bytes(std::size_t bytes) {
    session_->release_file_bytes(bytes);
    pay_credit();
}

template <DialingTransport T>
void Client<T>::cancel_file(RequestId request) {
    session_->cancel_file(request);
    flushed(Errc{});
}

template <DialingTransport T>
Result<RequestId> Client<T>::request_search(std::string_view room, std::string words, Offset before,
                                            std::size_t count) {
    return flushed(session_->request_search(room, std::move(words), before, count));
}

template <DialingTransport T>
void Client<T>::say_typing(std::string_view room, TimePoint now) {
    if (std::optional<Buffer> hint = session_->say_typing(room, now)) {
        send_datagram(Bytes{*std::move(hint)});
    }
}

template <DialingTransport T>
Errc Client<T>::mark_read(std::string_view room, Offset offset, bool shared) {
    return flushed(session_->mark_read(room, offset, shared));
}

template <DialingTransport T>
Result<RequestId> Client<T>::tell(std::string user, std::string text, std::string attributes,
                                  std::optional<MessageId> id) {
    return flushed(session_->tell(std::move(user), id ? *id : draw_id(), std::move(text),
                                  std::move(attributes)));
}

template <DialingTransport T>
Result<RequestId> Client<T>::restore(UnsentMessage message) {
    return session_->restore(std::move(message));
}

template <DialingTransport T>
Result<RequestId> Client<T>::request_members(std::string_view room, std::string after) {
    return flushed(session_->request_members(room, std::move(after)));
}

template <DialingTransport T>
void Client<T>::handle(TransportEvent event) {
    match(
        std::move(event), [&](Connected&& connected) { begin(std::move(connected)); },
        [&](StreamData&& data) { receive(data); }, [&](StreamReset&& reset) { drop(reset.stream); },
        [&](Writable&& writable) {
            session_->handle_backlog(writable.stream, false);
            flush();
        },
        [&](DatagramReceived&& m) {
            session_->handle_heard();
            session_->handle_datagram(m.bytes.view(), now_);
        },
        [&](Disconnected&& gone) {
            if (gone.connection == connection_) lose(explain(std::move(gone.reason)));
        });
}

template <DialingTransport T>
void Client<T>::dial(TimePoint now) {
    now_ = now;
    redial_at_.reset();
    failure_.reset();
    ++counts_.dials;
    const Result<ConnectionId> dialled = transport_.connect(now);
    if (!dialled) return lose({.errc = to_errc(dialled.error())});
    connection_ = *dialled;
    written_ = taken_in_ = 0;
    login_deadline_ = now + limits_.login_timeout;
}

template <DialingTransport T>
void Client<T>::lose(CloseReason reason) {
    counts_.connections_lost.add(reason.errc);
    connection_.reset();
    login_deadline_.reset();
    streams_.clear();
    owing_.clear();
    session_->handle_disconnected();
    std::optional<Duration> delay;
    if (!closing_) {
        delay = backoff_.handle_lost(reason.errc, now_, entropy_);
        if (login_->recover(reason.errc)) delay = Duration{};  // in another way
    }
    closing_ = closing_ || !delay;
    if (!delay) return session_->end(std::move(reason));
    redial_at_ = now_ + *delay;
    session_->retry(std::move(reason), *delay, backoff_.attempts());
}

template <DialingTransport T>
void Client<T>::begin(Connected connected) {
    // Closed meanwhile: a transport may still report what it knew before.
    if (session_->state() != State::connecting || closing_) return;
    const Result<ChannelBinding> binding = transport_.channel_binding(connected.connection);
    if (!binding && login_->wants_channel_binding()) return fail(to_errc(binding.error()));
    const auto nonce = entropy_.draw<login_entropy_bytes>();
    Result<LoginStart> start = login_->start(binding ? *binding : ChannelBinding{}, device_, nonce);
    if (!start) return fail(to_errc(start.error()));
    const Result<StreamId> control = open_stream();
    if (!control) return fail(to_errc(control.error()));
    assert(*control == control_stream);
    session_->handle_connected(std::move(connected), {std::move(start->mechanism), device_,
                                                      std::move(start->data), start->one_flight});
    flush();
}

template <DialingTransport T>
Result<StreamId> Client<T>::open_stream() {
    const Result<StreamId> stream = transport_.open_stream(*connection_);
    if (stream) streams_.emplace(*stream, Stream{FrameAssembler{frame_bytes_max()}});
    return stream;
}

/// PROTOCOL.md §2.2: who has not proved itself gets little of our memory.
template <DialingTransport T>
std::size_t Client<T>::frame_bytes_max() const {
    const bool ready = session_->state() >= State::ready;
    return ready ? limits_.frame_bytes_max : limits_.frame_bytes_before_login_max;
}

template <DialingTransport T>
void Client<T>::receive(const StreamData& data) {
    session_->handle_heard();
    const auto found = streams_.find(data.stream);
    if (found == streams_.end()) {  // opened by the server, or ended
        transport_.consume(data.connection, data.stream, data.bytes.size());
        return;
    }
    Stream& stream = found->second;
    if (stream.owed == 0) owing_.push_back(data.stream);
    stream.owed += data.bytes.size();
    stream.fin = data.fin;
    stream.assembler.push(data.bytes.view());
    read_on(data.stream);
    flush();
}

template <DialingTransport T>
void Client<T>::drop(StreamId id) {
    session_->handle_heard();
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    found->second.assembler = FrameAssembler{frame_bytes_max()};
    found->second.fin = true;
    read_on(id);
    flush();
}

template <DialingTransport T>
void Client<T>::read_on(StreamId id) {
    while (true) {
        if (id != control_stream && session_->state() < State::ready) return;
        const auto stream = streams_.find(id);
        if (stream == streams_.end()) return;
        const Result<std::optional<FrameView>> frame = stream->second.assembler.next();
        if (!frame) return fail(to_errc(frame.error()));
        if (!*frame) break;
        if (const Errc errc = session_->handle_frame(id, **frame); errc != Errc{}) {
            return fail(errc);
        }
        if (auto token = session_->poll_token()) keep(*std::move(token));
        if (!continue_login()) return;
    }
    const Stream& stream = streams_.at(id);
    if (stream.fin) end_stream(id, stream.assembler.at_boundary());
}

template <DialingTransport T>
void Client<T>::keep(wire::Token token) {
    login_->keep(DeviceToken{token.generation, Secret{token.key}});
    secure_wipe(token.key);
}

template <DialingTransport T>
void Client<T>::end_stream(StreamId stream, bool at_boundary) {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    transport_.consume(*connection_, stream, found->second.owed);
    streams_.erase(found);
    const Errc errc = session_->handle_stream_end(stream, at_boundary);
    if (errc != Errc{}) fail(errc);
}

template <DialingTransport T>
bool Client<T>::continue_login() {
    const std::optional<LoginInput> input = session_->poll_login();
    if (!input) return true;
    if (input->final) {
        const auto proven = login_->finish(input->data);
        if (!proven) return fail(to_errc(proven.error())), false;
        login_deadline_.reset();
        backoff_.handle_online(now_);
        ++counts_.logins;
        session_->login_complete();
        for (auto& [id, open] : streams_) open.assembler.set_frame_bytes_max(frame_bytes_max());
        read_early();
    } else {
        return send_answer(login_->respond(input->data));
    }
    return true;
}

template <DialingTransport T>
bool Client<T>::send_answer(Result<std::optional<Buffer>> answer) {
    if (!answer) return fail(to_errc(answer.error())), false;
    if (*answer) session_->login_respond(**std::move(answer));
    return true;
}

template <DialingTransport T>
void Client<T>::read_early() {
    std::vector<StreamId> waiting;
    for (const auto& [id, stream] : streams_) {
        if (id != control_stream) waiting.push_back(id);
    }
    for (const StreamId id : waiting) read_on(id);
}

template <DialingTransport T>
void Client<T>::watch_progress() {
    if (!connection_) return;
    const std::size_t kept = transport_.unacknowledged(*connection_);
    const std::uint64_t taken_in = written_ - std::min<std::uint64_t>(kept, written_);
    // Only where much is under way: what is little is there soon, and then an answer is due.
    if (taken_in > taken_in_ && kept >= unsent_share_bytes) session_->handle_heard();
    taken_in_ = taken_in;
}

template <DialingTransport T>
void Client<T>::pay_credit() {
    if (session_->unread_events() >= limits_.events_max) return;
    const bool ready = session_->state() == State::ready;
    const bool files_wait = session_->unread_file_bytes() >= limits_.file_backlog_bytes_max;
    std::sort(owing_.begin(), owing_.end());
    std::erase_if(owing_, [&](StreamId id) {
        const auto found = streams_.find(id);
        if (found == streams_.end() || found->second.owed == 0) return true;
        if (!ready && id != control_stream) return false;
        if (files_wait && session_->is_download(id)) return false;
        transport_.consume(*connection_, id, std::exchange(found->second.owed, 0));
        return true;
    });
}

template <DialingTransport T>
void Client<T>::fail(Errc errc) {
    fail(errc, error_category().message(static_cast<int>(errc)));
}

template <DialingTransport T>
void Client<T>::fail(Errc errc, std::string_view text) {
    if (!connection_) return;
    if (!failure_) failure_ = errc;
    login_deadline_.reset();
    session_->handle_close(Input::failed);
    transport_.close(*connection_, errc, text);
}

template <DialingTransport T>
CloseReason Client<T>::explain(CloseReason reason) const {
    if (failure_ && !reason.by_peer) reason.errc = *failure_;
    return reason;
}

template <DialingTransport T>
void Client<T>::flush() {
    if (!connection_) return;
    while (const std::optional<std::string> room = session_->poll_join()) {
        const Result<StreamId> stream = open_stream();
        if (!stream) break;  // as many as the server allows: the next one when one has ended
        session_->join_on(*stream, *room);
    }
    while (session_->wants_page()) {
        const Result<StreamId> stream = open_stream();
        if (!stream) break;
        session_->request_page_on(*stream);
    }
    while (session_->wants_transfer()) {
        const Result<StreamId> stream = open_stream();
        if (!stream) break;
        session_->begin_transfer_on(*stream);
    }
    while (std::optional<Outgoing> out = session_->poll_outgoing()) {
        written_ += out->bytes.size();
        // An error means that the stream ended under us; its end is reported as an event.
        const Result<Backlog> backlog =
            transport_.write(*connection_, out->stream, std::move(out->bytes), out->fin);
        const bool full = backlog && backlog->bytes >= limits_.stream_backlog_bytes_max;
        if (full) session_->handle_backlog(out->stream, true);
    }
    session_->want_more();
    while (const std::optional<StreamId> stream = session_->poll_reset()) {
        transport_.reset_stream(*connection_, *stream, wire_code(Errc::closed));
        streams_.erase(*stream);
        (void)session_->handle_stream_end(*stream, true);
    }
}

template <DialingTransport T>
void Client<T>::send_datagram(Bytes bytes) {
    if (connection_) (void)transport_.send_datagram(*connection_, std::move(bytes));
}

template <DialingTransport T>
MessageId Client<T>::draw_id() {
    return {entropy_.draw<16>()};
}

}  // namespace quicchat

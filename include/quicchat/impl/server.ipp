#pragma once

#include "quicchat/server.hpp"

namespace quicchat {

template <Transport T>
void Server<T>::process(Now now) {
    now_ = now;
    hub_.begin_turn(now.wall, now.steady);
    unsent_.begin_turn(now.steady);
    peers_.transport().handle_timeout(now.steady);
    read_postponed();
    while (auto event = peers_.transport().poll_event()) handle(*std::move(event));
    logins_.process(hub_, now);
    for (const ConnectionId id : logins_.take_admitted()) {
        strangers_.remove(id);
        read_early(id);
    }
    hub_.handle_timeout(now.steady);
    files_->handle_timeout(now.steady);
    apply_late_markers();
    unsent_.resume([&](ConnectionId id, StreamId stream) { go_on(id, stream); });
    do {
        settle();
        delivery_.end_memberships();
    } while (send_all());
    while (auto failure = hub_.checks().poll_failure()) news_.push(*std::move(failure));
    logins_.end_late(now.steady);
    if (drain_deadline_ && now.steady >= *drain_deadline_ && !std::exchange(closed_, true)) {
        peers_.close_all(drain_reason_);
        // Their ends are news at once: nothing else would wake us to finish.
        while (auto event = peers_.transport().poll_event()) handle(*std::move(event));
    }
}

template <Transport T>
std::optional<TimePoint> Server<T>::next_deadline() const {
    auto deadline = earlier(peers_.transport().next_deadline(), logins_.next_deadline());
    if (!closed_) deadline = earlier(deadline, drain_deadline_);
    if (hub_.pages().is_searching() || hub_.work().has_postponed()) {
        deadline = earlier(deadline, now_.steady);  // at once
    }
    deadline = earlier(deadline, late_markers_.next_deadline());
    deadline = earlier(deadline, unsent_.next_deadline());
    return earlier(deadline, earlier(hub_.next_deadline(), files_->next_deadline()));
}

template <Transport T>
void Server<T>::shutdown(Now now) {
    if (drain_deadline_) return;
    files_->program().end();
    drain_deadline_ = now.steady + config_.limits.drain_timeout;
    const Bytes goaway{encode(
        wire::Goaway{wire_code(drain_reason_), to_milliseconds(config_.limits.drain_timeout), ""})};
    peers_.write_control_to_all(goaway);
    if constexpr (requires(T & t) { t.drain(); }) peers_.transport().drain();
}

template <Transport T>
Errc Server<T>::reload(const ServerConfig& next, Now now) {
    if (limits_problem(next.limits) != nullptr) return Errc::invalid_request;
    if (const Errc errc = hub_.room_store().check(next); errc != Errc{}) return errc;
    config_.take_over(next);  // in place: everybody refers to it
    logins_.set_timeout(config_.limits.login_timeout);
    rates_.handle_changed_limits(now.steady);
    peers_.handle_changed_limits(now.steady);
    if (auto failure = hub_.handle_changed_config(config_, now.wall)) {
        fail(failure->first, std::move(failure->second));
        return failure->first;
    }
    delivery_.end_memberships();
    return Errc{};
}

template <Transport T>
Errc Server<T>::remove_room(std::string_view room, Now now) {
    hub_.begin_turn(now.wall, now.steady);
    const Errc errc = hub_.admin().remove(room);
    delivery_.end_memberships();
    return errc;
}

template <Transport T>
Errc Server<T>::act_in_room(std::string_view room, Record record, Now now) {
    hub_.begin_turn(now.wall, now.steady);
    return hub_.admin().act(room, std::move(record));
}

template <Transport T>
Errc Server<T>::keep(std::string_view room, const RetentionChange& change, Now now) {
    hub_.begin_turn(now.wall, now.steady);
    return hub_.admin().keep(room, change);
}

template <Transport T>
Errc Server<T>::say(std::uint64_t ticket, const std::string& room, Record record, Now now) {
    hub_.begin_turn(now.wall, now.steady);
    return hub_.spokesman().say(ticket, room, std::move(record));
}

template <Transport T>
Errc Server<T>::create_room(std::uint64_t ticket, const wire::CreateRoom& m,
                            const std::string& owner, Now now) {
    hub_.begin_turn(now.wall, now.steady);
    return hub_.spokesman().create_room(ticket, m, owner);
}

template <Transport T>
Errc Server<T>::set_profile(std::uint64_t ticket, const std::string& user,
                            const std::string& display, Now now) {
    hub_.begin_turn(now.wall, now.steady);
    return hub_.spokesman().set_profile(ticket, user, display);
}

template <Transport T>
Errc Server<T>::mark_read(const std::string& room, const std::string& user,
                          std::optional<Epoch> epoch, Offset offset, bool shared, Now now) {
    hub_.begin_turn(now.wall, now.steady);
    return hub_.spokesman().mark_read(room, user, epoch, offset, shared);
}

template <Transport T>
std::size_t Server<T>::disconnect(std::string_view user) {
    const OnlineUsers::User* here = hub_.online_users().find(user);
    if (here == nullptr) return 0;
    const auto connections = here->connections;
    for (const ConnectionId id : connections) peers_.close(id, Errc::kicked);
    return connections.size();
}

template <Transport T>
bool Server<T>::answer(CheckTicket ticket, CheckDecision decision) {
    return hub_.checks().answer(ticket, std::move(decision));
}

template <Transport T>
ServerStats Server<T>::stats() const {
    const RoomStore& rooms = hub_.room_store();
    const FanOut& fan_out = hub_.fan_out();
    return {.connections = peers_.size(),
            .users = hub_.online_users().size(),
            .members = fan_out.size(),
            .rooms = rooms.directory().size(),
            .files = rooms.files().count(),
            .file_bytes = rooms.files().bytes(),
            .transfers = files_->transfers(),
            .appends_under_way = hub_.appends_under_way(),
            .checks_waiting = hub_.checks().size(),
            .answers_waiting = fan_out.answers_waiting(),
            .unsent_bytes = unsent_.all(),
            .connections_made = connections_made_,
            .connections_ended = connections_ended_,
            .logins = logins_.accepted(),
            .logins_refused = logins_.refused(),
            .requests_refused = hub_.refusals(),
            .records_stored = hub_.records_stored(),
            .messages_stored = hub_.messages_stored(),
            .deliveries = fan_out.deliveries(),
            .delivered_bytes = fan_out.delivered_bytes(),
            .received_bytes = received_bytes_,
            .appends = hub_.append_times(),
            .turns = turns_,
            .transport = stats_of(peers_.transport())};
}

template <Transport T>
std::vector<ConnectionStats> Server<T>::connection_stats() const {
    std::vector<ConnectionStats> all;
    for (const auto& [id, connection] : peers_.all()) {
        const ServerSession& session = connection.session;
        all.push_back({id, session.user(), connection.address, session.state(),
                       path_stats_of(peers_.transport(), id)});
    }
    return all;
}

template <Transport T>
void Server<T>::handle(TransportEvent event) {
    match(
        std::move(event), [&](Connected&& connected) { accept(std::move(connected)); },
        [&](StreamData&& data) { receive(data); },
        [&](StreamReset&& reset) { reset_stream(reset); },
        [&](Writable&& writable) { delivery_.resume(writable), files_->resume(writable); },
        [&](DatagramReceived&& datagram) { delivery_.pass_on(datagram, now_.steady); },
        [&](Disconnected&& gone) { forget(std::move(gone)); });
}

template <Transport T>
void Server<T>::accept(Connected connected) {
    const ConnectionId id = connected.connection;
    ++connections_made_;
    news_.push(PeerConnected{id, connected.peer_address});
    // Of what a browser made and nothing is known, nothing is: it is no native connection for that.
    std::shared_ptr<const PageSession> page;
    if (connected.alpn == http3_alpn) {
        page = std::make_shared<const PageSession>(PageSession{
            connected.certificate_hash.value_or(CertificateHash{}), std::move(connected.origin)});
    }
    const Connection& added =
        peers_.add(id, Connection{ServerSession{config_.limits, config_.agent},
                                  std::move(connected.peer_address), std::move(page)});
    logins_.open(id, now_.steady);
    if (drain_deadline_) return peers_.close(id, drain_reason_);
    const Limits& l = config_.limits;
    const std::size_t strangers_max = std::max(l.connections_max / 4, l.strangers_per_prefix_max);
    const auto surplus =
        strangers_.add(id, added.address, l.strangers_per_prefix_max, strangers_max);
    if (surplus) peers_.close(*surplus, Errc::server_full);
    if (peers_.size() > l.connections_max) peers_.close(id, Errc::server_full);
}

template <Transport T>
void Server<T>::forget(Disconnected gone) {
    const std::optional<Connection> connection = peers_.remove(gone.connection);
    if (!connection) return;
    connections_ended_.add(gone.reason.errc);
    for (const auto& [id, stream] : connection->streams) {
        if (stream.member != nullptr) hub_.leave(*stream.member);
    }
    const std::string& user = connection->session.user();
    if (!user.empty()) hub_.handle_disconnected(gone.connection, user);
    files_->abandon(gone.connection);
    logins_.forget(gone.connection);
    strangers_.remove(gone.connection);
    late_markers_.forget(gone.connection);
    news_.push(PeerDisconnected{gone.connection, user, std::move(gone.reason)});
}

template <Transport T>
void Server<T>::receive(const StreamData& data) {
    Connection* connection = peers_.find(data.connection);
    if (connection == nullptr) return;
    received_bytes_ += data.bytes.size();
    const bool ready = connection->session.state() == State::ready;
    const std::size_t frame_max =
        ready ? config_.limits.frame_bytes_max : config_.limits.frame_bytes_before_login_max;
    const auto [place, opened] =
        connection->streams.try_emplace(data.stream, Stream{FrameAssembler{frame_max}});
    Stream& stream = place->second;
    stream.owed += data.bytes.size();
    stream.fin = data.fin;
    if (!stream.ended) {
        stream.assembler.set_frame_bytes_max(frame_max);
        stream.assembler.push(data.bytes.view());
    }
    if (!ready && data.stream != control_stream) {
        // PROTOCOL.md §5.1: what comes before the login's end waits, within little memory.
        const std::size_t bytes_max = config_.limits.early_bytes_max;
        if (connection->keep_early(data.bytes.size(), opened, bytes_max)) return;
        return peers_.close(data.connection, Errc::unexpected_frame);
    }
    read_on(data.connection, *connection, data.stream, stream);
}

template <Transport T>
void Server<T>::read_postponed() {
    for (const auto& [id, stream] : std::exchange(postponed_, {})) resume_reading(id, stream);
}

template <Transport T>
void Server<T>::read_early(ConnectionId id) {
    for (const StreamId stream : peers_.streams(id)) resume_reading(id, stream);
}

template <Transport T>
bool Server<T>::is_held_up(ConnectionId id, const Connection& connection, StreamId stream_id,
                           const Stream& stream) {
    const bool ready = connection.session.state() == State::ready;
    if (ready && hub_.work().must_wait(connection.session.user())) {
        postponed_.emplace(id, stream_id);
        return true;
    }
    if (stream.ended) return false;
    if (stream.uploads) return files_->is_busy(id, stream_id);
    if (stream_id == control_stream && hub_.is_busy(id)) return true;
    if (stream.member != nullptr && hub_.is_busy(*stream.member)) return true;
    return ready && !unsent_.has_room(id, stream_id);
}

template <Transport T>
void Server<T>::read_on(ConnectionId id, Connection& connection, StreamId stream_id,
                        Stream& stream) {
    if (!apply_frames(id, connection, stream_id, stream)) return;
    if (is_held_up(id, connection, stream_id, stream)) return stream.hold_up();
    peers_.transport().consume(id, stream_id, std::exchange(stream.owed, 0));
    if (stream.fin) finish(id, connection, stream_id);
}

template <Transport T>
bool Server<T>::apply_frames(ConnectionId id, Connection& connection, StreamId stream_id,
                             Stream& stream) {
    while (!stream.ended && !is_held_up(id, connection, stream_id, stream)) {
        const Result<std::optional<FrameView>> frame = stream.assembler.next();
        if (!frame) return peers_.close(id, to_errc(frame.error())), false;
        if (!*frame) return true;
        Result<ServerRequest> request = connection.session.handle_frame(stream_id, **frame);
        if (!request) return peers_.close(id, to_errc(request.error())), false;
        if (auto answer = connection.session.poll_outgoing()) {
            peers_.write_control(id, Bytes{*std::move(answer)});
        }
        if (!stream.takes(*request)) return peers_.close(id, Errc::unexpected_frame), false;
        const Duration wait =
            charge(rates_, connection, stream.member, std::as_const(hub_.room_store()).directory(),
                   *request, now_.steady);
        if (wait > Duration{}) {
            if (auto* marker = std::get_if<wire::MarkRead>(&*request)) {
                late_markers_.keep(id, std::move(*marker), now_.steady + wait);
                continue;
            }
            delivery_.refuse(id, stream_id, stream, number_of(*request).value_or(0),
                             Errc::rate_limited, wait);
            continue;
        }
        const Errc errc = serve(id, connection, stream_id, stream, *std::move(request));
        if (errc != Errc{}) return peers_.close(id, errc), false;
        if (connection.session.state() == State::draining) return false;
        delivery_.end_memberships();
    }
    return true;
}

template <Transport T>
void Server<T>::apply_late_markers() {
    late_markers_.apply(now_.steady, [&](ConnectionId id, const wire::MarkRead& marker) {
        const Connection* connection = peers_.find_ready(id);
        if (connection == nullptr) return Duration{};
        const Duration wait = rates_.mark_read(connection->session.user(), now_.steady);
        if (wait == Duration{}) hub_.mark_read(caller_of(id, *connection), marker);
        return wait;
    });
}

template <Transport T>
Errc Server<T>::serve(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
                      ServerRequest request) {
    const Caller caller = caller_of(id, connection);
    const auto answer = [&](RequestId number, Errc errc) {
        if (errc == Errc{}) return errc;
        hub_.refusals().add(errc);
        hub_.control().answer(id, encode_refusal(number, errc));
        return Errc{};
    };
    const auto for_member = [&](const auto& serve_member) {
        if (stream.member == nullptr) return Errc::unexpected_frame;
        serve_member(*stream.member);
        return Errc{};
    };
    return match(
        std::move(request), [](std::monostate&&) { return Errc{}; },
        [&](wire::LoginBegin&& m) { return logins_.begin(id, m, hub_, now_); },
        [&](wire::LoginResponse&& m) { return logins_.respond(id, m, hub_, now_); },
        [&](wire::Join&& m) { return join(caller, connection, stream_id, stream, m); },
        [&](wire::Publish&& m) {
            return for_member([&](Member& member) { hub_.publish(member, std::move(m)); });
        },
        [&](wire::MembersRequest&& m) {
            return for_member([&](Member& member) { hub_.request_members(member, m); });
        },
        [&](wire::Tell&& m) { return answer(m.request, hub_.tell(caller, std::move(m))); },
        [&](wire::CreateRoom&& m) { return answer(m.request, hub_.create_room(caller, m)); },
        [&](wire::RoomsRequest&& m) { return hub_.list_rooms(caller, m), Errc{}; },
        [&](wire::HistoryRequest&& m) { return open_page(caller, stream_id, stream, m); },
        [&](wire::SearchRequest&& m) { return open_page(caller, stream_id, stream, m); },
        [&](wire::MarkRead&& m) { return hub_.mark_read(caller, m), Errc{}; },
        [&](wire::SetProfile&& m) { return answer(m.request, hub_.set_profile(caller, m)); },
        [&](wire::FileOffer&& m) {
            hub_.work().count(caller.user, m.name.size() + m.attributes.size());
            return receive_file(caller, stream_id, stream, std::move(m));
        },
        [&](wire::FileData&& m) {
            if (!stream.uploads) return Errc::unexpected_frame;
            hub_.work().count(caller.user, m.data.size());
            return files_->data(id, stream_id, std::move(m), now_.steady);
        },
        [&](wire::FileRequest&& m) {
            hub_.work().count(caller.user, config_.limits.attributes_bytes_max);  // of its record
            return delivery_.answer_once(caller, stream_id, stream, m.request,
                                         files_->open(caller, stream_id, m));
        });
}

template <Transport T>
Errc Server<T>::join(const Caller& caller, Connection& connection, StreamId stream_id,
                     Stream& stream, const wire::Join& m) {
    Errc errc = connection.may_join(m.room, config_.limits.rooms_per_connection_max);
    if (errc == Errc{}) {
        const auto member = hub_.join(caller, stream_id, m);
        if (member) return stream.member = *member, Errc{};
        errc = to_errc(member.error());
    }
    delivery_.refuse(caller.connection, stream_id, stream, m.request, errc);
    return Errc{};
}

template <Transport T>
Errc Server<T>::receive_file(const Caller& caller, StreamId stream_id, Stream& stream,
                             wire::FileOffer m) {
    const RequestId request = m.request;
    const Errc errc = files_->offer(caller, stream_id, std::move(m), now_.steady);
    stream.uploads = errc == Errc{};
    if (errc != Errc{}) delivery_.refuse(caller.connection, stream_id, stream, request, errc);
    return Errc{};
}

template <Transport T>
void Server<T>::finish(ConnectionId id, Connection& connection, StreamId stream_id) {
    const Stream& stream = *connection.find_stream(stream_id);
    if (stream_id == control_stream) return peers_.close(id, Errc::unexpected_frame);
    if (!stream.ended && !stream.assembler.at_boundary()) {
        return peers_.close(id, Errc::malformed_frame);
    }
    if (stream.uploads && !stream.ended) return files_->finish(id, stream_id);
    if (stream.member != nullptr) hub_.leave(*stream.member);
    // What was asked for is still being answered: the answer finishes our direction.
    const bool is_answered = stream.ended || stream.asked;
    if (!is_answered) (void)peers_.transport().write(id, stream_id, {}, true);
    connection.streams.erase(stream_id);
}

template <Transport T>
void Server<T>::reset_stream(const StreamReset& reset) {
    const auto [id, stream_id, code] = reset;
    Connection* connection = peers_.find(id);
    if (connection == nullptr) return;
    if (stream_id == control_stream) return peers_.close(id, Errc::unexpected_frame);
    const Stream* stream = connection->find_stream(stream_id);  // none: we are answering it
    if (stream != nullptr && stream->member != nullptr) hub_.leave(*stream->member);
    hub_.pages().close(id, stream_id);
    files_->abandon(id, stream_id);
    peers_.transport().reset_stream(id, stream_id, wire_code(Errc::closed));
    connection->streams.erase(stream_id);
}

template <Transport T>
bool Server<T>::resume_reading(ConnectionId id, StreamId stream_id) {
    Connection* connection = peers_.find_ready(id);
    Stream* stream = peers_.find_stream(id, stream_id);
    if (connection == nullptr || stream == nullptr) return false;
    if (stream->owed == 0 && !stream->fin) return false;
    if (is_held_up(id, *connection, stream_id, *stream)) return false;
    read_on(id, *connection, stream_id, *stream);
    return true;
}

template <Transport T>
bool Server<T>::send_all() {
    bool read_more = false;
    const auto resume = [&](ConnectionId id, StreamId stream) {
        read_more |= resume_reading(id, stream);
    };
    delivery_.send(resume, now_.wall);
    files_->send(now_.steady);
    while (const auto freed = files_->poll_freed()) resume(freed->first, freed->second);
    return read_more || hub_.has_failed();
}

template <Transport T>
void Server<T>::go_on(ConnectionId id, StreamId stream) {
    delivery_.resume({id, stream});
    files_->resume({id, stream});
    resume_reading(id, stream);
}

template <Transport T>
void Server<T>::settle() {
    bool moved = true;
    while (std::exchange(moved, false)) {
        if (const Errc errc = hub_.settle(); errc != Errc{}) {
            return fail(errc, "the room log cannot be written or read");
        }
        if (const Errc errc = files_->settle(now_.steady, moved); errc != Errc{}) {
            return fail(errc, "the files cannot be written or read");
        }
    }
}

template <Transport T>
Caller Server<T>::caller_of(ConnectionId id, const Connection& connection) {
    return {id, connection.session.user(), connection.session.device()};
}

template <Transport T>
void Server<T>::fail(Errc errc, std::string text) {
    if (drain_deadline_ == TimePoint::min()) return;  // said already
    news_.push(ServerFailed{errc, std::move(text)});
    drain_reason_ = errc;
    drain_deadline_ = TimePoint::min();
}

}  // namespace quicchat

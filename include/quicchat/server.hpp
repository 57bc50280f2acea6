#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/connection.hpp"
#include "quicchat/server/io/delivery.hpp"
#include "quicchat/server/io/event_queue.hpp"
#include "quicchat/server/io/file_streams.hpp"
#include "quicchat/server/io/late_markers.hpp"
#include "quicchat/server/io/logins.hpp"
#include "quicchat/server/io/peers.hpp"
#include "quicchat/server/io/request_cost.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat {

/// A chat server over any transport, log, way of logging in, and store of files. It carries bytes
/// between the transport and the sessions, and the hub's decisions back; it decides nothing about
/// the chat.
///
/// Single-threaded: every call must come from one thread at a time.
template <Transport T>
class Server {
public:
    Server(T transport, Owned<RoomLog> log, Owned<Authenticator> authenticator, Entropy entropy,
           ServerConfig config = {}, Owned<FileStore> files = NoFiles{})
        : config_(std::move(config)),
          peers_(std::move(transport), config_.limits),
          logins_(std::move(authenticator), entropy, config_.limits, peers_, rates_, news_),
          hub_(std::move(log), config_, logins_.accounts()) {
        if (const char* problem = limits_problem(config_.limits)) {
            fail(Errc::invalid_request, std::string{"limits: "} + problem);
        } else if (auto failure = hub_.open(config_.rooms)) {
            fail(failure->first, std::move(failure->second));
        }
        files_.emplace(std::move(files), hub_, peers_, rates_, config_.limits);
    }

    Server(const Server&) = delete;  // sessions refer to the limits in here
    Server& operator=(const Server&) = delete;

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now) {
        now_ = now;
        hub_.begin_turn(now.wall, now.steady);
        peers_.transport().handle_timeout(now.steady);
        while (auto event = peers_.transport().poll_event()) handle(*std::move(event));
        logins_.process(hub_, now);
        for (const ConnectionId id : logins_.take_admitted()) read_early(id);
        hub_.handle_timeout(now.steady);
        files_->handle_timeout(now.steady);
        apply_late_markers();
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

    /// When `process` must be called at the latest.
    std::optional<TimePoint> next_deadline() const {
        auto deadline = earlier(peers_.transport().next_deadline(), logins_.next_deadline());
        if (!closed_) deadline = earlier(deadline, drain_deadline_);
        if (hub_.pages().is_searching()) deadline = earlier(deadline, now_.steady);  // at once
        deadline = earlier(deadline, late_markers_.next_deadline());
        return earlier(deadline, earlier(hub_.next_deadline(), files_->next_deadline()));
    }

    /// Ends in peace: tells every client, takes no new ones, and closes what is left after
    /// `Limits::drain_timeout`. `finished` says when.
    void shutdown(Now now) {
        if (drain_deadline_) return;
        drain_deadline_ = now.steady + config_.limits.drain_timeout;
        const Bytes goaway{encode(wire::Goaway{wire_code(drain_reason_),
                                               to_milliseconds(config_.limits.drain_timeout), ""})};
        peers_.write_control_to_all(goaway);
    }

    /// Takes what may change of another configuration, while people are connected: nobody is cut.
    /// See `ServerConfig::take_over`. Then call `process`. Former operators are taken out of rooms
    /// that they may not read any more (`removed`).
    ///
    /// `invalid_request`: limits that do not fit together; `invalid_name`: a room's name;
    /// `too_many_rooms`: with those that are there, more than `Limits::rooms_max`. Nothing changes
    /// then. `storage_failed`: the log cannot be read, and the server ends.
    Errc reload(const ServerConfig& next, Now now) {
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

    /// True once nothing is left to do after `shutdown` or a failure.
    bool finished() const { return drain_deadline_ && peers_.size() == 0; }

    /// The oldest unread event. Reading them is optional: old ones are dropped.
    std::optional<ServerEvent> poll_event() { return news_.poll(); }

    /// With `ServerConfig::checks_messages` the program judges each message before it is stored;
    /// see ModerationQueue. The oldest question that was not taken yet: take them after each turn.
    std::optional<CheckQuestion> poll_question() { return hub_.checks().poll_question(); }

    /// The server must be given its turn then. False if nobody waits for that answer any more.
    bool answer(CheckTicket ticket, CheckDecision decision) {
        return hub_.checks().answer(ticket, std::move(decision));
    }

    std::size_t connection_count() const { return peers_.size(); }
    /// Answers that wait for slow clients, counted one by one.
    std::size_t answers_waiting() const { return hub_.fan_out().answers_waiting(); }
    const RoomLog& log() const { return hub_.log(); }
    const FileStore& files() const { return files_->store(); }
    /// Files under way, in both directions.
    std::size_t transfers() const { return files_->transfers(); }
    T& transport() { return peers_.transport(); }
    const T& transport() const { return peers_.transport(); }

private:
    using Stream = ServerStream;
    using Connection = ServerConnection;

    void handle(TransportEvent event) {
        match(
            std::move(event), [&](Connected&& connected) { accept(std::move(connected)); },
            [&](StreamData&& data) { receive(data); },
            [&](StreamReset&& reset) { reset_stream(reset); },
            [&](Writable&& writable) { delivery_.resume(writable), files_->resume(writable); },
            [&](DatagramReceived&& datagram) { delivery_.pass_on(datagram, now_.steady); },
            [&](Disconnected&& gone) { forget(std::move(gone)); });
    }

    void accept(Connected connected) {
        const ConnectionId id = connected.connection;
        news_.push(PeerConnected{id, connected.peer_address});
        peers_.add(id, Connection{ServerSession{config_.limits, config_.agent},
                                  std::move(connected.peer_address)});
        logins_.open(id, now_.steady);
        if (drain_deadline_) return peers_.close(id, drain_reason_);
        const bool often = rates_.connect(peers_.find(id)->prefix(), now_.steady) > Duration{};
        if (often || peers_.size() > config_.limits.connections_max) {
            peers_.close(id, Errc::server_full);
        }
    }

    void forget(Disconnected gone) {
        const std::optional<Connection> connection = peers_.remove(gone.connection);
        if (!connection) return;
        for (const auto& [id, stream] : connection->streams) {
            if (stream.member != nullptr) hub_.leave(*stream.member);
        }
        const std::string& user = connection->session.user();
        if (!user.empty()) hub_.handle_disconnected(gone.connection, user);
        files_->abandon(gone.connection);
        logins_.forget(gone.connection);
        late_markers_.forget(gone.connection);
        news_.push(PeerDisconnected{gone.connection, user, std::move(gone.reason)});
    }

    // Bytes in.

    void receive(const StreamData& data) {
        Connection* connection = peers_.find(data.connection);
        if (connection == nullptr) return;
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

    /// What came before the login's end, in the order in which the streams were opened.
    void read_early(ConnectionId id) {
        for (const StreamId stream : peers_.streams(id)) resume_reading(id, stream);
    }

    /// Who does not read our answers is not read either: what it asks waits, within its window.
    bool is_held_up(ConnectionId id, StreamId stream_id, const Stream& stream) const {
        if (stream_id == control_stream) return hub_.is_busy(id);
        if (stream.ended) return false;
        if (stream.uploads) return files_->is_busy(id, stream_id);
        return stream.member != nullptr && hub_.is_busy(*stream.member);
    }

    void read_on(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream) {
        if (!apply_frames(id, connection, stream_id, stream)) return;
        if (is_held_up(id, stream_id, stream)) return stream.hold_up();
        peers_.transport().consume(id, stream_id, std::exchange(stream.owed, 0));
        if (stream.fin) finish(id, connection, stream_id);
    }

    /// False if the connection is being closed.
    bool apply_frames(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream) {
        while (!stream.ended && !is_held_up(id, stream_id, stream)) {
            const Result<std::optional<FrameView>> frame = stream.assembler.next();
            if (!frame) return peers_.close(id, to_errc(frame.error())), false;
            if (!*frame) return true;
            Result<ServerRequest> request = connection.session.handle_frame(stream_id, **frame);
            if (!request) return peers_.close(id, to_errc(request.error())), false;
            if (auto answer = connection.session.poll_outgoing()) {
                peers_.write_control(id, Bytes{*std::move(answer)});
            }
            if (!stream.takes(*request)) return peers_.close(id, Errc::unexpected_frame), false;
            const Duration wait = charge(rates_, connection, stream.member, *request, now_.steady);
            if (wait > Duration{}) {
                if (auto* marker = std::get_if<wire::MarkRead>(&*request)) {
                    late_markers_.keep(id, std::move(*marker), now_.steady + wait);
                    continue;
                }
                delivery_.refuse(id, stream_id, stream, number_of(*request), Errc::rate_limited,
                                 wait);
                continue;
            }
            const Errc errc = serve(id, connection, stream_id, stream, *std::move(request));
            if (errc != Errc{}) return peers_.close(id, errc), false;
            if (connection.session.state() == State::draining) return false;
            delivery_.end_memberships();
        }
        return true;
    }

    /// Takes note of how far people have read who said so faster than they may.
    void apply_late_markers() {
        late_markers_.apply(now_.steady, [&](ConnectionId id, const wire::MarkRead& marker) {
            const Connection* connection = peers_.find_ready(id);
            if (connection == nullptr) return Duration{};
            const Duration wait = rates_.mark_read(connection->session.user(), now_.steady);
            if (wait == Duration{}) hub_.mark_read(caller_of(id, *connection), marker);
            return wait;
        });
    }

    /// Does what a frame asks. An error closes the connection.
    Errc serve(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
               ServerRequest request) {
        const Caller caller = caller_of(id, connection);
        const auto answer = [&](RequestId number, Errc errc) {
            if (errc != Errc{}) hub_.control().answer(id, encode_refusal(number, errc));
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
                return receive_file(caller, stream_id, stream, std::move(m));
            },
            [&](wire::FileData&& m) {
                if (!stream.uploads) return Errc::unexpected_frame;
                return files_->data(id, stream_id, std::move(m), now_.steady);
            },
            [&](wire::FileRequest&& m) {
                return delivery_.answer_once(caller, stream_id, stream, m.request,
                                             files_->open(caller, stream_id, m));
            });
    }

    Errc join(const Caller& caller, Connection& connection, StreamId stream_id, Stream& stream,
              const wire::Join& m) {
        Errc errc = connection.may_join(m.room, config_.limits.rooms_per_connection_max);
        if (errc == Errc{}) {
            const auto member = hub_.join(caller, stream_id, m);
            if (member) return stream.member = *member, Errc{};
            errc = to_errc(member.error());
        }
        delivery_.refuse(caller.connection, stream_id, stream, m.request, errc);
        return Errc{};
    }

    /// A HistoryRequest or a SearchRequest.
    Errc open_page(const Caller& caller, StreamId stream_id, Stream& stream, const auto& m) {
        return delivery_.answer_once(caller, stream_id, stream, m.request,
                                     hub_.open_page(caller, stream_id, m));
    }

    Errc receive_file(const Caller& caller, StreamId stream_id, Stream& stream, wire::FileOffer m) {
        const RequestId request = m.request;
        const Errc errc = files_->offer(caller, stream_id, std::move(m), now_.steady);
        stream.uploads = errc == Errc{};
        if (errc != Errc{}) delivery_.refuse(caller.connection, stream_id, stream, request, errc);
        return Errc{};
    }

    /// The client has finished a stream: it leaves the room.
    void finish(ConnectionId id, Connection& connection, StreamId stream_id) {
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

    void reset_stream(const StreamReset& reset) {
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

    /// Reads on a stream that was held up. True if there was something to read.
    bool resume_reading(ConnectionId id, StreamId stream_id) {
        Connection* connection = peers_.find_ready(id);
        Stream* stream = peers_.find_stream(id, stream_id);
        if (connection == nullptr || stream == nullptr) return false;
        if ((stream->owed == 0 && !stream->fin) || is_held_up(id, stream_id, *stream)) return false;
        read_on(id, *connection, stream_id, *stream);
        return true;
    }

    /// Serves everybody. True if that let us read on what somebody asked before, or if the log
    /// failed: settle again.
    bool send_all() {
        bool read_more = false;
        const auto resume = [&](ConnectionId id, StreamId stream) {
            read_more |= resume_reading(id, stream);
        };
        delivery_.send(resume, now_.wall);
        files_->send(now_.steady);
        while (const auto freed = files_->poll_freed()) resume(freed->first, freed->second);
        return read_more || hub_.has_failed();
    }

    /// Takes in what the log and the files have done, as long as one asks more of the other.
    void settle() {
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

    static Caller caller_of(ConnectionId id, const Connection& connection) {
        return {id, connection.session.user(), connection.session.device()};
    }

    // Ends.

    /// Fail stop: a server that cannot keep its promises ends (design promise 5).
    void fail(Errc errc, std::string text) {
        if (drain_deadline_ == TimePoint::min()) return;  // said already
        news_.push(ServerFailed{errc, std::move(text)});
        drain_reason_ = errc;
        drain_deadline_ = TimePoint::min();
    }

    ServerConfig config_;
    Now now_{};  ///< Of the turn.
    Peers<T> peers_;
    RateLimits rates_{config_.limits};
    EventQueue news_{config_.limits.events_max};
    Logins<T> logins_;
    LateMarkers late_markers_;
    Hub hub_;
    Delivery<T> delivery_{peers_, hub_};
    std::optional<FileStreams<T>> files_;  ///< Always, once the rooms are open.
    Errc drain_reason_ = Errc::server_shutdown;
    std::optional<TimePoint> drain_deadline_;
    bool closed_ = false;
};

}  // namespace quicchat

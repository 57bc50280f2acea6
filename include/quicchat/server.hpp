#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "quicchat/auth/login.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/concept.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/connection.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat {

/// A chat server over any transport, log and way of logging in. It carries bytes between the
/// transport and the sessions, and the hub's decisions back; it decides nothing about the chat.
///
/// Single-threaded: every call must come from one thread at a time.
template <Transport T, RoomLog Log, Authenticator A>
class Server {
public:
    Server(T transport, Log log, A authenticator, Entropy entropy, ServerConfig config = {})
        : transport_(std::move(transport)),
          authenticator_(std::move(authenticator)),
          entropy_(entropy),
          config_(std::move(config)),
          hub_(std::move(log), config_.limits) {
        for (const std::string& room : config_.rooms) {
            if (const Errc errc = hub_.add_room(room); errc != Errc{}) {
                fail(errc, "cannot open the room '" + room + "'");
            }
        }
    }

    Server(const Server&) = delete;  // sessions refer to the limits in here
    Server& operator=(const Server&) = delete;

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now) {
        transport_.handle_timeout(now.steady);
        while (std::optional<TransportEvent> event = transport_.poll_event()) {
            handle(*std::move(event), now);
        }
        do {
            if (const Errc errc = hub_.settle(); errc != Errc{}) {
                fail(errc, "the room log cannot be written or read");
            }
            send_control();
        } while (send_rooms(now));
        end_slow_logins(now.steady);
        if (drain_deadline_ && now.steady >= *drain_deadline_) close_all();
    }

    /// When `process` must be called at the latest.
    std::optional<TimePoint> next_deadline() const {
        std::optional<TimePoint> deadline = transport_.next_deadline();
        if (!all_closed_) deadline = earlier(deadline, drain_deadline_);
        if (!logins_.empty()) deadline = earlier(deadline, logins_.front().deadline);
        return deadline;
    }

    /// Ends in peace: tells every client, takes no new ones, and closes what is left after
    /// `Limits::drain_timeout`. `finished` says when.
    void shutdown(Now now) {
        if (drain_deadline_) return;
        drain_deadline_ = now.steady + config_.limits.drain_timeout;
        const Bytes goaway{encode(wire::Goaway{wire_code(drain_reason_),
                                               to_milliseconds(config_.limits.drain_timeout), ""})};
        for (auto& [id, connection] : connections_) {
            if (connection.session.state() == State::ready) write_control(id, goaway);
        }
    }

    /// True once nothing is left to do after `shutdown` or a failure.
    bool finished() const { return drain_deadline_ && connections_.empty(); }

    /// The oldest unread event. Reading them is optional: old ones are dropped.
    std::optional<ServerEvent> poll_event() { return pop_front(events_); }

    std::size_t connection_count() const { return connections_.size(); }
    /// Answers that wait for slow clients. For figures; counts them one by one.
    std::size_t answers_waiting() const { return hub_.answers_waiting(); }
    T& transport() { return transport_; }
    const T& transport() const { return transport_; }

private:
    using Stream = ServerStream;
    using Connection = ServerConnection<typename A::Exchange>;

    Connection* find(ConnectionId id) {
        const auto found = connections_.find(id);
        return found == connections_.end() ? nullptr : &found->second;
    }

    void handle(TransportEvent event, Now now) {
        match(
            std::move(event), [&](Connected&& connected) { accept(std::move(connected), now); },
            [&](StreamData&& data) { receive(data, now); },
            [&](StreamReset&& reset) { reset_stream(reset); },
            [&](Writable&& writable) { resume(writable); },
            [&](DatagramReceived&&) {},  // no datagrams in this minor version
            [&](Disconnected&& gone) { forget(std::move(gone)); });
    }

    void accept(Connected connected, Now now) {
        const ConnectionId id = connected.connection;
        tell_program(PeerConnected{id, connected.peer_address});
        connections_.emplace(id,
                             Connection{ServerSession{config_.limits, config_.agent},
                                        authenticator_.begin(entropy_.draw<login_entropy_bytes>()),
                                        std::move(connected.peer_address)});
        logins_.push_back({now.steady + config_.limits.login_timeout, id});
        if (drain_deadline_) return close(id, drain_reason_);
        if (connections_.size() > config_.limits.connections_max) close(id, Errc::server_full);
    }

    void forget(Disconnected gone) {
        const auto found = connections_.find(gone.connection);
        if (found == connections_.end()) return;
        Connection& connection = found->second;
        for (auto& [id, stream] : connection.streams) {
            if (stream.member != nullptr) hub_.leave(*stream.member);
        }
        const std::string user = connection.session.user();
        if (!user.empty()) hub_.handle_disconnected(gone.connection, user);
        connections_.erase(found);
        tell_program(PeerDisconnected{gone.connection, user, std::move(gone.reason)});
    }

    // Bytes in.

    void receive(const StreamData& data, Now now) {
        Connection* connection = find(data.connection);
        if (connection == nullptr) return;
        const bool ready = connection->session.state() == State::ready;
        const bool first = connection->streams.empty();
        const bool known = connection->streams.count(data.stream) != 0;
        // A stranger has the control stream only: each stream may hold a frame's worth of memory.
        if (!ready && !first && !known) return close(data.connection, Errc::unexpected_frame);
        const std::size_t frame_max =
            ready ? config_.limits.frame_bytes_max : config_.limits.frame_bytes_before_login_max;
        Stream& stream =
            connection->streams.try_emplace(data.stream, Stream{FrameAssembler{frame_max}})
                .first->second;
        stream.owed += data.bytes.size();
        stream.fin = data.fin;
        if (!stream.ended) {
            stream.assembler.set_frame_bytes_max(frame_max);
            stream.assembler.push(data.bytes.view());
        }
        read_on(data.connection, *connection, data.stream, stream, now);
    }

    /// Who does not read our answers is not read either: what it asks waits, within its window.
    bool is_held_up(const Stream& stream) const {
        return !stream.ended && stream.member != nullptr && hub_.is_busy(*stream.member);
    }

    void read_on(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
                 Now now) {
        if (!apply_frames(id, connection, stream_id, stream, now) || is_held_up(stream)) return;
        transport_.consume(id, stream_id, std::exchange(stream.owed, 0));
        if (stream.fin) finish(id, connection, stream_id);
    }

    /// False if the connection is being closed.
    bool apply_frames(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
                      Now now) {
        while (!stream.ended && !is_held_up(stream)) {
            const Result<std::optional<FrameView>> frame = stream.assembler.next();
            if (!frame) return close(id, to_errc(frame.error())), false;
            if (!*frame) return true;
            Result<ServerRequest> request = connection.session.handle_frame(stream_id, **frame);
            if (!request) return close(id, to_errc(request.error())), false;
            if (auto answer = connection.session.poll_outgoing()) {
                write_control(id, Bytes{*std::move(answer)});
            }
            const Errc errc = serve(id, connection, stream_id, stream, *std::move(request), now);
            if (errc != Errc{}) return close(id, errc), false;
            if (connection.session.state() == State::draining) return false;
        }
        return true;
    }

    /// Does what a frame asks. An error closes the connection.
    Errc serve(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
               ServerRequest request, Now now) {
        return match(
            std::move(request), [](std::monostate&&) { return Errc{}; },
            [&](wire::LoginBegin&& m) { return begin_login(id, connection, m); },
            [&](wire::LoginResponse&& m) {
                return continue_login(id, connection, connection.login.respond(m.data));
            },
            [&](wire::Join&& m) { return join(id, connection, stream_id, stream, m); },
            [&](wire::Publish&& m) {
                if (stream.member == nullptr) return Errc::unexpected_frame;
                const Errc errc = check_message(m.text, m.attributes, config_.limits);
                if (errc == Errc{}) {
                    hub_.publish(*stream.member, std::move(m), now.wall);
                } else {
                    hub_.refuse(*stream.member, m.request, errc);
                }
                return Errc{};
            },
            [&](wire::MembersRequest&& m) {
                if (stream.member == nullptr) return Errc::unexpected_frame;
                hub_.request_members(*stream.member, m);
                return Errc{};
            },
            [&](wire::Tell&& m) {
                Errc errc = check_message(m.text, m.attributes, config_.limits);
                const RequestId number = m.request;
                if (errc == Errc{}) {
                    errc = hub_.tell(id, connection.session.user(), std::move(m), now.wall);
                }
                if (errc != Errc{}) write_control(id, encode_refusal(number, errc));
                return Errc{};
            });
    }

    Errc begin_login(ConnectionId id, Connection& connection, const wire::LoginBegin& m) {
        // Fail closed: without a binding there is no login.
        const Result<ChannelBinding> binding = transport_.channel_binding(id);
        if (!binding) return Errc::login_failed;
        return continue_login(id, connection,
                              connection.login.start({m.mechanism, m.data, *binding}));
    }

    Errc continue_login(ConnectionId id, Connection& connection, LoginStep step) {
        return match(
            std::move(step),
            [&](LoginChallenge&& m) {
                write_control(id, Bytes{encode(wire::LoginChallenge{std::move(m.data)})});
                return Errc{};
            },
            [&](LoginAccepted&& m) {
                const Buffer done = connection.session.login_accepted(m.user, std::move(m.data));
                write_control(id, Bytes{done});
                hub_.handle_login(id, m.user);
                tell_program(PeerLoggedIn{id, m.user});
                return Errc{};
            },
            [&](LoginRefused&&) {
                tell_program(PeerRefused{id, connection.login.claimed_user(), connection.address,
                                         Errc::login_failed});
                return Errc::login_failed;
            });
    }

    Errc join(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
              const wire::Join& m) {
        if (stream.member != nullptr) return Errc::unexpected_frame;
        Errc errc = connection.may_join(m.room, config_.limits.rooms_per_connection_max);
        if (errc == Errc{}) {
            const auto member = hub_.join(id, stream_id, connection.session.user(), m);
            if (member) return stream.member = *member, Errc{};
            errc = to_errc(member.error());
        }
        (void)transport_.write(id, stream_id, encode_refusal(m.request, errc), true);
        stream.ended = true;
        return Errc{};
    }

    /// The client has finished a stream: it leaves the room.
    void finish(ConnectionId id, Connection& connection, StreamId stream_id) {
        const auto found = connection.streams.find(stream_id);
        const Stream& stream = found->second;
        if (stream_id == connection.session.control()) return close(id, Errc::unexpected_frame);
        if (!stream.ended && !stream.assembler.at_boundary()) {
            return close(id, Errc::malformed_frame);
        }
        if (stream.member != nullptr) hub_.leave(*stream.member);
        if (!stream.ended) (void)transport_.write(id, stream_id, {}, true);
        connection.streams.erase(found);
    }

    void reset_stream(const StreamReset& reset) {
        Connection* connection = find(reset.connection);
        if (connection == nullptr) return;
        if (reset.stream == connection->session.control()) {
            return close(reset.connection, Errc::unexpected_frame);
        }
        const auto found = connection->streams.find(reset.stream);
        if (found == connection->streams.end()) return;
        if (found->second.member != nullptr) hub_.leave(*found->second.member);
        transport_.reset_stream(reset.connection, reset.stream, wire_code(Errc::closed));
        connection->streams.erase(found);
    }

    // Bytes out.

    void resume(const Writable& writable) {
        Connection* connection = find(writable.connection);
        if (connection == nullptr) return;
        const auto found = connection->streams.find(writable.stream);
        if (found == connection->streams.end() || found->second.member == nullptr) return;
        hub_.handle_writable(*found->second.member);
    }

    void write_control(ConnectionId id, Bytes frame) {
        const Connection* connection = find(id);
        if (connection == nullptr || !connection->session.control()) return;
        const Result<Backlog> backlog =
            transport_.write(id, *connection->session.control(), std::move(frame), false);
        if (backlog && backlog->bytes > config_.limits.control_backlog_bytes_max) {
            close(id, Errc::slow_consumer);
        }
    }

    void send_control() {
        while (auto out = hub_.poll_control())
            write_control(out->connection, std::move(out->frame));
    }

    /// Serves every member until its stream is full. True if that let us read on what somebody
    /// asked before, or if the log failed: settle again.
    bool send_rooms(Now now) {
        bool read_more = false;
        while (Member* member = hub_.poll_waiting()) {
            while (std::optional<Bytes> frame = hub_.next_frame(*member)) {
                const Result<Backlog> backlog =
                    transport_.write(member->connection, member->stream, *std::move(frame), false);
                if (!backlog || backlog->bytes >= config_.limits.stream_backlog_bytes_max) {
                    hub_.stall(*member);  // a stream that ended is reported as an event
                    break;
                }
            }
            Connection* connection = find(member->connection);
            Stream& stream = connection->streams.find(member->stream)->second;
            if ((stream.owed == 0 && !stream.fin) || is_held_up(stream)) continue;
            if (connection->session.state() != State::ready) continue;
            read_on(member->connection, *connection, member->stream, stream, now);
            read_more = true;
        }
        return read_more || hub_.has_failed();
    }

    // Ends.

    void close(ConnectionId id, Errc errc) {
        Connection* connection = find(id);
        if (connection == nullptr) return;
        std::string text = connection->session.close_text();
        if (text.empty()) text = error_category().message(static_cast<int>(errc));
        connection->session.handle_close(Input::failed);
        transport_.close(id, errc, text);
    }

    void close_all() {
        if (std::exchange(all_closed_, true)) return;
        for (auto& [id, connection] : connections_) {
            if (connection.session.state() != State::draining) close(id, drain_reason_);
        }
    }

    void end_slow_logins(TimePoint now) {
        while (!logins_.empty() && logins_.front().deadline <= now) {
            const Connection* connection = find(logins_.front().connection);
            if (connection != nullptr && connection->session.state() < State::ready) {
                close(logins_.front().connection, Errc::login_timeout);
            }
            logins_.pop_front();
        }
    }

    /// Fail stop: a server that cannot keep its promises ends (design promise 5).
    void fail(Errc errc, std::string text) {
        tell_program(ServerFailed{errc, std::move(text)});
        drain_reason_ = errc;
        drain_deadline_ = TimePoint::min();
    }

    void tell_program(ServerEvent event) {
        if (events_.size() >= config_.limits.events_max) events_.pop_front();
        events_.push_back(std::move(event));
    }

    T transport_;
    A authenticator_;
    Entropy entropy_;
    ServerConfig config_;
    Hub<Log> hub_;
    std::unordered_map<ConnectionId, Connection> connections_;
    std::deque<LoginDeadline> logins_;  ///< In order of their deadlines: all wait equally long.
    std::deque<ServerEvent> events_;
    Errc drain_reason_ = Errc::server_shutdown;
    std::optional<TimePoint> drain_deadline_;
    bool all_closed_ = false;
};

}  // namespace quicchat

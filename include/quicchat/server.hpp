#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/auth/login_desk.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/concept.hpp"
#include "quicchat/server/charge.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/connection.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server_delivery.hpp"
#include "quicchat/server_peers.hpp"
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
        : config_(std::move(config)),
          peers_(std::move(transport), config_.limits),
          logins_(std::move(authenticator), entropy, config_.limits.login_timeout),
          hub_(std::move(log), config_, logins_) {
        for (const std::string& room : config_.rooms) {
            if (const Errc errc = hub_.add_room(room); errc != Errc{}) {
                fail(errc, "cannot open the room '" + room + "'");
            }
        }
        if (const Errc errc = hub_.restore(); errc != Errc{}) {
            fail(errc, "cannot open the rooms that the log has");
        }
    }

    Server(const Server&) = delete;  // sessions refer to the limits in here
    Server& operator=(const Server&) = delete;

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now) {
        now_ = now;
        hub_.begin_turn(now.wall);
        peers_.transport().handle_timeout(now.steady);
        while (auto event = peers_.transport().poll_event()) handle(*std::move(event));
        while (auto step = logins_.poll(now)) {
            const Errc errc = continue_login(step->first, std::move(step->second));
            if (errc != Errc{}) peers_.close(step->first, errc);
        }
        for (const ConnectionId id : std::exchange(admitted_, {})) read_early(id);
        hub_.handle_timeout(now.steady);
        do {
            if (const Errc errc = hub_.settle(); errc != Errc{}) {
                fail(errc, "the room log cannot be written or read");
            }
            delivery_.end_memberships();
        } while (send_all());
        while (const auto late = logins_.poll_late(now.steady)) {
            if (peers_.find_ready(*late) == nullptr) peers_.close(*late, Errc::login_timeout);
        }
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
        return earlier(deadline, hub_.next_deadline());
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

    /// Takes other settings while people are connected; server_reload.hpp says which, and when.
    Errc reload(const ServerConfig& next, Now now);

    /// True once nothing is left to do after `shutdown` or a failure.
    bool finished() const { return drain_deadline_ && peers_.size() == 0; }

    /// The oldest unread event. Reading them is optional: old ones are dropped.
    std::optional<ServerEvent> poll_event() { return pop_front(events_); }

    std::size_t connection_count() const { return peers_.size(); }
    /// Answers that wait for slow clients, counted one by one.
    std::size_t answers_waiting() const { return hub_.feed().answers_waiting(); }
    const Log& log() const { return hub_.log(); }
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
            [&](Writable&& writable) { delivery_.resume(writable); },
            [&](DatagramReceived&& datagram) { delivery_.pass_on(datagram, now_.steady); },
            [&](Disconnected&& gone) { forget(std::move(gone)); });
    }

    void accept(Connected connected) {
        const ConnectionId id = connected.connection;
        tell_program(PeerConnected{id, connected.peer_address});
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
        logins_.forget(gone.connection);
        tell_program(PeerDisconnected{gone.connection, user, std::move(gone.reason)});
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
        return !stream.ended && stream.member != nullptr && hub_.is_busy(*stream.member);
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
            const Duration wait = charge(rates_, connection, stream.member, *request, now_.steady);
            if (wait > Duration{}) {
                refuse(id, stream_id, stream, number_of(*request), Errc::rate_limited, wait);
                continue;
            }
            const Errc errc = serve(id, connection, stream_id, stream, *std::move(request));
            if (errc != Errc{}) return peers_.close(id, errc), false;
            if (connection.session.state() == State::draining) return false;
            delivery_.end_memberships();
        }
        return true;
    }

    /// Does what a frame asks. An error closes the connection.
    Errc serve(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
               ServerRequest request) {
        const HubAsker asker{id, connection.session.user(), connection.session.device()};
        const auto answer = [&](RequestId number, Errc errc) {
            if (errc != Errc{}) peers_.write_control(id, encode_refusal(number, errc));
            return Errc{};
        };
        const auto for_member = [&](const auto& serve_member) {
            if (stream.member == nullptr) return Errc::unexpected_frame;
            serve_member(*stream.member);
            return Errc{};
        };
        return match(
            std::move(request), [](std::monostate&&) { return Errc{}; },
            [&](wire::LoginBegin&& m) { return begin_login(id, connection, m); },
            [&](wire::LoginResponse&& m) {
                return continue_login(id, logins_.respond(id, m.data));
            },
            [&](wire::Join&& m) { return join(asker, connection, stream_id, stream, m); },
            [&](wire::Publish&& m) {
                return for_member([&](Member& member) { hub_.publish(member, std::move(m)); });
            },
            [&](wire::MembersRequest&& m) {
                return for_member([&](Member& member) { hub_.request_members(member, m); });
            },
            [&](wire::Tell&& m) { return answer(m.request, hub_.tell(asker, std::move(m))); },
            [&](wire::CreateRoom&& m) { return answer(m.request, hub_.create_room(asker, m)); },
            [&](wire::RoomsRequest&& m) { return hub_.list_rooms(asker, m), Errc{}; },
            [&](wire::HistoryRequest&& m) { return open_page(asker, stream_id, stream, m); },
            [&](wire::MarkRead&& m) { return hub_.mark_read(asker, m), Errc{}; });
    }

    Errc begin_login(ConnectionId id, const Connection& connection, const wire::LoginBegin& m) {
        // Fail closed: without a binding there is no login.
        const Result<ChannelBinding> binding = peers_.transport().channel_binding(id);
        if (!binding) return Errc::login_failed;
        if (rates_.log_in(connection.prefix(), now_.steady) > Duration{}) return Errc::server_full;
        return continue_login(id, logins_.start(id, {m.mechanism, m.data, *binding, m.device,
                                                     connection.address, now_}));
    }

    /// Does what a step of a login asks. An error closes the connection.
    Errc continue_login(ConnectionId id, LoginStep step) {
        Connection& connection = *peers_.find(id);
        if (connection.session.state() == State::draining) return Errc{};
        return match(
            std::move(step),
            [&](LoginChallenge&& m) {
                peers_.write_control(id, Bytes{encode(wire::LoginChallenge{std::move(m.data)})});
                return Errc{};
            },
            [&](LoginAccepted&& m) {
                const Buffer done = connection.session.login_accepted(m.user, std::move(m.data));
                peers_.write_control(id, Bytes{done});
                hub_.handle_login(id, m.user);
                tell_program(PeerLoggedIn{id, m.user});
                admitted_.push_back(id);
                return Errc{};
            },
            [&](LoginRefused&& m) {
                const std::string user = logins_.claimed_user(id);
                if (m.device_removed) peers_.close_device(user, connection.session.device());
                rates_.note_failed_login(connection.prefix(), now_.steady);
                return tell_program(PeerRefused{id, user, connection.address, m.errc}), m.errc;
            },
            [](LoginPending&&) { return Errc{}; },
            [&](TokenIssued&& m) {
                peers_.write_control(id,
                                     Bytes{encode(wire::Token{m.generation, std::move(m.key)})});
                return Errc{};
            });
    }

    Errc join(const HubAsker& asker, Connection& connection, StreamId stream_id, Stream& stream,
              const wire::Join& m) {
        if (stream.member != nullptr) return Errc::unexpected_frame;
        Errc errc = connection.may_join(m.room, config_.limits.rooms_per_connection_max);
        if (errc == Errc{}) {
            const auto member = hub_.join(asker, stream_id, m);
            if (member) return stream.member = *member, Errc{};
            errc = to_errc(member.error());
        }
        refuse(asker.connection, stream_id, stream, m.request, errc);
        return Errc{};
    }

    Errc open_page(const HubAsker& asker, StreamId stream_id, Stream& stream,
                   const wire::HistoryRequest& m) {
        if (stream.member != nullptr) return Errc::unexpected_frame;
        const Errc errc = hub_.open_page(asker, stream_id, m);
        if (errc != Errc{}) refuse(asker.connection, stream_id, stream, m.request, errc);
        stream.ended = true;  // nothing more may come
        return Errc{};
    }

    /// Says no where the answer would have come. What was opened for that answer ends.
    void refuse(ConnectionId id, StreamId stream_id, Stream& stream, RequestId request, Errc errc,
                Duration wait = refused_retry_after) {
        Bytes refusal = encode_refusal(request, errc, wait);
        if (stream_id == control_stream) return peers_.write_control(id, std::move(refusal));
        if (stream.member != nullptr) return hub_.feed().reply(*stream.member, std::move(refusal));
        (void)peers_.transport().write(id, stream_id, std::move(refusal), true);
        stream.ended = true;
    }

    /// The client has finished a stream: it leaves the room.
    void finish(ConnectionId id, Connection& connection, StreamId stream_id) {
        const Stream& stream = *connection.find_stream(stream_id);
        if (stream_id == control_stream) return peers_.close(id, Errc::unexpected_frame);
        if (!stream.ended && !stream.assembler.at_boundary()) {
            return peers_.close(id, Errc::malformed_frame);
        }
        if (stream.member != nullptr) hub_.leave(*stream.member);
        if (!stream.ended) (void)peers_.transport().write(id, stream_id, {}, true);
        connection.streams.erase(stream_id);
    }

    void reset_stream(const StreamReset& reset) {
        const auto [id, stream_id, code] = reset;
        const Stream* stream = peers_.find_stream(id, stream_id);
        if (stream == nullptr) return;
        if (stream_id == control_stream) return peers_.close(id, Errc::unexpected_frame);
        if (stream->member != nullptr) hub_.leave(*stream->member);
        hub_.pages().close(id, stream_id);
        peers_.transport().reset_stream(id, stream_id, wire_code(Errc::closed));
        peers_.find(id)->streams.erase(stream_id);
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
        delivery_.send(
            [&](ConnectionId id, StreamId stream) { read_more |= resume_reading(id, stream); });
        return read_more || hub_.has_failed();
    }

    // Ends.

    /// Fail stop: a server that cannot keep its promises ends (design promise 5).
    void fail(Errc errc, std::string text) {
        if (drain_deadline_ == TimePoint::min()) return;  // said already
        tell_program(ServerFailed{errc, std::move(text)});
        drain_reason_ = errc;
        drain_deadline_ = TimePoint::min();
    }

    void tell_program(ServerEvent event) {
        while (events_.size() >= config_.limits.events_max) events_.pop_front();
        events_.push_back(std::move(event));
    }

    ServerConfig config_;
    Now now_{};  ///< Of the turn.
    ServerPeers<T> peers_;
    LoginDesk<A> logins_;
    RateLimits rates_{config_.limits};
    Hub<Log> hub_;
    ServerDelivery<T, Log> delivery_{peers_, hub_};
    std::vector<ConnectionId> admitted_;  ///< Logged in just now.
    std::deque<ServerEvent> events_;
    Errc drain_reason_ = Errc::server_shutdown;
    std::optional<TimePoint> drain_deadline_;
    bool closed_ = false;
};

}  // namespace quicchat

#include "quicchat/server_reload.hpp"

#pragma once

#include <cassert>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/auth/login.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/session/client_session.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat {

struct ClientConfig {
    std::string agent = "{}";  ///< JSON object about the program, for the server's logs.
    Limits limits{};
};

/// A chat client over any transport. All decisions of the protocol are ClientSession's; this class
/// carries bytes in and frames out, and is the one place where the two meet.
///
/// Single-threaded: every call must come from one thread at a time. After any call that may cause
/// traffic, let the transport's driver run a turn.
template <DialingTransport T, ClientLogin L>
class Client {
public:
    Client(T transport, L login, Entropy entropy, ClientConfig config = {})
        : transport_(std::move(transport)),
          login_(std::move(login)),
          entropy_(entropy),
          limits_(config.limits),
          session_(config.limits, std::move(config.agent)) {}

    /// Dials the server. Online or Offline follows. Once in the life of a client.
    void connect(Now now) {
        assert(!connection_);
        Result<ConnectionId> dialled = transport_.connect(now.steady);
        if (!dialled) {
            session_.handle_disconnected({.errc = to_errc(dialled.error())});
            return;
        }
        connection_ = *dialled;
        login_deadline_ = now.steady + limits_.login_timeout;
    }

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now) {
        transport_.handle_timeout(now.steady);
        while (std::optional<TransportEvent> event = transport_.poll_event()) {
            handle(*std::move(event));
        }
        const bool waiting = session_.state() == State::connecting ||
                             session_.state() == State::negotiating ||
                             session_.state() == State::authenticating;
        if (waiting && login_deadline_ && now.steady >= *login_deadline_) {
            fail(Errc::login_timeout);
        }
        pay_credit();
    }

    /// When `process` must be called at the latest.
    std::optional<TimePoint> next_deadline() const {
        const bool waiting = session_.state() < State::ready;
        return earlier(transport_.next_deadline(), waiting ? login_deadline_ : std::nullopt);
    }

    /// Joins a room. RoomJoined or Refused follows.
    Result<RequestId> join(std::string_view room, Position position = Position::from_now()) {
        if (const Errc errc = session_.may_join(room, position); errc != Errc{}) return errc;
        const Result<StreamId> stream = transport_.open_stream(*connection_);
        if (!stream) return stream.error();
        streams_.emplace(*stream, Stream{FrameAssembler{limits_.frame_bytes_max}});
        const RequestId request = session_.join(*stream, room, position);
        flush();
        return request;
    }

    /// Leaves a room. RoomLeft follows; what was under way to us is dropped.
    Errc leave(std::string_view room) { return flushed(session_.leave(room)); }

    /// Puts a message into a room that was joined. Acked or Refused follows. Sending the same again
    /// under the same id is safe.
    Result<RequestId> publish(std::string_view room, std::string text,
                              std::string attributes = "{}",
                              std::optional<MessageId> id = std::nullopt) {
        return flushed(
            session_.publish(room, id ? *id : draw_id(), std::move(text), std::move(attributes)));
    }

    /// Sends a message to one person. Acked or Refused follows.
    Result<RequestId> tell(std::string user, std::string text, std::string attributes = "{}",
                           std::optional<MessageId> id = std::nullopt) {
        return flushed(session_.tell(std::move(user), id ? *id : draw_id(), std::move(text),
                                     std::move(attributes)));
    }

    /// Asks who is in a room, for the names after `after`. MemberList or Refused follows.
    Result<RequestId> request_members(std::string_view room, std::string after = {}) {
        return flushed(session_.request_members(room, std::move(after)));
    }

    /// Ends the connection now: wait for the answers you need first. Offline follows.
    void close() {
        if (!connection_ || session_.state() == State::closed) return;
        session_.handle_close(Input::close_asked);
        transport_.close(*connection_, Errc::closed, "");
    }

    /// The oldest unread event. While `Limits::events_max` are unread, nothing more is taken from
    /// the server, which then slows down.
    std::optional<ClientEvent> poll_event() {
        std::optional<ClientEvent> event = session_.poll_event();
        // Nothing else would wake a server that waits for credit.
        if (event && session_.unread_events() == limits_.events_max / 2) pay_credit();
        return event;
    }

    State state() const { return session_.state(); }
    std::size_t unanswered_requests() const { return session_.unanswered_requests(); }
    T& transport() { return transport_; }
    const T& transport() const { return transport_; }

private:
    struct Stream {
        FrameAssembler assembler;
        std::size_t owed = 0;  ///< Bytes read for which the server has no credit back yet.
    };

    void handle(TransportEvent event) {
        match(
            std::move(event), [&](Connected&& connected) { begin(std::move(connected)); },
            [&](StreamData&& data) { receive(data); },
            [&](StreamReset&& reset) { end_stream(reset.stream, true); },
            [&](Writable&&) {},          // what a client sends is bounded by its PendingRequests
            [&](DatagramReceived&&) {},  // no datagrams in this minor version
            [&](Disconnected&& gone) {
                streams_.clear();
                session_.handle_disconnected(explain(std::move(gone.reason)));
            });
    }

    void begin(Connected connected) {
        // Closed meanwhile: a transport may still report what it knew before.
        if (session_.state() != State::connecting) return;
        const Result<ChannelBinding> binding = transport_.channel_binding(connected.connection);
        if (!binding) return fail(to_errc(binding.error()));
        const auto nonce = entropy_.draw<login_entropy_bytes>();
        Result<LoginStart> start = login_.start(*binding, nonce);
        if (!start) return fail(to_errc(start.error()));
        const Result<StreamId> control = transport_.open_stream(connected.connection);
        if (!control) return fail(to_errc(control.error()));

        streams_.emplace(*control, Stream{FrameAssembler{limits_.frame_bytes_max}});
        session_.handle_connected(std::move(connected), *control, std::move(start->mechanism),
                                  std::move(start->data));
        flush();
    }

    void receive(const StreamData& data) {
        const auto found = streams_.find(data.stream);
        if (found == streams_.end()) {  // opened by the server, or ended
            transport_.consume(data.connection, data.stream, data.bytes.size());
            return;
        }
        Stream& stream = found->second;
        stream.owed += data.bytes.size();
        stream.assembler.push(data.bytes.view());
        while (true) {
            const Result<std::optional<FrameView>> frame = stream.assembler.next();
            if (!frame) return fail(to_errc(frame.error()));
            if (!*frame) break;
            if (const Errc errc = session_.handle_frame(data.stream, **frame); errc != Errc{}) {
                return fail(errc);
            }
            if (!continue_login()) return;
        }
        if (data.fin) end_stream(data.stream, stream.assembler.at_boundary());
        flush();
    }

    void end_stream(StreamId stream, bool at_boundary) {
        const auto found = streams_.find(stream);
        if (found == streams_.end()) return;
        transport_.consume(*connection_, stream, found->second.owed);
        streams_.erase(found);
        const Errc errc = session_.handle_stream_end(stream, at_boundary);
        if (errc != Errc{}) return fail(errc);
        flush();
    }

    /// Lets the login policy answer. False if that ended the connection.
    bool continue_login() {
        const std::optional<LoginInput> input = session_.poll_login();
        if (!input) return true;
        if (input->final) {
            const auto proven = login_.finish(input->data);
            if (!proven) return fail(to_errc(proven.error())), false;
            session_.login_complete();
        } else {
            Result<Buffer> answer = login_.respond(input->data);
            if (!answer) return fail(to_errc(answer.error())), false;
            session_.login_respond(*std::move(answer));
        }
        return true;
    }

    /// Gives the server credit for what was read, unless the application lags behind.
    void pay_credit() {
        if (session_.unread_events() >= limits_.events_max) return;
        for (auto& [id, stream] : streams_) {
            if (stream.owed == 0) continue;
            transport_.consume(*connection_, id, std::exchange(stream.owed, 0));
        }
    }

    /// Ends the connection because of `errc`. Offline with that reason follows.
    void fail(Errc errc) {
        if (!failure_) failure_ = errc;
        session_.handle_close(Input::failed);
        transport_.close(*connection_, errc, error_category().message(static_cast<int>(errc)));
    }

    /// The transport reports our own close as `closed`; the application wants to know why.
    CloseReason explain(CloseReason reason) const {
        if (failure_ && !reason.by_peer) reason.errc = *failure_;
        return reason;
    }

    template <class R>
    R flushed(R result) {
        flush();
        return result;
    }

    void flush() {
        while (std::optional<Outgoing> out = session_.poll_outgoing()) {
            // An error means that the stream ended under us; its end is reported as an event.
            (void)transport_.write(*connection_, out->stream, std::move(out->bytes), out->fin);
        }
    }

    MessageId draw_id() { return {entropy_.draw<16>()}; }

    T transport_;
    L login_;
    Entropy entropy_;
    Limits limits_;
    ClientSession session_;
    std::optional<ConnectionId> connection_;
    std::optional<TimePoint> login_deadline_;
    std::optional<Errc> failure_;
    std::map<StreamId, Stream> streams_;
};

}  // namespace quicchat

#pragma once

#include <cassert>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/login.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/owned.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/session/backoff.hpp"
#include "quicchat/session/client_calls.hpp"
#include "quicchat/session/client_session.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat {

struct ClientConfig {
    std::string agent = "{}";  ///< JSON object about the program, for the server's logs.
    Limits limits{};
    Reconnection reconnect{};
    /// Which installation this is. Drawn anew if there is none: then messages that an earlier run
    /// of the program sent cannot be recognised.
    std::optional<DeviceId> device{};
};

/// A chat client over any transport. All decisions of the protocol are ClientSession's; this class
/// carries bytes in and frames out, and is the one place where the two meet.
///
/// It comes back by itself after it lost its connection: Reconnecting says so, then Online. Rooms
/// go on where they were, and messages without an answer are sent again. Offline is the end.
///
/// Single-threaded: every call must come from one thread at a time. After any call that may cause
/// traffic, let the transport's driver run a turn.
template <DialingTransport T>
class Client : public ClientCalls<Client<T>> {
public:
    Client(T transport, Owned<ClientLogin> login, Entropy entropy, ClientConfig config = {})
        : transport_(std::move(transport)),
          login_(std::move(login)),
          entropy_(entropy),
          limits_(config.limits),
          device_(config.device ? *config.device : DeviceId{entropy_.draw<16>()}),
          backoff_(config.reconnect),
          session_(config.limits, std::move(config.agent)) {}

    /// Dials the server. Online or Offline follows. Once in the life of a client.
    void connect(Now now) {
        assert(!connection_ && !redial_at_);
        if (!closing_) dial(now.steady);
    }

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now) {
        now_ = now.steady;
        transport_.handle_timeout(now.steady);
        while (std::optional<TransportEvent> event = transport_.poll_event()) {
            handle(*std::move(event));
        }
        if (redial_at_ && now.steady >= *redial_at_) dial(now.steady);
        if (login_deadline_ && now.steady >= *login_deadline_) fail(Errc::login_timeout);
        session_.handle_timeout(now.steady);
        pay_credit();
    }

    /// When `process` must be called at the latest.
    std::optional<TimePoint> next_deadline() const {
        return earlier(earlier(transport_.next_deadline(), session_.next_deadline()),
                       earlier(redial_at_, login_deadline_));
    }

    /// Ends the connection now: wait for the answers you need first. Offline follows.
    void close() {
        if (closing_) return;
        closing_ = true;
        session_.handle_close(Input::close_asked);
        if (connection_) {
            transport_.close(*connection_, Errc::closed, "");
        } else {
            redial_at_.reset();
            session_.handle_disconnected();
            session_.end({});
        }
    }

    /// The oldest unread event. While `Limits::events_max` are unread, nothing more is taken from
    /// the server, which then slows down.
    std::optional<ClientEvent> poll_event() {
        std::optional<ClientEvent> event = session_.poll_event();
        // Nothing else would wake a server that waits for credit.
        if (event && session_.unread_events() == limits_.events_max / 2) pay_credit();
        if (event && std::holds_alternative<FileChunk>(*event)) pay_credit();
        if (!event) session_.send_markers();
        if (!event) flush();
        return event;
    }

    /// Of the connection; `connecting` also while it waits to dial again.
    State state() const { return session_.state(); }
    /// What the client logs in by; its `token` is for the next run of a program that keeps it.
    const ClientLogin& login() const { return *login_; }
    DeviceId device() const { return device_; }
    std::size_t unanswered_requests() const { return session_.unanswered_requests(); }
    T& transport() { return transport_; }
    const T& transport() const { return transport_; }

private:
    friend class ClientCalls<Client<T>>;

    struct Stream {
        FrameAssembler assembler;
        bool fin = false;      ///< Nothing more comes.
        std::size_t owed = 0;  ///< Bytes read for which the server has no credit back yet.
    };

    void handle(TransportEvent event) {
        match(
            std::move(event), [&](Connected&& connected) { begin(std::move(connected)); },
            [&](StreamData&& data) { receive(data); },
            [&](StreamReset&& reset) { drop(reset.stream); },
            [&](Writable&& writable) {
                session_.handle_backlog(writable.stream, false);
                flush();
            },
            [&](DatagramReceived&& m) { session_.handle_datagram(m.bytes.view(), now_); },
            [&](Disconnected&& gone) {
                if (gone.connection == connection_) lose(explain(std::move(gone.reason)));
            });
    }

    void dial(TimePoint now) {
        now_ = now;
        redial_at_.reset();
        failure_.reset();
        const Result<ConnectionId> dialled = transport_.connect(now);
        if (!dialled) return lose({.errc = to_errc(dialled.error())});
        connection_ = *dialled;
        login_deadline_ = now + limits_.login_timeout;
    }

    /// The connection is over: the client comes back, or that was all.
    void lose(CloseReason reason) {
        connection_.reset();
        login_deadline_.reset();
        streams_.clear();
        session_.handle_disconnected();
        std::optional<Duration> delay;
        if (!closing_) {
            delay = backoff_.handle_lost(reason.errc, now_, entropy_);
            if (login_->recover(reason.errc)) delay = Duration{};  // in another way
        }
        closing_ = closing_ || !delay;
        if (!delay) return session_.end(std::move(reason));
        redial_at_ = now_ + *delay;
        session_.retry(std::move(reason), *delay, backoff_.attempts());
    }

    void begin(Connected connected) {
        // Closed meanwhile: a transport may still report what it knew before.
        if (session_.state() != State::connecting || closing_) return;
        const Result<ChannelBinding> binding = transport_.channel_binding(connected.connection);
        if (!binding) return fail(to_errc(binding.error()));
        const auto nonce = entropy_.draw<login_entropy_bytes>();
        Result<LoginStart> start = login_->start(*binding, device_, nonce);
        if (!start) return fail(to_errc(start.error()));
        const Result<StreamId> control = open_stream();
        if (!control) return fail(to_errc(control.error()));
        assert(*control == control_stream);
        session_.handle_connected(
            std::move(connected),
            {std::move(start->mechanism), device_, std::move(start->data), start->one_flight});
        flush();
    }

    Result<StreamId> open_stream() {
        const Result<StreamId> stream = transport_.open_stream(*connection_);
        if (stream) streams_.emplace(*stream, Stream{FrameAssembler{limits_.frame_bytes_max}});
        return stream;
    }

    void receive(const StreamData& data) {
        const auto found = streams_.find(data.stream);
        if (found == streams_.end()) {  // opened by the server, or ended
            transport_.consume(data.connection, data.stream, data.bytes.size());
            return;
        }
        Stream& stream = found->second;
        stream.owed += data.bytes.size();
        stream.fin = data.fin;
        stream.assembler.push(data.bytes.view());
        read_on(data.stream);
        flush();
    }

    /// The server abandoned a stream: what came on it and was not read yet is gone.
    void drop(StreamId id) {
        const auto found = streams_.find(id);
        if (found == streams_.end()) return;
        found->second.assembler = FrameAssembler{limits_.frame_bytes_max};
        found->second.fin = true;
        read_on(id);
        flush();
    }

    /// Rooms may answer before the login is complete, since streams overtake each other. Nothing of
    /// that is looked at until the server has proved itself.
    void read_on(StreamId id) {
        while (true) {
            if (id != control_stream && session_.state() < State::ready) return;
            const auto stream = streams_.find(id);
            if (stream == streams_.end()) return;
            const Result<std::optional<FrameView>> frame = stream->second.assembler.next();
            if (!frame) return fail(to_errc(frame.error()));
            if (!*frame) break;
            if (const Errc errc = session_.handle_frame(id, **frame); errc != Errc{}) {
                return fail(errc);
            }
            if (auto token = session_.poll_token()) keep(*std::move(token));
            if (!continue_login()) return;
        }
        const Stream& stream = streams_.at(id);
        if (stream.fin) end_stream(id, stream.assembler.at_boundary());
    }

    void keep(wire::Token token) {
        login_->keep(DeviceToken{token.generation, Secret{token.key}});
        secure_wipe(token.key);
    }

    void end_stream(StreamId stream, bool at_boundary) {
        const auto found = streams_.find(stream);
        if (found == streams_.end()) return;
        transport_.consume(*connection_, stream, found->second.owed);
        streams_.erase(found);
        const Errc errc = session_.handle_stream_end(stream, at_boundary);
        if (errc != Errc{}) fail(errc);
    }

    /// Lets the login policy answer. False if that ended the connection.
    bool continue_login() {
        const std::optional<LoginInput> input = session_.poll_login();
        if (!input) return true;
        if (input->final) {
            const auto proven = login_->finish(input->data);
            if (!proven) return fail(to_errc(proven.error())), false;
            login_deadline_.reset();
            backoff_.handle_online(now_);
            session_.login_complete();
            read_early();
        } else {
            Result<Buffer> answer = login_->respond(input->data);
            if (!answer) return fail(to_errc(answer.error())), false;
            session_.login_respond(*std::move(answer));
        }
        return true;
    }

    /// What rooms answered before the login was complete.
    void read_early() {
        std::vector<StreamId> waiting;
        for (const auto& [id, stream] : streams_) {
            if (id != control_stream) waiting.push_back(id);
        }
        for (const StreamId id : waiting) read_on(id);
    }

    /// Gives the server credit for what was read, unless the application lags behind.
    void pay_credit() {
        if (session_.unread_events() >= limits_.events_max) return;
        const bool ready = session_.state() == State::ready;
        const bool files_wait = session_.unread_file_bytes() >= limits_.file_backlog_bytes_max;
        for (auto& [id, stream] : streams_) {
            if (stream.owed == 0 || (!ready && id != control_stream)) continue;
            if (files_wait && session_.is_download(id)) continue;
            transport_.consume(*connection_, id, std::exchange(stream.owed, 0));
        }
    }

    /// Ends the connection because of `errc`. Offline with that reason follows.
    void fail(Errc errc) {
        if (!connection_) return;
        if (!failure_) failure_ = errc;
        login_deadline_.reset();
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
        if (!connection_) return;
        while (const std::optional<std::string> room = session_.poll_join()) {
            const Result<StreamId> stream = open_stream();
            if (!stream) break;  // as many as the server allows: the next one when one has ended
            session_.join_on(*stream, *room);
        }
        while (session_.wants_page()) {
            const Result<StreamId> stream = open_stream();
            if (!stream) break;
            session_.request_page_on(*stream);
        }
        while (session_.wants_transfer()) {
            const Result<StreamId> stream = open_stream();
            if (!stream) break;
            session_.begin_transfer_on(*stream);
        }
        while (std::optional<Outgoing> out = session_.poll_outgoing()) {
            // An error means that the stream ended under us; its end is reported as an event.
            const Result<Backlog> backlog =
                transport_.write(*connection_, out->stream, std::move(out->bytes), out->fin);
            const bool full = backlog && backlog->bytes >= limits_.stream_backlog_bytes_max;
            if (full) session_.handle_backlog(out->stream, true);
        }
        session_.want_more();
        while (const std::optional<StreamId> stream = session_.poll_reset()) {
            transport_.reset_stream(*connection_, *stream, wire_code(Errc::closed));
            streams_.erase(*stream);
            (void)session_.handle_stream_end(*stream, true);
        }
    }

    void send_datagram(Bytes bytes) {
        if (connection_) (void)transport_.send_datagram(*connection_, std::move(bytes));
    }

    MessageId draw_id() { return {entropy_.draw<16>()}; }

    T transport_;
    Owned<ClientLogin> login_;
    Entropy entropy_;
    Limits limits_;
    DeviceId device_;
    Backoff backoff_;
    ClientSession session_;
    TimePoint now_{};  ///< Of the latest turn.
    std::optional<ConnectionId> connection_;
    std::optional<TimePoint> login_deadline_;
    std::optional<TimePoint> redial_at_;
    std::optional<Errc> failure_;
    bool closing_ = false;  ///< There will be no other connection.
    std::map<StreamId, Stream> streams_;
};

}  // namespace quicchat

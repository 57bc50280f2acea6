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
    void connect(Now now);

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now);

    /// When `process` must be called at the latest.
    std::optional<TimePoint> next_deadline() const;

    /// Ends the connection now: wait for the answers you need first. Offline follows.
    void close();

    /// The oldest unread event. While `Limits::events_max` are unread, nothing more is taken from
    /// the server, which then slows down.
    std::optional<ClientEvent> poll_event();

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

    void handle(TransportEvent event);

    void dial(TimePoint now);

    /// The connection is over: the client comes back, or that was all.
    void lose(CloseReason reason);

    void begin(Connected connected);

    Result<StreamId> open_stream();

    void receive(const StreamData& data);

    /// The server abandoned a stream: what came on it and was not read yet is gone.
    void drop(StreamId id);

    /// Rooms may answer before the login is complete, since streams overtake each other. Nothing of
    /// that is looked at until the server has proved itself.
    void read_on(StreamId id);

    void keep(wire::Token token);

    void end_stream(StreamId stream, bool at_boundary);

    /// Lets the login policy answer. False if that ended the connection.
    bool continue_login();

    /// What rooms answered before the login was complete.
    void read_early();

    /// Gives the server credit for what was read, unless the application lags behind.
    void pay_credit();

    /// Ends the connection because of `errc`. Offline with that reason follows.
    void fail(Errc errc);

    /// The transport reports our own close as `closed`; the application wants to know why.
    CloseReason explain(CloseReason reason) const;

    template <class R>
    R flushed(R result) {
        flush();
        return result;
    }

    void flush();

    void send_datagram(Bytes bytes);

    MessageId draw_id();

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

#include "quicchat/impl/client.ipp"

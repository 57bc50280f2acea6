#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/result.hpp"
#include "quicchat/session/client_transfers.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/frame.hpp"

namespace quicchat {

/// A SASL message of the server that the login policy must answer.
struct LoginInput {
    Buffer data;
    bool final = false;  ///< The server says that the login is complete.
};

/// How a client's login begins.
struct SessionLogin {
    std::string mechanism;
    DeviceId device{};
    Buffer data;
    bool one_flight = false;  ///< Nothing is asked back, so joins may follow at once.
};

/// A client's side of its conversations with a server, one connection after the other, without I/O:
/// frames in, frames and events out. What was asked and not answered, and the place in each room,
/// outlive a connection.
///
/// After any call: open a stream for each room that `poll_join` names, write what `poll_outgoing`
/// gives, and answer what `poll_login` gives. An Errc from `handle_frame` is the end of the
/// connection: close it with that.
class ClientSession : public ClientTransfers {
public:
    explicit ClientSession(const Limits& limits, std::string agent = "{}")
        : ClientTransfers(limits), agent_(std::move(agent)) {}

    /// The connection is up and its control stream is open. Says Hello and begins the login in one
    /// flight.
    void handle_connected(Connected connected, SessionLogin login);

    /// Applies one frame of the server. `Errc{}` if all is well.
    Errc handle_frame(StreamId stream, const FrameView& frame);

    /// Takes in a hint that may be lost. What is not one is ignored: it may be of a later version.
    void handle_datagram(BytesView bytes, TimePoint now);

    /// The server finished or reset a stream.
    Errc handle_stream_end(StreamId stream, bool at_boundary);

    /// The connection is gone. Call `retry` or `end` next.
    void handle_disconnected();

    /// There will be another connection.
    void retry(CloseReason reason, Duration delay, std::uint64_t attempt);

    /// There will be none.
    void end(CloseReason reason);

    /// The login policy answered the challenge.
    void login_respond(Buffer data);

    /// The server proved itself: the session is ready. Sends what waited for that.
    void login_complete();

    /// The connection is being closed; nothing more is read or sent. With `close_asked` nothing
    /// more is taken either.
    void handle_close(Input why);

    // What there is to do.

    /// The name of a room that waits for a stream of its own. Open one and call `join_on`.
    std::optional<std::string> poll_join() const;

    std::optional<LoginInput> poll_login();
    /// A token for the next login.
    std::optional<wire::Token> poll_token();

    State state() const { return lifecycle_.state(); }

private:
    // Control stream.

    Errc handle_control(Message message);

    Errc on_welcome(wire::Welcome m);

    Errc on_login(LoginInput input);

    Errc on_control_error(wire::Error m);

    Errc on_rooms(wire::Rooms m);

    Errc on_ack(StreamId stream, const wire::Ack& m);

    // Streams of pages.

    Errc handle_page(StreamId stream, Message message);

    /// The server says nothing more: if that is no answer, there is none.
    Errc end_page(StreamId stream);

    /// A request was refused.
    Errc refuse(const Outbox::Request& request, wire::Error m);

    // Room streams.

    Errc handle_room(Room& room, Message message);

    Errc on_joined(Room& room, const wire::Joined& m);

    Errc on_event(Room& room, wire::Event m);

    Errc on_gap(Room& room, const wire::Gap& m);

    Errc on_members(Room& room, wire::Members m);

    /// An error about a request refuses it; one about none is why the server ends our membership.
    Errc on_room_error(Room& room, wire::Error m);

    std::string agent_;
    Lifecycle lifecycle_{State::connecting};
    Connected connected_;
    bool one_flight_ = false;
    std::optional<LoginInput> login_;
    std::optional<wire::Token> token_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_session.ipp"
#endif

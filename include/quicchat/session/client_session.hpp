#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/session/client_membership.hpp"
#include "quicchat/session/client_messages.hpp"
#include "quicchat/session/client_output.hpp"
#include "quicchat/session/client_questions.hpp"
#include "quicchat/session/client_reading.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/client_status.hpp"
#include "quicchat/session/client_transfers.hpp"
#include "quicchat/session/client_typing.hpp"
#include "quicchat/session/outbox.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/frame.hpp"

namespace quicchat {

/// A SASL message of the server that the login policy must answer.
struct LoginInput {
    Buffer data;         ///< As it travels, for `ClientLogin::respond` or `finish`.
    bool final = false;  ///< The server says that the login is complete.
};

/// How a client's login begins.
struct SessionLogin {
    std::string mechanism;    ///< The name of SASL's mechanism, as in "SCRAM-SHA-256-PLUS".
    DeviceId device{};        ///< All zeros: this device has no id, and gets no token.
    Buffer data;              ///< The first message of the mechanism.
    bool one_flight = false;  ///< Nothing is asked back, so joins may follow at once.
};

/// A client's side of its conversations with a server, one connection after the other, without I/O:
/// frames in, frames and events out. What was asked and not answered, and the place in each room,
/// outlive a connection.
///
/// The session itself sees to the control stream: hello, login, and whose each frame is. All else
/// is done by its parts, each of which knows those above it only.
///
/// After any call: open a stream for each room that `poll_join` names, write what `poll_outgoing`
/// gives, and answer what `poll_login` gives. An Errc from `handle_frame` is the end of the
/// connection: close it with that.
class ClientSession {
public:
    /// `agent`: a JSON object that says which program this is (PROTOCOL.md §4).
    explicit ClientSession(const Limits& limits, std::string agent = "{}");
    ClientSession(const ClientSession&) = delete;  // its parts refer to each other
    ClientSession& operator=(const ClientSession&) = delete;

    /// The connection is up and its control stream is open. Says Hello and begins the login in one
    /// flight.
    void handle_connected(Connected connected, SessionLogin login);

    /// Applies one frame of the server. `Errc{}` if all is well.
    Errc handle_frame(StreamId stream, const FrameView& frame);

    /// Takes in a hint that may be lost. What is not one is ignored: it may be of a later version.
    void handle_datagram(BytesView bytes, TimePoint now) { typing_.handle_datagram(bytes, now); }

    /// The server finished or reset a stream.
    Errc handle_stream_end(StreamId stream, bool at_boundary);

    /// So much waits to be sent on a stream that no more should be written, or not any more.
    void handle_backlog(StreamId stream, bool full) { transfers_.handle_backlog(stream, full); }

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

    /// Hints of who is typing hold for a while only, and so does patience with a server: an Errc is
    /// the end of the connection. To be called at the end of each turn.
    Errc handle_timeout(TimePoint now);

    /// Something came from the server, or it took in something of what is under way to it.
    void handle_heard() { outbox_.answers().handle_heard(); }

    // Rooms: see ClientMembership, ClientMessages, ClientReading and ClientTyping.

    /// As the parts have them.
    /// @{
    Result<RequestId> join(std::string_view name, const Position& position) {
        return membership_.join(name, position);
    }
    Errc leave(std::string_view name) { return membership_.leave(name); }
    Result<RequestId> publish(std::string_view name, const MessageId& id, std::string text,
                              std::string attributes, Act act = {}) {
        return messages_.publish(name, id, std::move(text), std::move(attributes), std::move(act));
    }
    Result<RequestId> tell(std::string to, const MessageId& id, std::string text,
                           std::string attributes) {
        return messages_.tell(std::move(to), id, std::move(text), std::move(attributes));
    }
    Result<RequestId> create_room(std::string name, const MessageId& id, RoomAccess access,
                                  std::string topic) {
        return messages_.create_room(std::move(name), id, access, std::move(topic));
    }
    Errc mark_read(std::string_view name, Offset offset, bool shared) {
        return reading_.mark(name, offset, shared);
    }
    std::optional<Buffer> say_typing(std::string_view name, TimePoint now) {
        return typing_.say(name, now);
    }
    /// @}

    // For programs that keep unsent messages over their restarts.

    /// See ClientMessages.
    Result<RequestId> restore(UnsentMessage message) {
        return messages_.restore(std::move(message));
    }
    /// From now on `poll_outbox_change` says what has to be kept. Poll it after each turn.
    void report_outbox_changes() { outbox_.report_changes(); }
    /// The oldest change; nothing: there is none.
    std::optional<OutboxChange> poll_outbox_change() { return outbox_.poll_change(); }

    // Questions: see ClientQuestions.

    /// As ClientQuestions has them.
    /// @{
    Result<RequestId> request_rooms(std::string after) {
        return questions_.request_rooms(std::move(after));
    }
    Result<RequestId> set_display_name(std::string display) {
        return questions_.set_display_name(std::move(display));
    }
    Result<RequestId> request_history(std::string_view name, Offset offset, std::size_t before,
                                      std::size_t after) {
        return questions_.request_history(name, offset, before, after);
    }
    Result<RequestId> request_search(std::string_view name, std::string words, Offset before,
                                     std::size_t count) {
        return questions_.request_search(name, std::move(words), before, count);
    }
    Result<RequestId> request_members(std::string_view name, std::string after) {
        return questions_.request_members(name, std::move(after));
    }
    /// @}

    // Files: see ClientTransfers.

    /// As ClientTransfers has them.
    /// @{
    Result<RequestId> send_file(std::string_view room, const MessageId& id, FileToSend file) {
        return transfers_.send_file(room, id, std::move(file));
    }
    Errc give_file(RequestId request, std::uint64_t offset, BytesView bytes) {
        return transfers_.give_file(request, offset, bytes);
    }
    Result<RequestId> fetch_file(std::string_view room, Offset offset, std::uint64_t from = 0) {
        return transfers_.fetch_file(room, offset, from);
    }
    void cancel_file(RequestId request) { transfers_.cancel_file(request); }
    /// Asks for more of the files whose streams take more. To be called when what there was to
    /// write is written.
    void want_more() { transfers_.want_more(); }
    void hold_file_bytes() { transfers_.hold_bytes(); }
    void release_file_bytes(std::size_t bytes) { transfers_.release_bytes(bytes); }
    /// @}

    /// True for the streams on which files come: their sender gets credit for what the application
    /// has taken.
    bool is_download(StreamId stream) { return transfers_.is_download(stream); }
    /// Bytes of files that came in and were not taken by the application.
    std::size_t unread_file_bytes() const { return transfers_.unread_bytes(); }

    // What there is to do.

    /// The name of a room that waits for a stream of its own. Open one and call `join_on`.
    std::optional<std::string> poll_join() const;
    /// Only if `poll_join` gave that name.
    void join_on(StreamId stream, std::string_view name) { membership_.join_on(stream, name); }

    /// True if a page of history or a search waits for a stream of its own. Open one and call
    /// `request_page_on`.
    bool wants_page() const { return questions_.wants_page(); }
    /// Only if `wants_page`.
    void request_page_on(StreamId stream) { questions_.request_page_on(stream); }

    /// True if a transfer waits for a stream of its own. Open one and call `begin_transfer_on`.
    bool wants_transfer() const { return transfers_.wants_transfer(); }
    /// Only if `wants_transfer`.
    void begin_transfer_on(StreamId stream) { transfers_.begin_transfer_on(stream); }

    /// Answer it by `login_respond`, or `login_complete` if it is final.
    std::optional<LoginInput> poll_login();
    /// A token for the next login.
    std::optional<wire::Token> poll_token();

    /// The next bytes to write; nothing: there are none for now.
    std::optional<Outgoing> poll_outgoing() { return output_.poll_outgoing(); }
    /// A stream that nothing more is wanted of: reset it.
    std::optional<StreamId> poll_reset() { return transfers_.poll_reset(); }

    /// A message to one person counts as read when it is taken here.
    std::optional<ClientEvent> poll_event();
    /// Says what was read since the last call. To be called when there are no more events.
    void send_markers() { reading_.send_markers(); }

    /// When `handle_timeout` is to be called next; nothing: there is no such time.
    std::optional<TimePoint> next_deadline() const;
    /// Events that were not polled.
    std::size_t unread_events() const { return output_.unread_events(); }
    /// Requests that have no answer, files included.
    std::size_t unanswered_requests() const { return outbox_.size() + transfers_.size(); }
    /// `connecting` also while it waits to dial again; `closed` when there will be no connection.
    State state() const { return lifecycle_.state(); }

private:
    Errc handle_control(Message message);

    Errc on_welcome(wire::Welcome m);

    Errc on_login_done(wire::LoginDone m);

    Errc on_error(wire::Error m);

    Errc on_goaway(wire::Goaway m);

    Errc on_token(wire::Token m);

    Errc on_marker(wire::Marker m);

    /// What is said of a request that has no answer yet.
    std::optional<NoAnswerYet> describe(RequestId request) const;

    std::string agent_;
    std::size_t events_max_;
    Lifecycle lifecycle_{State::connecting};
    Connected connected_;
    bool one_flight_ = false;
    std::optional<LoginInput> login_;
    std::optional<wire::Token> token_;

    // What the parts share.
    ClientStatus status_;
    ClientOutput output_;
    Outbox outbox_;
    ClientRooms rooms_;

    // The parts.
    ClientTyping typing_;
    ClientReading reading_;
    ClientMessages messages_;
    ClientMembership membership_;
    ClientQuestions questions_;
    ClientTransfers transfers_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_session.ipp"
#endif

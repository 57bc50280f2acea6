#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/result.hpp"
#include "quicchat/session/client_pages.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/session/outbox.hpp"
#include "quicchat/session/read_markers.hpp"
#include "quicchat/session/told_messages.hpp"
#include "quicchat/session/typing.hpp"

namespace quicchat {

/// What an application asks of a server. It is taken at any time until the end, sent when that is
/// possible, and sent again on the next connection until it is answered.
class ClientRequests {
public:
    explicit ClientRequests(const Limits& limits);

    /// Joins a room. RoomJoined or Refused follows.
    Result<RequestId> join(std::string_view name, const Position& position);

    /// Leaves a room. RoomLeft follows.
    Errc leave(std::string_view name);

    /// Puts a message, or another act, into a room. Acked or Refused follows, with the returned
    /// number.
    Result<RequestId> publish(std::string_view name, const MessageId& id, std::string text,
                              std::string attributes, Act act = {});

    /// Sends a message to one person. Acked or Refused follows.
    Result<RequestId> tell(std::string to, const MessageId& id, std::string text,
                           std::string attributes);

    /// Makes a room. Acked or Refused follows.
    Result<RequestId> create_room(std::string name, const MessageId& id, RoomAccess access,
                                  std::string topic);

    /// Says that we have read a room up to `offset`; `shared`: its members may know. Has no answer,
    /// and goes only up. Of rooms that we are in, and of what people told us.
    Errc mark_read(std::string_view name, Offset offset, bool shared);

    /// The hint that we are typing in a room, for a datagram; nothing if it was said just now, or
    /// if it cannot be said.
    std::optional<Buffer> say_typing(std::string_view name, TimePoint now);

    /// Hints of who is typing hold for a while only.
    void handle_timeout(TimePoint now);
    std::optional<TimePoint> next_deadline() const { return typing_.next_deadline(); }

    // For programs that keep unsent messages over their restarts.

    /// Takes in a message that an earlier run of the program did not get an answer to. It is sent
    /// as soon as its room is joined; Acked or Refused follows.
    Result<RequestId> restore(UnsentMessage message);

    /// From now on `poll_outbox_change` says what has to be kept. Poll it after each turn.
    void report_outbox_changes() { outbox_.report_changes(); }
    std::optional<OutboxChange> poll_outbox_change() { return outbox_.poll_change(); }

    /// Joins a room, or goes on in it, on a stream that was opened for it.
    void join_on(StreamId stream, std::string_view name);

    /// A message to one person counts as read when it is taken here.
    std::optional<ClientEvent> poll_event();

    /// Says what was read since the last call. To be called when there are no more events.
    void send_markers();

    std::optional<Outgoing> poll_outgoing();
    std::size_t unread_events() const { return events_.size(); }
    std::size_t unanswered_requests() const { return outbox_.size(); }

protected:
    using Kind = Outbox::Kind;
    using Room = ClientRoom;
    using Stage = ClientRoom::Stage;

    template <class M>
    void send(StreamId stream, const M& message);
    void send_end(StreamId stream);

    /// Sends a message that is not on its way yet, if its stream is there.
    void send_message(RequestId number, Outbox::Request& request);

    Result<RequestId> ask(Outbox::Request request);

    Room* find_wanted(std::string_view name);

    Errc check(const Act& act, std::string_view text, std::string_view attributes) const;

    void report_typing();

    static bool has_own_stream(const Outbox::Request& request);

    /// We are out of a room, and what was asked in it will have no answer.
    void end_room(const Room& room);

    template <class Predicate>
    void refuse_if(Predicate wanted, Errc errc, std::string_view text);

    /// The session is logged in: sends what waited for that.
    void begin_sending();

    /// The connection is gone: what is here waits for the next one.
    void stop_sending();

    bool ready_ = false;  ///< Messages may be sent.
    bool over_ = false;   ///< Nothing more is taken.
    std::string user_;    ///< Our own name, once the server has said it.
    std::size_t page_records_max_;
    ServerLimits server_limits_;
    Outbox outbox_;
    ClientPages pages_;
    TypingPeople typing_;
    ReadMarkers read_;
    ToldMessages told_;
    ClientRooms rooms_;
    std::deque<ClientEvent> events_;
    std::deque<Outgoing> outgoing_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_requests.ipp"
#endif

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/result.hpp"
#include "quicchat/session/client_messages.hpp"
#include "quicchat/session/client_output.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/client_status.hpp"
#include "quicchat/session/client_typing.hpp"
#include "quicchat/session/outbox.hpp"

namespace quicchat {

/// The rooms that an application is in: joins them, again on every connection, and takes in what
/// comes on their streams.
class ClientMembership {
public:
    /// What it is given outlives it, as with all parts of a session.
    ClientMembership(const ClientStatus& status, ClientRooms& rooms, Outbox& outbox,
                     ClientMessages& messages, ClientTyping& typing, ClientOutput& output);

    /// Joins a room. RoomJoined or Refused follows.
    Result<RequestId> join(std::string_view name, const Position& position);

    /// Leaves a room. RoomLeft follows.
    Errc leave(std::string_view name);

    /// Joins a room, or goes on in it, on a stream that was opened for it.
    void join_on(StreamId stream, std::string_view name);

    /// Takes in a frame of the stream of a room. `unexpected_frame` if it is none of a room's.
    Errc handle_frame(StreamId stream, FrameType type, Message message);

    /// The server says nothing more on the stream of a room, or of nothing any more.
    Errc handle_stream_end(StreamId stream, bool at_boundary);

    /// The connection is gone: rooms wait for the next one, but for those that we left.
    void handle_disconnected();

private:
    using Stage = ClientRoom::Stage;

    Errc on_joined(ClientRoom& room, const wire::Joined& m);

    Errc on_event(ClientRoom& room, wire::Event m);

    Errc on_gap(ClientRoom& room, const wire::Gap& m);

    Errc on_members(const ClientRoom& room, wire::Members m);

    Errc on_presence(const ClientRoom& room, wire::Presence m);

    /// An error about a request refuses it; one about none is why the server ends our membership.
    Errc on_error(ClientRoom& room, wire::Error m);

    /// We are out of a room, and what was asked in it will have no answer.
    void end_room(const ClientRoom& room);

    const ClientStatus* status_;
    ClientRooms* rooms_;
    Outbox* outbox_;
    ClientMessages* messages_;
    ClientTyping* typing_;
    ClientOutput* output_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_membership.ipp"
#endif

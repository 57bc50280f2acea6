#pragma once

// How a Server takes other settings. Included by server.hpp.

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/server.hpp"

namespace quicchat {

/// Takes the rooms, operators, `anybody_makes_rooms` and limits of another configuration, while
/// people are connected: nobody is cut. Then call `process`.
///
///  - At once: who may make rooms, who is an operator, new rooms of the list, and limits, but for
///    those below. Whoever uses more than a lower limit allows keeps it and gets no more: people
///    stay in a room that is too full now.
///  - For new connections: `login_timeout`, `connections_max`, and what a client is told when it
///    logs in: the sizes of messages and attributes, and how many rooms it may be in. The frames of
///    the connection itself are the transport's: give it the limits as well
///    (`quic::Endpoint::set_limits`).
///  - For rooms that are opened from now on: how much a log keeps, `room_recent_frames_max`.
///  - Not at all: `agent`, and `stream_backlog_bytes_max`, by which the transport says Writable. A
///    room that is not listed any more stays.
///
/// Whoever is in a room that only an operator may read, and is none any more, is taken out of it
/// (`removed`). Clients learn of other roles with the next list of members.
///
/// `invalid_name`: a room's name; `too_many_rooms`: with those that are there, more than
/// `Limits::rooms_max`. Nothing changes then. `storage_failed`: the log cannot be read, and the
/// server ends.
template <Transport T, RoomLog Log, Authenticator A, FileStore Files>
Errc Server<T, Log, A, Files>::reload(const ServerConfig& next, Now now) {
    RoomStore<Log>& room_store = hub_.room_store();
    if (const Errc errc = room_store.check(next); errc != Errc{}) return errc;
    const std::size_t backlog_max = config_.limits.stream_backlog_bytes_max;
    config_.rooms = next.rooms;
    config_.operators = next.operators;
    config_.anybody_makes_rooms = next.anybody_makes_rooms;
    config_.limits = next.limits;  // in place: everybody refers to them
    config_.limits.stream_backlog_bytes_max = backlog_max;
    logins_.set_timeout(config_.limits.login_timeout);
    rates_.handle_changed_limits(now.steady);
    peers_.handle_changed_limits(now.steady);

    for (const std::string& name : config_.rooms) {
        if (const Errc errc = hub_.add_room(name); errc != Errc{}) {
            return fail(errc, "cannot open the room '" + name + "'"), errc;
        }
    }
    room_store.directory().set_operators(config_.operators);
    for (auto& [key, room] : room_store.directory().rooms()) {
        const std::vector<Member*> members = room.members();
        for (Member* member : members) {
            if (room_store.directory().may(room, member->user, Action::read, now.wall)) continue;
            const auto [connection, stream] = std::pair{member->connection, member->stream};
            std::deque<Bytes> frames = std::move(member->replies);
            frames.push_back(encode_ending(Errc::removed, "no longer an operator"));
            hub_.leave(*member);
            peers_.end_stream(connection, stream, std::move(frames));
        }
    }
    return Errc{};
}

}  // namespace quicchat

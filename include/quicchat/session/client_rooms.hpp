#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/session/client_room.hpp"

namespace quicchat {

/// The rooms of a client, by name and by the stream that each has on this connection.
class ClientRooms {
public:
    /// Whether the application joined it and did not leave it, in whatever spelling.
    bool contains(std::string_view name) const { return rooms_.count(canonical_name(name)) != 0; }

    /// nullptr if there is no such room. Its address stays the same until `erase`.
    /// @{
    ClientRoom* find(std::string_view name);

    const ClientRoom* find(std::string_view name) const;
    /// @}

    /// The same, if a request about the room makes sense.
    ClientRoom* find_wanted(std::string_view name);
    /// The same, to look at only.
    const ClientRoom* find_wanted(std::string_view name) const;

    /// That which has the stream now, or nullptr.
    ClientRoom* find(StreamId stream);

    /// There must be none of that name yet. It waits for a stream.
    void add(std::string_view name, const Position& begin);

    /// Gives a room its stream.
    void begin_join(ClientRoom& room, StreamId stream, RequestId request);

    /// With its stream. `room` may be the one in here.
    void erase(const ClientRoom& room);

    /// A room that waits for a stream, or nullptr.
    const ClientRoom* next_waiting() const;

    /// The connection is lost: rooms wait for the next one. Returns those that do not.
    std::vector<ClientRoom> handle_disconnected();

    /// Rooms, whether they are joined or not.
    std::size_t size() const { return rooms_.size(); }
    /// Those that have a stream.
    std::size_t stream_count() const { return streams_.size(); }

private:
    std::map<std::string, ClientRoom> rooms_;  ///< By canonical name. Their addresses are stable.
    std::map<StreamId, ClientRoom*> streams_;
    mutable bool may_wait_ = false;  ///< A room waits for a stream, or did when it was last asked.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_rooms.ipp"
#endif

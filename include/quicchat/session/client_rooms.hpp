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
    bool contains(std::string_view name) const { return rooms_.count(canonical_name(name)) != 0; }

    ClientRoom* find(std::string_view name);

    const ClientRoom* find(std::string_view name) const;

    /// The same, if a request about the room makes sense.
    ClientRoom* find_wanted(std::string_view name);
    const ClientRoom* find_wanted(std::string_view name) const;

    ClientRoom* find(StreamId stream);

    void add(std::string_view name, const Position& begin);

    /// Gives a room its stream.
    void begin_join(ClientRoom& room, StreamId stream, RequestId request);

    void erase(const ClientRoom& room);

    /// A room that waits for a stream, or nullptr.
    const ClientRoom* next_waiting() const;

    /// The connection is lost: rooms wait for the next one. Returns those that do not.
    std::vector<ClientRoom> handle_disconnected();

    std::size_t size() const { return rooms_.size(); }
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

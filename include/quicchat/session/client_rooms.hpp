#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/session/client_room.hpp"

namespace quicchat {

/// The rooms of a client, by name and by the stream that each has on this connection.
class ClientRooms {
public:
    bool contains(std::string_view name) const { return rooms_.count(canonical_name(name)) != 0; }

    ClientRoom* find(std::string_view name) {
        const auto found = rooms_.find(canonical_name(name));
        return found == rooms_.end() ? nullptr : &found->second;
    }

    ClientRoom* find(StreamId stream) {
        const auto found = streams_.find(stream);
        return found == streams_.end() ? nullptr : found->second;
    }

    void add(std::string_view name, const Position& begin) {
        ClientRoom room{.name = std::string{name}, .begin = begin};
        room.known = begin.kind == Position::Kind::after;
        room.epoch = begin.epoch;
        room.next = begin.offset + 1;
        rooms_.emplace(canonical_name(name), std::move(room));
    }

    /// Gives a room its stream.
    void begin_join(ClientRoom& room, StreamId stream, RequestId request) {
        room.stream = stream;
        room.join_request = request;
        room.stage = ClientRoom::Stage::joining;
        streams_.emplace(stream, &room);
    }

    void erase(const ClientRoom& room) {
        if (room.stream) streams_.erase(*room.stream);
        rooms_.erase(canonical_name(room.name));
    }

    /// A room that waits for a stream, or nullptr.
    const ClientRoom* next_waiting() const {
        for (const auto& [key, room] : rooms_) {
            if (room.stage == ClientRoom::Stage::waiting) return &room;
        }
        return nullptr;
    }

    /// The connection is lost: rooms wait for the next one. Returns those that do not.
    std::vector<ClientRoom> handle_disconnected() {
        std::vector<ClientRoom> left;
        streams_.clear();
        for (auto place = rooms_.begin(); place != rooms_.end();) {
            ClientRoom& room = place->second;
            if (room.is_wanted()) {
                room.stream.reset();
                room.stage = ClientRoom::Stage::waiting;
                room.end = Errc::closed;  // what the server said of its end holds no more
                room.end_text.clear();
                ++place;
            } else {
                left.push_back(std::move(room));
                place = rooms_.erase(place);
            }
        }
        return left;
    }

    std::size_t size() const { return rooms_.size(); }
    std::size_t stream_count() const { return streams_.size(); }

private:
    std::map<std::string, ClientRoom> rooms_;  ///< By canonical name. Their addresses are stable.
    std::map<StreamId, ClientRoom*> streams_;
};

}  // namespace quicchat

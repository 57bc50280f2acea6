#pragma once

#include "quicchat/session/client_rooms.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL ClientRoom* ClientRooms::find(std::string_view name) {
    const auto found = rooms_.find(canonical_name(name));
    return found == rooms_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL const ClientRoom* ClientRooms::find(std::string_view name) const {
    const auto found = rooms_.find(canonical_name(name));
    return found == rooms_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL ClientRoom* ClientRooms::find_wanted(std::string_view name) {
    ClientRoom* room = find(name);
    return room != nullptr && room->is_wanted() ? room : nullptr;
}

QUICCHAT_DECL const ClientRoom* ClientRooms::find_wanted(std::string_view name) const {
    const ClientRoom* room = find(name);
    return room != nullptr && room->is_wanted() ? room : nullptr;
}

QUICCHAT_DECL ClientRoom* ClientRooms::find(StreamId stream) {
    const auto found = streams_.find(stream);
    return found == streams_.end() ? nullptr : found->second;
}

QUICCHAT_DECL void ClientRooms::add(std::string_view name, const Position& begin) {
    ClientRoom room{.name = std::string{name}, .begin = begin};
    room.known = begin.kind == Position::Kind::after;
    room.epoch = begin.epoch;
    room.next = begin.offset + 1;
    rooms_.emplace(canonical_name(name), std::move(room));
    may_wait_ = true;
}

QUICCHAT_DECL void ClientRooms::begin_join(ClientRoom& room, StreamId stream, RequestId request) {
    room.stream = stream;
    room.join_request = request;
    room.stage = ClientRoom::Stage::joining;
    streams_.emplace(stream, &room);
}

QUICCHAT_DECL void ClientRooms::erase(const ClientRoom& room) {
    if (room.stream) streams_.erase(*room.stream);
    rooms_.erase(canonical_name(room.name));
}

QUICCHAT_DECL const ClientRoom* ClientRooms::next_waiting() const {
    if (!may_wait_) return nullptr;  // it is asked at every turn, and there may be many rooms
    for (const auto& [key, room] : rooms_) {
        if (room.stage == ClientRoom::Stage::waiting) return &room;
    }
    may_wait_ = false;
    return nullptr;
}

QUICCHAT_DECL std::vector<ClientRoom> ClientRooms::handle_disconnected() {
    std::vector<ClientRoom> left;
    streams_.clear();
    may_wait_ = true;
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

}  // namespace quicchat

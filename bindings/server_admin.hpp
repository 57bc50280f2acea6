#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/log/room_log.hpp"
#include "quicchat/server/rooms/room_admin.hpp"
#include "quicchat/session/event.hpp"
#include "server_reload.hpp"

// What Python does with the rooms of a server that runs. All of it waits for the engine, and throws
// CoreFailure.

namespace quicchat::python {

std::vector<RoomReport> list_rooms(const RunningServer& server);

/// The epoch of a room, and at most `count_max` of its records above an offset.
std::pair<Epoch, std::vector<RoomRecord>> read_room(const RunningServer& server,
                                                    const std::string& room, Offset after,
                                                    std::size_t count_max);

void remove_room(const RunningServer& server, const std::string& room);

/// Returns when it is on its way to the log.
void act_in_room(const RunningServer& server, const std::string& room, const Record& record);

/// What it may not keep goes by the next turns of the server.
void keep(const RunningServer& server, const std::string& room, const RetentionChange& change);

}  // namespace quicchat::python

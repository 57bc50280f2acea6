#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "quicchat/server/rooms/private_rooms.hpp"
#include "quicchat/session/event.hpp"
#include "sim/chaos_disk.hpp"
#include "sim/chaos_model.hpp"

namespace quicchat::test {

/// What one device has published and seen, over all its connections and all runs of its program.
struct Witness {
    struct Message {
        std::string room;  ///< The key of its log.
        std::string text;
        MessageId id;
        Act act{};
        std::string to{};       ///< Of a message to one person.
        bool was_gone = false;  ///< A file that had gone with its record when it was sent again.
        TimePoint since{};      ///< When it was sent for the first time.
    };
    /// A message as this device shows it.
    struct Shown {
        std::string text;
        Offset changed_by = 0;
        bool deleted = false;
    };
    /// A room as this device shows it.
    struct View {
        std::map<Offset, Shown> messages;
        std::optional<std::string> topic;  ///< Nothing: it may be in a gap.
        std::optional<Role> role{};        ///< The same.
        Offset marker = 0;
    };
    /// A file that is fetched, perhaps by several runs of the program.
    struct Fetch {
        std::string room;  ///< As the user calls it.
        std::string key;   ///< Of its log.
        Offset offset = 0;
        Epoch epoch{};  ///< Of the log, when it was asked for the last time.
        Offset head = 0;
        bool was_there = false;  ///< By then.
        bool must_come = false;  ///< Nothing else is under way.
        std::string digest{};    ///< Once something came.
        Epoch begun_epoch{};
        Buffer bytes{};
    };
    std::string user;
    DeviceId device;
    std::set<RequestId> joins;               ///< Of this run of the program, without an answer.
    std::vector<Message> sent;               ///< In the order of publishing.
    std::map<RequestId, std::size_t> asked;  ///< Of this run of the program: index into `sent`.
    std::set<RequestId> cancelled;           ///< Files that it does not want to send any more.
    /// Where in each log of each room: by index into `sent`.
    std::map<std::pair<std::string, Epoch>, std::map<std::size_t, Offset>> acked;
    std::map<std::string, std::pair<Epoch, Offset>> places;  ///< Next offset in each room.
    std::map<std::string, View> views;
    std::map<std::string, std::pair<Epoch, Offset>>
        told;  ///< The newest of each pair's in this run.
    std::set<std::tuple<std::string, Epoch, Offset>> ever_told;
    std::map<std::string, RoomSummary> listed;
    std::map<std::string, HistoryPage> pages;
    std::map<RequestId, Fetch> fetches;  ///< Of this run of the program, without an end.
    bool offline = false;
};

/// Everybody was told what others wrote to him, on one device at least.
inline void require_all_told(const Disk& disk, const std::vector<const Witness*>& all) {
    const auto is_told = [&](const std::string& user, const std::string& key, Epoch epoch,
                             Offset offset) {
        return std::ranges::any_of(all, [&](const Witness* w) {
            return w->user == user && w->ever_told.count({key, epoch, offset}) != 0;
        });
    };
    for (const auto& [key, room] : disk.rooms) {
        if (!PrivateRooms::is_key(key)) continue;
        const auto [one, other] = PrivateRooms::people_of(key);
        for (Offset offset = room.first; offset <= room.head(); ++offset) {
            require(
                is_told(one, key, room.epoch, offset) && is_told(other, key, room.epoch, offset),
                "somebody was never told what was written to him");
        }
    }
}

}  // namespace quicchat::test

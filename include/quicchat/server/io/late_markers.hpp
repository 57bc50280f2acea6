#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// How far people have read where that came faster than it may (PROTOCOL.md §6.14): the newest
/// marker of each room, until its time has come. A marker has no answer that could refuse it.
class LateMarkers {
public:
    /// Keeps a marker until `due`, instead of an older one of that connection about that room.
    void keep(ConnectionId connection, wire::MarkRead marker, TimePoint due);

    /// The connection is gone, and its markers.
    void forget(ConnectionId connection);

    /// A marker whose time has come. Put it back by `keep` if it is too early all the same.
    std::optional<std::pair<ConnectionId, wire::MarkRead>> take_due(TimePoint now);

    /// Hands `take` what is due. It says how long that must wait all the same; zero: it took it.
    template <class Take>
    void apply(TimePoint now, const Take& take) {
        while (auto late = take_due(now)) {
            auto& [connection, marker] = *late;
            const Duration wait = take(connection, marker);
            if (wait > Duration{}) keep(connection, std::move(marker), now + wait);
        }
    }

    /// When `take_due` has something; nothing: none is late.
    std::optional<TimePoint> next_deadline() const;

private:
    /// A client that reads more rooms than that says the rest when it is back.
    static constexpr std::size_t rooms_max = 128;

    std::map<ConnectionId, std::map<std::string, wire::MarkRead>> markers_;
    DeadlineQueue<ConnectionId> due_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/io/impl/late_markers.ipp"
#endif

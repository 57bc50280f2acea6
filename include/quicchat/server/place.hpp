#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "quicchat/base/ids.hpp"

namespace quicchat {

/// One stream of one connection.
using Place = std::pair<ConnectionId, StreamId>;

/// How many streams of a connection have something.
template <class T>
std::size_t count_of(const std::map<Place, T>& places, ConnectionId connection) {
    std::size_t count = 0;
    auto own = places.lower_bound({connection, StreamId{}});
    for (; own != places.end() && own->first.first == connection; ++own) ++count;
    return count;
}

/// For a server without a budget: everybody may.
struct Always {
    /// Whoever asks.
    bool operator()(const auto&...) const { return true; }
};

}  // namespace quicchat

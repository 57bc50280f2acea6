#pragma once

#include <deque>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"

// What the hub and the server around it say to each other.

namespace quicchat {

/// Who asks: a connection that is logged in.
struct HubAsker {
    ConnectionId connection{};
    std::string_view user;
    DeviceId device{};
};

/// A membership that the hub has ended: the last frames for its stream.
struct HubEnding {
    ConnectionId connection{};
    StreamId stream{};
    std::deque<Bytes> frames{};
};

}  // namespace quicchat

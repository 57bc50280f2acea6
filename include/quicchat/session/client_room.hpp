#pragma once

#include <cstdint>
#include <string>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// A room as a client sees it: how far it is with joining, and which record must come next. What
/// the server says about the room's log is checked here.
struct ClientRoom {
    enum class Stage : std::uint8_t { joining, joined, refused, leaving };

    std::string name;
    StreamId stream{};
    RequestId join_request = 0;
    Stage stage = Stage::joining;
    Epoch epoch{};
    Offset next = 0;  ///< The offset that the next Event must have.
    Errc end = Errc::closed;
    std::string end_text{};

    Errc handle_joined(const wire::Joined& m) {
        if (stage != Stage::joining || m.request != join_request) return Errc::unexpected_frame;
        const bool asked_for = canonical_name(m.room) == canonical_name(name);
        if (!asked_for || m.next == 0 || m.next > m.head + 1) return Errc::malformed_frame;
        stage = Stage::joined;
        name = m.room;
        epoch = m.epoch;
        next = m.next;
        return Errc{};
    }

    /// PROTOCOL.md §6.1: the next offset, always. A server that repeats or skips a record is cut
    /// off rather than believed.
    Errc handle_event(Offset offset) {
        if (stage != Stage::joined || offset != next) return Errc::unexpected_frame;
        next = offset + 1;
        return Errc{};
    }

    Errc handle_gap(const wire::Gap& m) {
        if (stage != Stage::joined || m.first != next || m.last < m.first) {
            return Errc::unexpected_frame;
        }
        next = m.last + 1;
        return Errc{};
    }
};

}  // namespace quicchat

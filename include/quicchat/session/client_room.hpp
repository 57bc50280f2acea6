#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// A room as a client sees it over all its connections: how far it is with joining, and which
/// record must come next. What the server says about the room's log is checked here.
struct ClientRoom {
    enum class Stage : std::uint8_t { waiting, joining, joined, refused, leaving };

    std::string name;
    Position begin;                    ///< Where the application wants to begin.
    std::optional<StreamId> stream{};  ///< Of this connection.
    RequestId join_request = 0;        ///< Of this connection.
    Stage stage = Stage::waiting;      ///< `waiting`: for a connection.
    bool known = false;                ///< `epoch` and `next` say where we are.
    Epoch epoch{};
    Offset next = 0;  ///< The offset that the next Event must have.
    Errc end = Errc::closed;
    std::string end_text{};

    /// What to ask for in the next Join.
    Position position() const { return known ? Position::after(epoch, next - 1) : begin; }

    /// A request about the room makes sense: it is joined, or will be.
    bool is_wanted() const {
        return stage == Stage::waiting || stage == Stage::joining || stage == Stage::joined;
    }

    /// What of the records after `position()` cannot be had is in `gap` afterwards.
    Errc handle_joined(const wire::Joined& m, std::optional<RoomGap>& gap) {
        if (stage != Stage::joining || m.request != join_request) return Errc::unexpected_frame;
        const bool asked_for = canonical_name(m.room) == canonical_name(name);
        if (!asked_for || m.next == 0 || m.next > m.head + 1) return Errc::malformed_frame;

        const Position asked = position();
        const bool recovering = asked.kind == Position::Kind::after;
        const bool in_place = m.epoch == asked.epoch && m.next == asked.offset + 1;
        if (m.recovered && !(recovering && in_place)) return Errc::unexpected_frame;
        // PROTOCOL.md §6.2: nothing is handed over in part, so nothing comes a second time.
        if (recovering && !m.recovered && m.next != m.head + 1) return Errc::unexpected_frame;
        stage = Stage::joined;
        name = m.room;
        if (recovering && !m.recovered) gap = describe_gap(asked, m);
        known = true;
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

    /// PROTOCOL.md §6.7: everything up to the head came before this, or is lost.
    Errc handle_heartbeat(const wire::Heartbeat& m) const {
        if (stage != Stage::joined || m.head + 1 < next) return Errc::unexpected_frame;
        return m.head + 1 == next ? Errc{} : Errc::events_missing;
    }

private:
    RoomGap describe_gap(const Position& asked, const wire::Joined& m) const {
        RoomGap gap{.room = name, .epoch = m.epoch, .first = asked.offset + 1, .last = m.next - 1};
        if (m.epoch != asked.epoch) {
            gap.cause = RoomGap::Cause::new_epoch;
            gap.first = 1;
        } else if (asked.offset > m.head) {
            gap.cause = RoomGap::Cause::rolled_back;
            gap.first = m.head + 1;
            gap.last = asked.offset;
        }
        return gap;
    }
};

}  // namespace quicchat

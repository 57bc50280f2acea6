#pragma once

#include "quicchat/session/client_room.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_DECL bool ClientRoom::is_wanted() const {
    return stage == Stage::waiting || stage == Stage::joining || stage == Stage::joined;
}

QUICCHAT_DECL Errc ClientRoom::handle_joined(const wire::Joined& m, std::optional<RoomGap>& gap) {
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

QUICCHAT_DECL Errc ClientRoom::handle_event(Offset offset) {
    if (stage != Stage::joined || offset != next) return Errc::unexpected_frame;
    next = offset + 1;
    return Errc{};
}

QUICCHAT_DECL Errc ClientRoom::handle_gap(const wire::Gap& m) {
    if (stage != Stage::joined || m.first != next || m.last < m.first) {
        return Errc::unexpected_frame;
    }
    next = m.last + 1;
    return Errc{};
}

QUICCHAT_DECL Errc ClientRoom::handle_heartbeat(const wire::Heartbeat& m) const {
    if (stage != Stage::joined || m.head + 1 < next) return Errc::unexpected_frame;
    return m.head + 1 == next ? Errc{} : Errc::events_missing;
}

QUICCHAT_DECL RoomGap ClientRoom::describe_gap(const Position& asked, const wire::Joined& m) const {
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

}  // namespace quicchat

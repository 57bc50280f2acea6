#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// A room as a client sees it over all its connections: how far it is with joining, and which
/// record must come next. What the server says about the room's log is checked here.
struct ClientRoom {
    /// `refused`: by the server; `leaving`: by us, which the server has not confirmed.
    enum class Stage : std::uint8_t { waiting, joining, joined, refused, leaving };

    std::string name;  ///< As the application spells it, and once joined as the server does.
    Position begin;    ///< Where the application wants to begin.
    std::optional<StreamId> stream{};  ///< Of this connection.
    RequestId join_request = 0;        ///< Of this connection.
    Stage stage = Stage::waiting;      ///< `waiting`: for a connection.
    bool known = false;                ///< `epoch` and `next` say where we are.
    Epoch epoch{};    ///< Of the log that was read last; means something if `known`.
    Offset next = 0;  ///< The offset that the next Event must have.
    /// Why the server ended our membership, if it did so.
    /// @{
    Errc end = Errc::closed;
    std::string end_text{};
    /// @}

    /// What to ask for in the next Join.
    Position position() const { return known ? Position::after(epoch, next - 1) : begin; }

    /// A request about the room makes sense: it is joined, or will be.
    bool is_wanted() const;

    /// What of the records after `position()` cannot be had is in `gap` afterwards.
    Errc handle_joined(const wire::Joined& m, std::optional<RoomGap>& gap);

    /// PROTOCOL.md §6.1: the next offset, always. A server that repeats or skips a record is cut
    /// off rather than believed.
    Errc handle_event(Offset offset);

    /// Records that the server cannot give: `next` is behind them then.
    Errc handle_gap(const wire::Gap& m);

    /// PROTOCOL.md §6.7: everything up to the head came before this, or is lost.
    Errc handle_heartbeat(const wire::Heartbeat& m) const;

private:
    RoomGap describe_gap(const Position& asked, const wire::Joined& m) const;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_room.ipp"
#endif

#pragma once

#include <string_view>

#include "quicchat/base/ids.hpp"
#include "quicchat/session/client_output.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/client_status.hpp"
#include "quicchat/session/read_markers.hpp"
#include "quicchat/session/told_messages.hpp"

namespace quicchat {

/// How far our account has read, in rooms and of what people tell us, and what of that the server
/// has yet to be told. It has no answer, so the newest is said again on every connection.
class ClientReading {
public:
    /// What it is given outlives it.
    ClientReading(const ClientStatus& status, const ClientRooms& rooms, ClientOutput& output);

    /// Says that we have read a room up to `offset`; `shared`: its members may know. Goes only up.
    /// Of rooms that we are in, and of what people told us.
    Errc mark(std::string_view name, Offset offset, bool shared);

    /// Somebody tells us something, perhaps once more.
    Errc handle_told(wire::Told m);

    /// The application has that: a message to one person counts as read then.
    void handle_taken(const ClientEvent& event);

    /// The session is logged in: everything has to be said again.
    void begin_again();

    /// Says what was read since the last call. To be called when there are no more events.
    void send_markers();

private:
    const ClientStatus* status_;
    const ClientRooms* rooms_;
    ClientOutput* output_;
    ReadMarkers markers_;
    ToldMessages told_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_reading.ipp"
#endif

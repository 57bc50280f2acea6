#pragma once

#include "quicchat/session/client_reading.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/session/client_pages.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

QUICCHAT_DECL ClientReading::ClientReading(const ClientStatus& status, const ClientRooms& rooms,
                                           ClientOutput& output)
    : status_(&status), rooms_(&rooms), output_(&output) {}

QUICCHAT_DECL Errc ClientReading::mark(std::string_view name, Offset offset, bool shared) {
    if (status_->over) return Errc::not_ready;
    if (!is_room_name(name) && !is_private_name(name)) return Errc::invalid_name;
    if (offset > varint_max) return Errc::invalid_request;
    const ClientRoom* room = rooms_->find(name);
    std::optional<Epoch> epoch;
    if (room != nullptr && room->known) epoch = room->epoch;
    if (!epoch && is_private_name(name)) epoch = told_.epoch(name.substr(1));
    if (!epoch) return Errc::not_in_room;
    markers_.note({std::string{name}, *epoch, offset, shared});
    send_markers();
    return Errc{};
}

QUICCHAT_DECL Errc ClientReading::handle_told(wire::Told m) {
    if (is_bad(m)) return Errc::malformed_frame;
    const std::string& peer = is_same_name(m.from, status_->user) ? m.to : m.from;
    if (!told_.is_news(peer, m.epoch, m.offset)) return Errc{};
    output_->report(PrivateMessage{m.epoch, m.offset, m.time, m.id, std::move(m.from),
                                   std::move(m.to), std::move(m.text), std::move(m.attributes),
                                   m.act.target, to_file(m.act)});
    return Errc{};
}

QUICCHAT_DECL void ClientReading::handle_taken(const ClientEvent& event) {
    const auto* told = std::get_if<PrivateMessage>(&event);
    if (told == nullptr || status_->over) return;
    const std::string& peer = is_same_name(told->from, status_->user) ? told->to : told->from;
    markers_.note({"@" + peer, told->epoch, told->offset, false});
}

QUICCHAT_DECL void ClientReading::begin_again() {
    markers_.begin_again();
    send_markers();
}

QUICCHAT_DECL void ClientReading::send_markers() {
    if (!status_->ready) return;
    while (std::optional<ReadMarker> marker = markers_.poll()) {
        output_->send(control_stream, wire::MarkRead{std::move(marker->room), marker->epoch,
                                                     marker->offset, marker->shared});
    }
}

}  // namespace quicchat

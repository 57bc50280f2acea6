#pragma once

#include "quicchat/session/client_typing.hpp"

#include <cstdint>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL ClientTyping::ClientTyping(const Limits& limits, const ClientStatus& status,
                                         ClientRooms& rooms, ClientOutput& output)
    : status_(&status), rooms_(&rooms), output_(&output), people_(limits) {}

QUICCHAT_DECL std::optional<Buffer> ClientTyping::say(std::string_view name, TimePoint now) {
    const ClientRoom* room = status_->ready ? rooms_->find_wanted(name) : nullptr;
    if (room == nullptr || room->stage != ClientRoom::Stage::joined) return std::nullopt;
    if (!people_.may_say(room->name, now)) return std::nullopt;
    return encode(wire::Typing{static_cast<std::uint64_t>(*room->stream), ""});
}

QUICCHAT_DECL void ClientTyping::handle_datagram(BytesView bytes, TimePoint now) {
    const std::optional<wire::Typing> hint = decode_datagram(bytes);
    if (!hint || !status_->ready || !is_user_name(hint->user)) return;
    const ClientRoom* room = rooms_->find(StreamId{hint->stream});
    if (room == nullptr || room->stage != ClientRoom::Stage::joined) return;
    people_.handle_typing(room->name, hint->user, now);
    report();
}

QUICCHAT_DECL void ClientTyping::handle_done(const std::string& room, const std::string& user) {
    people_.handle_done(room, user);
    report();
}

QUICCHAT_DECL void ClientTyping::handle_timeout(TimePoint now) {
    people_.handle_timeout(now);
    report();
}

QUICCHAT_DECL void ClientTyping::handle_disconnected() {
    people_.clear();
    report();
}

QUICCHAT_DECL void ClientTyping::report() {
    while (std::optional<TypingChanged> event = people_.poll_event()) {
        output_->report(*std::move(event));
    }
}

}  // namespace quicchat

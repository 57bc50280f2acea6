#pragma once

#include "quicchat/session/client_messages.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/state.hpp"

namespace quicchat {

QUICCHAT_DECL ClientMessages::ClientMessages(const ClientStatus& status, const ClientRooms& rooms,
                                             Outbox& outbox, ClientOutput& output)
    : status_(&status), rooms_(&rooms), outbox_(&outbox), output_(&output) {}

QUICCHAT_DECL Result<RequestId> ClientMessages::publish(std::string_view name, const MessageId& id,
                                                        std::string text, std::string attributes,
                                                        Act act) {
    const Errc errc = status_->check(act, text, attributes);
    if (errc != Errc{}) return errc;
    const ClientRoom* room = rooms_->find_wanted(name);
    if (room == nullptr) return Errc::not_in_room;
    return ask({.kind = Outbox::Kind::message,
                .room = room->name,
                .id = id,
                .text = std::move(text),
                .attributes = std::move(attributes),
                .act = std::move(act)});
}

QUICCHAT_DECL Result<RequestId> ClientMessages::tell(std::string to, const MessageId& id,
                                                     std::string text, std::string attributes) {
    const Errc errc = status_->check({}, text, attributes);
    if (errc != Errc{}) return errc;
    if (!is_user_name(to)) return Errc::invalid_name;
    return ask({.kind = Outbox::Kind::message,
                .id = id,
                .to = std::move(to),
                .text = std::move(text),
                .attributes = std::move(attributes)});
}

QUICCHAT_DECL Result<RequestId> ClientMessages::create_room(std::string name, const MessageId& id,
                                                            RoomAccess access, std::string topic) {
    if (status_->over) return Errc::not_ready;
    if (!is_room_name(name)) return Errc::invalid_name;
    if (access == RoomAccess::archived) return Errc::invalid_request;
    if (topic.size() > topic_bytes_max) return Errc::message_too_long;
    if (!is_clean_text(topic)) return Errc::invalid_text;
    return ask({.kind = Outbox::Kind::creation,
                .id = id,
                .to = std::move(name),
                .text = std::move(topic),
                .act = {.value = static_cast<std::uint64_t>(access)}});
}

QUICCHAT_DECL Result<RequestId> ClientMessages::restore(UnsentMessage message) {
    return ask({.kind = Outbox::Kind::message,
                .room = std::move(message.room),
                .id = message.id,
                .to = std::move(message.to),
                .text = std::move(message.text),
                .attributes = std::move(message.attributes),
                .act = std::move(message.act)});
}

QUICCHAT_DECL void ClientMessages::send_waiting() {
    for (const auto& [number, request] : outbox_->requests()) send(number, request);
}

QUICCHAT_DECL Errc ClientMessages::handle_ack(StreamId stream, const wire::Ack& m) {
    const auto request = outbox_->take_stored(m.request, stream);
    if (!request) return Errc::unexpected_frame;
    output_->report(Acked{m.request, request->id, m.epoch, m.offset, m.durability, m.time});
    return Errc{};
}

QUICCHAT_DECL Result<RequestId> ClientMessages::ask(Outbox::Request request) {
    if (!outbox_->has_room(request.text.size() + request.attributes.size())) {
        return Errc::queue_full;
    }
    const RequestId number = outbox_->add(std::move(request));
    send(number, outbox_->requests().at(number));
    return number;
}

QUICCHAT_DECL void ClientMessages::send(RequestId number, const Outbox::Request& request) {
    using Kind = Outbox::Kind;
    const bool is_ours = request.kind == Kind::message || request.kind == Kind::creation;
    if (!is_ours || request.stream || !status_->ready) return;
    if (request.kind == Kind::creation) {
        outbox_->handle_sent(number, control_stream);
        return output_->send(
            control_stream,
            wire::CreateRoom{number, request.id, request.to,
                             RoomAccess{static_cast<std::uint8_t>(request.act.value)},
                             request.text});
    }
    if (request.room.empty()) {
        outbox_->handle_sent(number, control_stream);
        return output_->send(control_stream, wire::Tell{number, request.id, request.to,
                                                        request.text, request.attributes});
    }
    const ClientRoom* room = rooms_->find_wanted(request.room);
    if (room == nullptr || !room->stream) return;
    outbox_->handle_sent(number, *room->stream);
    output_->send(*room->stream,
                  wire::Publish{number, request.id, request.text, request.attributes, request.act});
}

}  // namespace quicchat

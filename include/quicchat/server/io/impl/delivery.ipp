#pragma once

#include "quicchat/server/io/delivery.hpp"

namespace quicchat {

template <Transport T>
void Delivery<T>::resume(const Writable& writable) {
    const auto [id, stream_id] = writable;
    if (stream_id == control_stream) return hub_->control().handle_writable(id);
    hub_->pages().handle_writable(id, stream_id);
    const ServerStream* stream = peers_->find_stream(id, stream_id);
    if (stream == nullptr || stream->member == nullptr) return;
    hub_->fan_out().handle_writable(*stream->member);
}

template <Transport T>
void Delivery<T>::pass_on(const DatagramReceived& datagram, TimePoint now) {
    const auto hint = decode_datagram(datagram.bytes.view());
    if (!hint || peers_->find_ready(datagram.connection) == nullptr) return;
    const ServerStream* stream = peers_->find_stream(datagram.connection, StreamId{hint->stream});
    if (stream == nullptr || stream->member == nullptr) return;
    for (const Member* member : hub_->typing_for(*stream->member, now)) {
        const wire::Typing told{static_cast<std::uint64_t>(member->stream), stream->member->user};
        (void)peers_->transport().send_datagram(member->connection, Bytes{encode(told)});
    }
}

template <Transport T>
void Delivery<T>::end_memberships() {
    while (std::optional<HubEnding> ending = hub_->poll_ending()) {
        peers_->end_stream(ending->connection, ending->stream, std::move(ending->frames));
    }
}

template <Transport T>
void Delivery<T>::refuse(ConnectionId id, StreamId stream_id, ServerStream& stream,
                         RequestId request, Errc errc, Duration wait) {
    hub_->refusals().add(errc);
    Bytes refusal = encode_refusal(request, errc, wait);
    if (stream_id == control_stream) return hub_->control().answer(id, std::move(refusal));
    if (stream.member != nullptr) return hub_->fan_out().reply(*stream.member, std::move(refusal));
    (void)peers_->transport().write(id, stream_id, std::move(refusal), true);
    stream.ended = true;
}

template <Transport T>
Errc Delivery<T>::answer_once(const Caller& caller, StreamId stream_id, ServerStream& stream,
                              RequestId request, Errc errc) {
    stream.asked = errc == Errc{};
    if (errc != Errc{}) refuse(caller.connection, stream_id, stream, request, errc);
    return Errc{};
}

}  // namespace quicchat

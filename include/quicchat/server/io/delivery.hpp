#pragma once

#include <optional>
#include <utility>

#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/peers.hpp"

namespace quicchat {

/// Carries what the hub has for people to their streams, as fast as each reads.
template <Transport T>
class Delivery {
public:
    Delivery(Peers<T>& peers, Hub& hub) : peers_(&peers), hub_(&hub) {}

    /// A stream has room again.
    void resume(const Writable& writable) {
        const auto [id, stream_id] = writable;
        if (stream_id == control_stream) return hub_->control().handle_writable(id);
        hub_->pages().handle_writable(id, stream_id);
        const ServerStream* stream = peers_->find_stream(id, stream_id);
        if (stream == nullptr || stream->member == nullptr) return;
        hub_->fan_out().handle_writable(*stream->member);
    }

    /// Passes a hint on to those who have nothing better waiting.
    void pass_on(const DatagramReceived& datagram, TimePoint now) {
        const auto hint = decode_datagram(datagram.bytes.view());
        if (!hint || peers_->find_ready(datagram.connection) == nullptr) return;
        const ServerStream* stream =
            peers_->find_stream(datagram.connection, StreamId{hint->stream});
        if (stream == nullptr || stream->member == nullptr) return;
        for (const Member* member : hub_->typing_for(*stream->member, now)) {
            const wire::Typing told{static_cast<std::uint64_t>(member->stream),
                                    stream->member->user};
            (void)peers_->transport().send_datagram(member->connection, Bytes{encode(told)});
        }
    }

    /// The hub took members out of their rooms.
    void end_memberships() {
        while (std::optional<HubEnding> ending = hub_->poll_ending()) {
            peers_->end_stream(ending->connection, ending->stream, std::move(ending->frames));
        }
    }

    /// Says no where the answer would have come. What was opened for that answer ends.
    void refuse(ConnectionId id, StreamId stream_id, ServerStream& stream, RequestId request,
                Errc errc, Duration wait = refused_retry_after) {
        Bytes refusal = encode_refusal(request, errc, wait);
        if (stream_id == control_stream) return hub_->control().answer(id, std::move(refusal));
        if (stream.member != nullptr)
            return hub_->fan_out().reply(*stream.member, std::move(refusal));
        (void)peers_->transport().write(id, stream_id, std::move(refusal), true);
        stream.ended = true;
    }

    /// A stream of a request that has its answer there and asks nothing more.
    Errc answer_once(const Caller& caller, StreamId stream_id, ServerStream& stream,
                     RequestId request, Errc errc) {
        stream.asked = errc == Errc{};
        if (errc != Errc{}) refuse(caller.connection, stream_id, stream, request, errc);
        return Errc{};
    }

    /// Serves everybody until the streams are full. `freed` is told each stream on which something
    /// was sent, so that what its client asks may be read again.
    template <class Freed>
    void send(const Freed& freed, WallTime now) {
        send_control(freed, now);
        while (Member* member = hub_->fan_out().poll_waiting()) {
            while (std::optional<Bytes> frame = hub_->next_frame(*member)) {
                if (peers_->write(member->connection, member->stream, *std::move(frame))) continue;
                hub_->fan_out().stall(*member);  // a stream that ended is reported as an event
                break;
            }
            if (hub_->is_busy(*member) || !std::exchange(member->held_up, false)) continue;
            freed(member->connection, member->stream);
        }
    }

private:
    template <class Freed>
    void send_control(const Freed& freed, WallTime now) {
        const auto write = [&](ConnectionId id, StreamId stream, Bytes frame) {
            return peers_->write(id, stream, std::move(frame));
        };
        hub_->control().send(
            [&](ConnectionId id, Bytes frame) {
                return write(id, control_stream, std::move(frame));
            },
            [&](ConnectionId id) { freed(id, control_stream); });
        hub_->pages().send(now, write, [&](ConnectionId id, StreamId stream) {
            (void)peers_->transport().write(id, stream, {}, true);
        });
    }

    Peers<T>* peers_;
    Hub* hub_;
};

}  // namespace quicchat

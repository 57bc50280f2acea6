#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/peers.hpp"
#include "quicchat/server/io/unsent_bytes.hpp"

namespace quicchat {

/// Carries what the hub has for people to their streams, as fast as each reads.
template <Transport T>
class Delivery {
public:
    /// What it is given outlives it.
    Delivery(Peers<T>& peers, Hub& hub, UnsentBytes<T>& unsent)
        : peers_(&peers), hub_(&hub), unsent_(&unsent) {}

    /// A stream has room again.
    void resume(const Writable& writable);

    /// Passes a hint on to those who have nothing better waiting.
    void pass_on(const DatagramReceived& datagram, TimePoint now);

    /// The hub took members out of their rooms.
    void end_memberships();

    /// Says no where the answer would have come. What was opened for that answer ends.
    void refuse(ConnectionId id, StreamId stream_id, ServerStream& stream, RequestId request,
                Errc errc, Duration wait = refused_retry_after);

    /// A stream of a request that has its answer there and asks nothing more.
    Errc answer_once(const Caller& caller, StreamId stream_id, ServerStream& stream,
                     RequestId request, Errc errc);

    /// Serves everybody until the streams are full. `freed` is told each stream on which something
    /// was sent, so that what its client asks may be read again.
    template <class Freed>
    void send(const Freed& freed, WallTime now) {
        send_control(freed, now);
        for (std::size_t ahead = 0;; --ahead) {
            if (ahead == 0) ahead = look_ahead();
            Member* const member = hub_->fan_out().poll_waiting();
            if (member == nullptr) return;
            while (may_make_more(*member)) {
                std::optional<Bytes> frames = hub_->next_frames(*member);
                if (!frames) break;
                if (peers_->write(member->connection, member->stream, *std::move(frames))) continue;
                hub_->fan_out().stall(*member);  // a stream that ended is reported as an event
                break;
            }
            if (hub_->is_busy(*member) || !std::exchange(member->held_up, false)) continue;
            freed(member->connection, member->stream);
        }
    }

private:
    static constexpr bool looks_ahead = requires(const T& t) {
        t.look_ahead(ConnectionId{}, StreamId{});
    };

    /// Who comes next is far away in memory, with its stream, and so are all others. Looked at in a
    /// row they are fetched together; in their turns, each would be waited for. Says how many were
    /// looked at, or that it is time to look again.
    std::size_t look_ahead() {
        constexpr std::size_t count_max = 16;
        const auto waiting = hub_->fan_out().waiting();
        const std::size_t count = std::min(waiting.size(), count_max);
        for (std::size_t i = 1; i <= count; ++i) {
            const Member& member = *waiting[waiting.size() - i];
            __builtin_prefetch(member.replies.memory());
            if constexpr (looks_ahead) {
                peers_->transport().look_ahead(member.connection, member.stream);
            }
        }
        return std::max<std::size_t>(count, 1);
    }

    /// Answers wait already, so they take nothing more.
    bool may_make_more(const Member& member) {
        return !member.replies.empty() || unsent_->has_room(member.connection, member.stream);
    }

    template <class Freed>
    void send_control(const Freed& freed, WallTime now) {
        const auto write = [&](ConnectionId id, StreamId stream, Bytes frame) {
            return peers_->write(id, stream, std::move(frame));
        };
        const auto has_room = [&](ConnectionId id, StreamId stream) {
            return unsent_->has_room(id, stream);
        };
        hub_->control().send(
            [&](ConnectionId id, Bytes frame) {
                return write(id, control_stream, std::move(frame));
            },
            [&](ConnectionId id) { freed(id, control_stream); },
            [&](ConnectionId id) { return has_room(id, control_stream); });
        hub_->pages().send(
            now, write,
            [&](ConnectionId id, StreamId stream) {
                (void)peers_->transport().write(id, stream, {}, true);
            },
            has_room);
    }

    Peers<T>* peers_;
    Hub* hub_;
    UnsentBytes<T>* unsent_;
};

}  // namespace quicchat

#include "quicchat/server/io/impl/delivery.ipp"

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/server/byte_counts.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/peers.hpp"

namespace quicchat {

/// The budget for all bytes that wait for clients: written and not acknowledged, answers, and
/// pieces of files (Limits::unsent_bytes_max). An account that holds more than what is left of it,
/// on all its connections together, waits: nothing is made for it, and what it asks is not read. So
/// the largest wait first, and the more there are, the smaller is what each may hold. Everybody may
/// hold `unsent_share_bytes`, so that who reads goes on whatever the others hold.
template <Transport T>
class UnsentBytes {
public:
    /// What it is given outlives it.
    UnsentBytes(Peers<T>& peers, const Hub& hub, const Limits& limits)
        : peers_(&peers), hub_(&hub), limits_(&limits) {}

    /// What waits of files.
    ByteCounts& of_files() { return of_files_; }

    /// What time it is up to the next call.
    void begin_turn(TimePoint now) { now_ = now; }

    /// Whether something more may be made for a stream, or asked on it. If not, `resume` names it
    /// when it may.
    bool has_room(ConnectionId connection, StreamId stream);

    /// Hands `go_on` the streams that had to wait and need not any more.
    template <class GoOn>
    void resume(const GoOn& go_on) {
        if (waiting_.empty() || now_ < next_look_) return;
        for (const Place& place : std::exchange(waiting_, {})) {
            if (has_room(place.first, place.second)) go_on(place.first, place.second);
        }
    }

    /// When to call `resume` next; nothing: nobody has to wait.
    std::optional<TimePoint> next_deadline() const;

    /// All that is counted.
    std::size_t all() const;

private:
    using Place = std::pair<ConnectionId, StreamId>;

    /// Who waits is looked at so often: a transport tells nobody of acknowledgements.
    static constexpr Duration look_period = std::chrono::milliseconds{10};

    std::size_t held_by(ConnectionId connection) const;
    /// By all connections of its account, if it is logged in.
    std::size_t held_by_account_of(ConnectionId connection) const;

    Peers<T>* peers_;
    const Hub* hub_;
    const Limits* limits_;
    ByteCounts of_files_;
    std::set<Place> waiting_;
    TimePoint now_{};
    TimePoint next_look_{};
};

}  // namespace quicchat

#include "quicchat/server/io/impl/unsent_bytes.ipp"

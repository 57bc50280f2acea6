#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/auth/login_table.hpp"
#include "quicchat/base/counters.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/event_queue.hpp"
#include "quicchat/server/io/login_locks.hpp"
#include "quicchat/server/io/peers.hpp"
#include "quicchat/server/io/rate_limits.hpp"

namespace quicchat {

/// Carries logins between the connections and the desk that decides about them.
template <Transport T>
class Logins {
public:
    /// What it refers to outlives it.
    Logins(Owned<Authenticator> authenticator, Entropy entropy, const Limits& limits,
           Peers<T>& peers, RateLimits& rates, EventQueue& news)
        : table_(std::move(authenticator), entropy, limits.login_timeout),
          limits_(&limits),
          peers_(&peers),
          rates_(&rates),
          news_(&news) {}

    /// Whose names there are.
    const AccountFinder& accounts() const { return table_; }

    /// Of who connects from now on.
    void set_timeout(Duration timeout) { table_.set_timeout(timeout); }

    /// A name by which nobody can log in; empty: none.
    void reserve(std::string name) { reserved_ = std::move(name); }

    /// A connection is there, and may log in until its time is over.
    void open(ConnectionId id, TimePoint now) { table_.open(id, now); }
    /// The connection is gone.
    void forget(ConnectionId id) { table_.forget(id); }

    // An error closes the connection.

    /// The peer begins to log in. Without a channel binding that is `login_failed`, but in pages.
    Errc begin(ConnectionId id, const wire::LoginBegin& m, Hub& hub, Now now);

    /// The peer's next message.
    Errc respond(ConnectionId id, const wire::LoginResponse& m, Hub& hub, Now now);

    /// Goes on with logins that had to wait, and ends those that are late.
    void process(Hub& hub, Now now);

    /// Closes the connections whose time to log in is over.
    void end_late(TimePoint now);

    /// When `process` or `end_late` has something to do.
    std::optional<TimePoint> next_deadline() const { return table_.next_deadline(); }

    // Since the start.
    /// Logins that succeeded.
    std::uint64_t accepted() const { return accepted_; }
    /// Logins that did not, by their reason; late ones included.
    const ErrorCounts& refused() const { return refused_; }

    /// Who was let in since the last call.
    std::vector<ConnectionId> take_admitted();

private:
    /// Does what a step of a login asks.
    Errc do_step(ConnectionId id, Hub& hub, TimePoint now, LoginStep step);

    /// The same, and counts.
    Errc go_on(ConnectionId id, Hub& hub, TimePoint now, LoginStep step);

    /// Says that a login was refused because too many have failed, once for each lock.
    void note_lock(const ServerConnection& connection, const std::string& user, TimePoint now);

    LoginTable table_;
    LoginLocks locks_;
    const Limits* limits_;
    Peers<T>* peers_;
    RateLimits* rates_;
    EventQueue* news_;
    std::vector<ConnectionId> admitted_;
    std::string reserved_{};
    std::uint64_t accepted_ = 0;
    ErrorCounts refused_;
};

}  // namespace quicchat

#include "quicchat/server/io/impl/logins.ipp"

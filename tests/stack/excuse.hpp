#pragma once

#include <algorithm>
#include <chrono>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat::test {

using namespace std::chrono_literals;

/// Until when a connection may end because of what its network did, by the rules that both ends
/// follow. What begins before the connection has got over the trouble before makes that longer.
class Excuse {
public:
    /// What a way is like while it is in order.
    struct Way {
        Duration pto{};  ///< At most: three round trips, and what an acknowledgement may wait.
        bool loses = false;
    };

    explicit Excuse(const Limits& limits) : limits_(limits) {}

    /// Nothing, or little, comes through from now to `end`.
    void add(TimePoint now, TimePoint end, Way way, bool is_online) {
        if (now > got_over_) {
            begin_ = now;
            end_ = end;
        }
        end_ = std::max(end_, end);
        // The pauses between probes double (RFC 9002 §6.2.1): the next one comes at most so long
        // after the end as the trouble lasted. Where datagrams are lost, it may be the one after.
        const Duration length = end_ - begin_;
        const Duration pause = length + way.pto;
        got_over_ = end_ + (way.loses ? 3 * pause : pause) + way.pto;
        // Who hears nothing for the idle timeout begins anew (RFC 9000 §10.1). It counts from the
        // first packet that is not answered, and somebody speaks each second. Between two troubles
        // something may have come through.
        speaks_at_ = std::max(speaks_at_, now);
        const TimePoint idle = speaks_at_ + std::max(limits_.idle_timeout, 3 * way.pto) + 1s;
        got_over_ = std::min(got_over_, std::max(idle, end_ + way.pto));
        // A connection is given up when nothing was acknowledged for so long, and the peer heard.
        constexpr Duration patience = 15s;
        constexpr Duration heard_for = 3s;
        if (got_over_ - begin_ >= patience) {
            until_ = std::max({until_, begin_ + patience, got_over_ + heard_for}) + 1s + way.pto;
        }
        // An attempt that was under way fails after so long.
        const bool dials = !is_online || length + way.pto >= patience - heard_for;
        const Duration attempt = std::max(limits_.handshake_timeout, limits_.login_timeout);
        if (dials) until_ = std::max(until_, end_ + attempt + way.pto + 1s);
    }

    /// The same where the machine of one end sleeps: it speaks when it wakes up, and its idle
    /// timeout begins then.
    void add_sleep(TimePoint now, TimePoint end, Way way, bool is_online) {
        speaks_at_ = std::max(speaks_at_, end);
        add(now, end, way, is_online);
    }

    /// The same, and the peer forgets the connection. With the next packet that comes through it
    /// says so: a probe, or what somebody says, which is once each second.
    void add_end(TimePoint now, TimePoint end, Way way, bool is_online) {
        add(now, end, way, is_online);
        until_ = std::max(until_, std::max(got_over_, end + 1s) + way.pto);
    }

    TimePoint until() const { return until_; }        ///< A connection may end.
    TimePoint got_over() const { return got_over_; }  ///< Then everything goes on.

private:
    Limits limits_;
    TimePoint begin_{};
    TimePoint end_{};
    TimePoint speaks_at_{};
    TimePoint got_over_{};
    TimePoint until_{};
};

}  // namespace quicchat::test

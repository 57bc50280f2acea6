#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// How long a client has waited for the answers of its server, on one connection: whether it should
/// say so, and whether it should leave. It learns the time once a turn; a wait begins with the turn
/// after the request.
class AnswerWatch {
public:
    /// One request that was sent and has no answer; 0: none.
    using Wait = std::uint64_t;

    /// It takes `answer_wait` and `answer_timeout` of them.
    explicit AnswerWatch(const Limits& limits);

    /// The request was sent just now.
    Wait begin(RequestId request);
    /// It has its answer, or needs none any more. `wait` is 0 then.
    void end(Wait& wait);

    /// Something came from the server, or it took in something of what is under way to it.
    void handle_heard() { heard_ = true; }

    /// The connection is gone, and all waiting with it.
    void handle_disconnected();

    /// `can_hear`: the application takes what comes; or else the server cannot answer. `transfers`:
    /// a file waits for the server as well, without a request that has no answer.
    void handle_timeout(TimePoint now, bool can_hear, bool transfers);

    /// The request that has waited for longest, if that was too long: once until all that are late
    /// have their answers.
    std::optional<RequestId> poll_late();
    /// How long it has waited.
    Duration waited() const;

    /// Nothing was heard for so long that the connection should end.
    bool is_over() const;

    /// When `handle_timeout` has something to do; nothing: nobody waits.
    std::optional<TimePoint> next_deadline(bool transfers) const;

private:
    struct Waiting {
        RequestId request;
        std::optional<TimePoint> since{};  ///< Nothing: since after the latest turn.
    };

    /// Since when the longest wait counts.
    std::optional<TimePoint> oldest() const;

    Duration answer_wait_;
    Duration answer_timeout_;
    Wait newest_ = 0;
    std::map<Wait, Waiting> waits_;         ///< In the order of sending.
    TimePoint now_{};                       ///< Of the latest turn.
    TimePoint hears_since_{};               ///< The application has read ever since.
    std::optional<TimePoint> quiet_since_;  ///< Nothing was heard; nothing: nobody waits.
    bool can_hear_ = true;                  ///< At the latest turn.
    bool heard_ = false;                    ///< Since the latest turn.
    bool said_ = false;                     ///< Of those that are late now.
    std::optional<RequestId> late_;         ///< To be said.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/answer_watch.ipp"
#endif

#pragma once

#include <atomic>
#include <cstddef>
#include <future>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "mailbox.hpp"
#include "quicchat/auth/deferred_hook.hpp"
#include "quicchat/server/publish/moderation.hpp"
#include "quicchat/session/event.hpp"

namespace quicchat::python {

/// The server has ended and given everything back; nothing follows.
struct ServerStopped {};

using ServerMail = std::variant<ServerEvent, DeferredQuestion, CheckQuestion, ServerStopped>;

/// What Python says about a login.
struct LoginAnswer {
    HookTicket ticket{};
    HookDecision decision;
};

/// What Python says about a message.
struct CheckAnswer {
    CheckTicket ticket{};
    CheckDecision decision;
};

class ServerRunner;

/// Something to do on the engine thread before a turn of the server.
using ServerErrand = std::packaged_task<void(ServerRunner&)>;

/// What Python and the engine thread share about one server. Thread-safe.
class ServerPort {
public:
    ServerPort(std::size_t events_max, std::size_t bytes_max) : inbox(events_max, bytes_max) {}

    /// Each question is answered once, and how many are open is bounded, so this is as well.
    void post(LoginAnswer answer) {
        const std::lock_guard lock{mutex_};
        answers_.push_back(std::move(answer));
    }
    std::vector<LoginAnswer> take_answers() {
        const std::lock_guard lock{mutex_};
        return std::exchange(answers_, {});
    }
    void post(CheckAnswer answer) {
        const std::lock_guard lock{mutex_};
        check_answers_.push_back(std::move(answer));
    }
    std::vector<CheckAnswer> take_check_answers() {
        const std::lock_guard lock{mutex_};
        return std::exchange(check_answers_, {});
    }

    /// The errand's future gets a broken promise if the server has ended, or ends before.
    void post(ServerErrand errand) {
        const std::lock_guard lock{mutex_};
        if (!ended_) errands_.push_back(std::move(errand));
    }
    std::vector<ServerErrand> take_errands() {
        const std::lock_guard lock{mutex_};
        return std::exchange(errands_, {});
    }
    void end_errands() {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        errands_.clear();
    }

    Mailbox<ServerMail> inbox;
    std::atomic<bool> stop_asked{false};
    std::atomic<std::size_t> connections{0};

private:
    std::mutex mutex_;
    std::vector<LoginAnswer> answers_;
    std::vector<CheckAnswer> check_answers_;
    std::vector<ServerErrand> errands_;
    bool ended_ = false;
};

}  // namespace quicchat::python

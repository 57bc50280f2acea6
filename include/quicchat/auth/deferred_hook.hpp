#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "quicchat/auth/account_hook.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// A question that the application has to answer.
struct DeferredQuestion {
    HookTicket ticket{};       ///< To be given back to `answer`.
    AccountQuestion question;  ///< Who wants to log in, and how.
};

/// Leaves the answers to the application: it takes questions with `poll_question` whenever it
/// likes, and answers each by its ticket. Models AccountHook.
///
/// A handle: copies share the questions, so the application keeps one and the server gets another.
/// Not thread-safe; after `answer` the server must be given its turn.
class DeferredHook : public AccountHook {
public:
    /// So many questions are open at once. Each holds about a quarter of a KiB, and no login waits
    /// longer than `DeviceAuthenticatorOptions::hook_timeout`.
    static constexpr std::size_t questions_max_default = 1000;

    /// Above so many open questions a login is refused as if the hook could not answer.
    explicit DeferredHook(std::size_t questions_max = questions_max_default);

    /// The oldest question that was not taken yet, unless its login is over.
    std::optional<DeferredQuestion> poll_question();

    /// False if nobody waits for that answer (any more), or it was given.
    bool answer(HookTicket ticket, HookDecision decision);

    HookTicket ask(const AccountQuestion& question, Now) override;

    std::optional<HookDecision> poll(HookTicket ticket, Now) override;

    void cancel(HookTicket ticket) override;

    /// Questions whose login waits.
    std::size_t open_questions() const { return state_->open.size(); }

private:
    struct Open {
        AccountQuestion question;
        std::optional<HookDecision> decision;
    };

    struct State {
        std::size_t questions_max = 0;
        std::uint64_t last_ticket = 0;  // the ticket 0 stands for a question that was not taken
        HookTicket taken{};
        std::map<HookTicket, Open> open;
    };

    std::shared_ptr<State> state_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/deferred_hook.ipp"
#endif

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "quicchat/auth/account_hook.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// A question that the application has to answer.
struct DeferredQuestion {
    HookTicket ticket{};
    AccountQuestion question;
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

    explicit DeferredHook(std::size_t questions_max = questions_max_default)
        : state_(std::make_shared<State>()) {
        state_->questions_max = questions_max;
    }

    /// The oldest question that was not taken yet, unless its login is over.
    std::optional<DeferredQuestion> poll_question() {
        const auto found = state_->open.upper_bound(state_->taken);
        if (found == state_->open.end()) return std::nullopt;
        state_->taken = found->first;
        return DeferredQuestion{found->first, found->second.question};
    }

    /// False if nobody waits for that answer (any more), or it was given.
    bool answer(HookTicket ticket, HookDecision decision) {
        const auto found = state_->open.find(ticket);
        if (found == state_->open.end() || found->second.decision) return false;
        found->second.decision = std::move(decision);
        return true;
    }

    HookTicket ask(const AccountQuestion& question, Now) override {
        if (state_->open.size() >= state_->questions_max) return HookTicket{};
        const HookTicket ticket{++state_->last_ticket};
        state_->open.emplace_hint(state_->open.end(), ticket, Open{question, std::nullopt});
        return ticket;
    }

    std::optional<HookDecision> poll(HookTicket ticket, Now) override {
        const auto found = state_->open.find(ticket);
        if (found == state_->open.end()) return HookUnavailable{};
        if (!found->second.decision) return std::nullopt;
        std::optional<HookDecision> decision = std::move(found->second.decision);
        state_->open.erase(found);
        return decision;
    }

    void cancel(HookTicket ticket) override { state_->open.erase(ticket); }

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

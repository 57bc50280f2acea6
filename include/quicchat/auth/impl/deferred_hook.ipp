#pragma once

#include "quicchat/auth/deferred_hook.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL DeferredHook::DeferredHook(std::size_t questions_max)
    : state_(std::make_shared<State>()) {
    state_->questions_max = questions_max;
}

QUICCHAT_RARE_DECL std::optional<DeferredQuestion> DeferredHook::poll_question() {
    const auto found = state_->open.upper_bound(state_->taken);
    if (found == state_->open.end()) return std::nullopt;
    state_->taken = found->first;
    return DeferredQuestion{found->first, found->second.question};
}

QUICCHAT_RARE_DECL bool DeferredHook::answer(HookTicket ticket, HookDecision decision) {
    const auto found = state_->open.find(ticket);
    if (found == state_->open.end() || found->second.decision) return false;
    found->second.decision = std::move(decision);
    return true;
}

QUICCHAT_RARE_DECL HookTicket DeferredHook::ask(const AccountQuestion& question, Now) {
    if (state_->open.size() >= state_->questions_max) return HookTicket{};
    const HookTicket ticket{++state_->last_ticket};
    state_->open.emplace_hint(state_->open.end(), ticket, Open{question, std::nullopt});
    return ticket;
}

QUICCHAT_RARE_DECL std::optional<HookDecision> DeferredHook::poll(HookTicket ticket, Now) {
    const auto found = state_->open.find(ticket);
    if (found == state_->open.end()) return HookUnavailable{};
    if (!found->second.decision) return std::nullopt;
    std::optional<HookDecision> decision = std::move(found->second.decision);
    state_->open.erase(found);
    return decision;
}

QUICCHAT_RARE_DECL void DeferredHook::cancel(HookTicket ticket) { state_->open.erase(ticket); }

}  // namespace quicchat

#pragma once

#include "quicchat/auth/account_hook.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::detail {

QUICCHAT_RARE_DECL OpenQuestion::OpenQuestion(std::shared_ptr<AccountHook> hook,
                                              const AccountQuestion& question, Now now)
    : hook_(std::move(hook)), ticket_(hook_->ask(question, now)) {}

QUICCHAT_RARE_DECL OpenQuestion& OpenQuestion::operator=(OpenQuestion&& other) noexcept {
    cancel();
    hook_ = std::move(other.hook_);
    ticket_ = other.ticket_;
    return *this;
}

QUICCHAT_RARE_DECL std::optional<HookDecision> OpenQuestion::poll(Now now) {
    if (hook_ == nullptr) return std::nullopt;
    std::optional<HookDecision> decision = hook_->poll(ticket_, now);
    if (decision) hook_.reset();
    return decision;
}

QUICCHAT_RARE_DECL void OpenQuestion::cancel() {
    if (const auto hook = std::exchange(hook_, nullptr)) hook->cancel(ticket_);
}

}  // namespace quicchat::detail

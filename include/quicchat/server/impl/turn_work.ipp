#pragma once

#include "quicchat/server/turn_work.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL void TurnWork::begin() {
    ++turn_;
    if (done_.size() > accounts_kept) done_.clear();
    spent_ = false;
    postponed_ = false;
}

QUICCHAT_DECL void TurnWork::count(std::string_view account, std::size_t bytes) {
    auto found = done_.find(account);
    if (found == done_.end()) found = done_.emplace(account, Done{}).first;
    Done& done = found->second;
    if (done.turn != turn_) done = {turn_, 0};
    done.work += step + bytes;
    spent_ = spent_ || done.work >= limits_->turn_work_max;
}

QUICCHAT_DECL bool TurnWork::must_wait(std::string_view account) {
    if (!spent_) return false;
    const auto found = done_.find(account);
    if (found == done_.end() || found->second.turn != turn_) return false;
    if (found->second.work < limits_->turn_work_max) return false;
    postponed_ = true;
    return true;
}

}  // namespace quicchat

#pragma once

#include "quicchat/server/turn_work.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL void TurnWork::begin() {
    done_.clear();
    spent_.clear();
    postponed_ = false;
}

QUICCHAT_DECL void TurnWork::count(std::string_view account, std::size_t bytes) {
    std::size_t& done = done_[std::string{account}];
    done += step + bytes;
    if (done >= limits_->turn_work_max) spent_.emplace(account);
}

QUICCHAT_DECL bool TurnWork::must_wait(std::string_view account) {
    if (spent_.empty() || !spent_.contains(std::string{account})) return false;
    postponed_ = true;
    return true;
}

}  // namespace quicchat

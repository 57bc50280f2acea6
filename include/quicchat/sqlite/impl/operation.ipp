#pragma once

#include "quicchat/sqlite/operation.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL void StoreState::add(StoreState later) {
    for (auto& [key, value] : later.changes) changes[key] = std::move(value);
}

}  // namespace quicchat::sqlite

#pragma once

#include "quicchat/file/file_store.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::optional<int> FileStore::wake_fd() const { return std::nullopt; }

QUICCHAT_DECL std::optional<FileDone> NoFiles::poll_done() { return std::nullopt; }

}  // namespace quicchat

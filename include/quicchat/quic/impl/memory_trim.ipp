#pragma once

#include "quicchat/quic/memory_trim.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL bool MemoryTrim::is_due(std::size_t connections, TimePoint now) {
    most_ = std::max(most_, connections);
    if (most_ - connections < gone_min || connections > most_ / 2) {
        due_at_.reset();
        return false;
    }
    if (!due_at_) due_at_ = now + quiet;
    if (now < *due_at_) return false;
    due_at_.reset();
    most_ = connections;
    return true;
}

QUICCHAT_DECL void trim_memory() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

}  // namespace quicchat::quic

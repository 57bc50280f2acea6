#pragma once

#include "quicchat/disk/file_worker.hpp"

#include <sys/statvfs.h>

#include "quicchat/base/config.hpp"

namespace quicchat::disk {

QUICCHAT_DECL std::optional<Space> space_of(int folder) {
    struct statvfs found {};
    if (::fstatvfs(folder, &found) != 0 || found.f_blocks == 0) return std::nullopt;
    const std::uint64_t block = found.f_frsize;
    return Space{block * found.f_bavail, block * found.f_blocks};
}

}  // namespace quicchat::disk

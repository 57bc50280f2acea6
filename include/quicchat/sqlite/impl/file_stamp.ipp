#pragma once

#include "quicchat/sqlite/file_stamp.hpp"

#include <sys/stat.h>

#include "quicchat/base/config.hpp"

namespace quicchat::sqlite {

namespace detail {

QUICCHAT_DECL FileStamp to_stamp(const struct stat& found) {
    const auto ns = [](const timespec& time) {
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
               static_cast<std::uint64_t>(time.tv_nsec);
    };
    return {static_cast<std::uint64_t>(found.st_dev), static_cast<std::uint64_t>(found.st_ino),
            static_cast<std::uint64_t>(found.st_size), ns(found.st_mtim), ns(found.st_ctim)};
}

}  // namespace detail

QUICCHAT_DECL std::optional<FileStamp> stamp_of(const char* path) {
    struct stat found {};
    if (::stat(path, &found) != 0) return std::nullopt;
    return detail::to_stamp(found);
}

QUICCHAT_DECL std::optional<FileStamp> stamp_of(int fd) {
    struct stat found {};
    if (::fstat(fd, &found) != 0) return std::nullopt;
    return detail::to_stamp(found);
}

}  // namespace quicchat::sqlite

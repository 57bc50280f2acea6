#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "quicchat/base/config.hpp"

namespace quicchat::sqlite {

/// By which a file is known that nobody has written since: which one, how long, and when it was
/// changed. No program can set that time, unlike that of the content.
using FileStamp = std::array<std::uint64_t, 5>;

/// Nothing: there is no such file.
QUICCHAT_DECL std::optional<FileStamp> stamp_of(const char* path);

/// The same of an open file.
QUICCHAT_DECL std::optional<FileStamp> stamp_of(int fd);

/// Whether it is the same file and nobody has written it, by what programs can set: other rights or
/// one more name of the file are no other content.
constexpr bool has_same_content(const FileStamp& a, const FileStamp& b) {
    return std::equal(a.begin(), a.end() - 1, b.begin());
}

/// When the file was changed, in nanoseconds; on some systems in steps of some milliseconds.
constexpr std::uint64_t change_of(const FileStamp& stamp) { return stamp.back(); }

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/file_stamp.ipp"
#endif

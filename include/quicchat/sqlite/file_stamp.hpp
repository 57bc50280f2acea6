#pragma once

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
QUICCHAT_DECL std::optional<FileStamp> stamp_of(const std::string& path);

/// The same of an open file.
QUICCHAT_DECL std::optional<FileStamp> stamp_of(int fd);

/// When the file was changed, in nanoseconds; on some systems in steps of some milliseconds.
constexpr std::uint64_t change_of(const FileStamp& stamp) { return stamp.back(); }

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/file_stamp.ipp"
#endif

#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/storage_error.hpp"

namespace quicchat::sqlite {

namespace detail {

/// A clause for people about a result code of SQLite: what it is and what to do about it.
QUICCHAT_DECL std::string_view explain(int code);

}  // namespace detail

/// The error for a result code of SQLite: `storage_full` if the disk is, or else `storage_failed`.
constexpr Errc errc_of(int code) {
    return (code & 0xff) == SQLITE_FULL ? Errc::storage_full : Errc::storage_failed;
}

/// The same with a text. `note` is what SQLite itself says about it.
QUICCHAT_DECL StorageError describe_failure(int code, const std::string& path,
                                            std::string_view note);

/// An error that SQLite knows nothing of.
QUICCHAT_DECL StorageError storage_failure(const std::string& path, std::string_view what);

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/error.ipp"
#endif

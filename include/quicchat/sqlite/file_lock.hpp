#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/storage_error.hpp"

namespace quicchat::sqlite {
namespace detail {

QUICCHAT_DECL StorageError system_failure(const std::string& path, const std::string& what,
                                          int error);

QUICCHAT_DECL std::string folder_of(const std::string& path);

}  // namespace detail

/// The name by which a database file is locked and opened: without links, so that one file has one
/// name.
QUICCHAT_DECL std::string real_path(const std::string& path);

/// The right to be the only user of a database, from its making to its end. It is the lock of a
/// file beside the database, which stays there; a process that dies gives it back.
class FileLock {
public:
    /// `path`: of the database. An error, in words, if another program has it.
    static StorageResult<FileLock> take(const std::string& path);

private:
    explicit FileLock(OwnedFd file) : file_(std::move(file)) {}

    static std::string read_holder(int fd);

    /// Only for the message above, so it may fail.
    static void write_holder(int fd);

    OwnedFd file_;
};

/// Makes an empty database file for its owner only (mode 0600), such that it outlives a power
/// failure. One that exists is left as it is. Nothing: there is a file now.
QUICCHAT_DECL std::optional<StorageError> make_database_file(const std::string& path);

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/file_lock.ipp"
#endif

#pragma once

#include "quicchat/sqlite/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "quicchat/base/config.hpp"
#include "quicchat/sqlite/error.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL StorageError system_failure(const std::string& path, const std::string& what,
                                          int error) {
    const Errc errc =
        error == ENOSPC || error == EDQUOT ? Errc::storage_full : Errc::storage_failed;
    return {errc, "database '" + path + "': " + what + ": " + std::strerror(error)};
}

QUICCHAT_DECL std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path{path}.parent_path().string();
    return folder.empty() ? "." : folder;
}

}  // namespace quicchat::sqlite::detail

namespace quicchat::sqlite {

QUICCHAT_DECL std::string real_path(const std::string& path) {
    std::error_code error;
    const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
    return error ? path : real.string();
}

QUICCHAT_DECL StorageResult<FileLock> FileLock::take(const std::string& path) {
    struct stat folder {};
    if (::stat(detail::folder_of(path).c_str(), &folder) != 0) {
        return storage_failure(path, "its folder '" + detail::folder_of(path) +
                                         "' does not exist or cannot be entered; make it first");
    }
    const std::string name = path + ".lock";
    OwnedFd file{::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file.is_open()) {
        return detail::system_failure(path,
                                      "cannot make the file '" + name +
                                          "'; give this user the right to write to the "
                                          "folder",
                                      errno);
    }
    if (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return detail::system_failure(path, "cannot lock '" + name + "'", errno);
        }
        return storage_failure(path, "another program" + read_holder(file.fd()) +
                                         " uses it; stop that one, or choose another file");
    }
    write_holder(file.fd());
    return FileLock{std::move(file)};
}

QUICCHAT_DECL std::string FileLock::read_holder(int fd) {
    char digits[16] = {};
    if (::pread(fd, digits, sizeof digits - 1, 0) <= 0) return {};
    const long process = std::strtol(digits, nullptr, 10);
    return process > 0 ? " (process " + std::to_string(process) + ")" : std::string{};
}

QUICCHAT_DECL void FileLock::write_holder(int fd) {
    const std::string text = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, text.data(), text.size(), 0);
}

QUICCHAT_DECL std::optional<StorageError> make_database_file(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0) {
        if (S_ISREG(found.st_mode)) return std::nullopt;
        return storage_failure(path, S_ISDIR(found.st_mode)
                                         ? "it is a folder; name a file in it"
                                         : "it is not a file; choose another name");
    }
    if (errno != ENOENT) return detail::system_failure(path, "cannot look at it", errno);
    // SQLite gives the files that it puts beside it the same mode.
    const OwnedFd file{
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file.is_open()) return detail::system_failure(path, "cannot make it", errno);
    const OwnedFd folder{
        ::open(detail::folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (::fsync(file.fd()) != 0 || !folder.is_open() || ::fsync(folder.fd()) != 0) {
        return detail::system_failure(path, "cannot make it safe on disk", errno);
    }
    return std::nullopt;
}

}  // namespace quicchat::sqlite

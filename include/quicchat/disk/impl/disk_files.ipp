#pragma once

#include "quicchat/disk/disk_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quicchat/base/config.hpp"

namespace quicchat::disk {

QUICCHAT_DECL StorageError folder_failure(const std::string& path, const std::string& what,
                                          int error) {
    return {Errc::storage_failed, "files '" + path + "': " + what + (error != 0 ? ": " : "") +
                                      (error != 0 ? std::strerror(error) : "")};
}

QUICCHAT_DECL StorageResult<OwnedFd> open_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return folder_failure(path,
                              "the folder cannot be made; make the one that it is in, and give "
                              "this user the right to write to it",
                              errno);
    }
    OwnedFd folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder.is_open()) {
        return folder_failure(path, "it cannot be opened as a folder; name another one", errno);
    }
    if (::faccessat(folder.fd(), ".", R_OK | W_OK | X_OK, 0) != 0) {
        return folder_failure(path, "this user may not write to the folder", errno);
    }
    if (::flock(folder.fd(), LOCK_EX | LOCK_NB) != 0) {
        return folder_failure(path,
                              "another server uses the folder; stop that one, or name another", 0);
    }
    return folder;
}

}  // namespace quicchat::disk

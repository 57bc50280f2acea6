#pragma once

#include "quicchat/quic/known_servers_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"

namespace quicchat::quic::detail {

QUICCHAT_RARE_DECL std::error_code file_error() { return {errno, std::generic_category()}; }

QUICCHAT_RARE_DECL std::error_code write_whole_file(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return file_error();
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

QUICCHAT_RARE_DECL std::error_code replace_file(const std::filesystem::path& path,
                                                std::string_view text) {
    const std::string temporary = path.string() + ".new";
    ::unlink(temporary.c_str());  // of a run that was killed
    const OwnedFd file{
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file.is_open()) return file_error();
    std::error_code error = write_whole_file(file.fd(), text);
    if (!error && ::fsync(file.fd()) != 0) error = file_error();
    if (!error && ::rename(temporary.c_str(), path.c_str()) != 0) error = file_error();
    if (error) {
        ::unlink(temporary.c_str());
        return error;
    }
    const OwnedFd folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.is_open()) ::fsync(folder.fd());
    return {};
}

QUICCHAT_RARE_DECL std::error_code make_private_folder(const std::filesystem::path& folder) {
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) return {};
    if (folder.has_parent_path() && folder.parent_path() != folder) {
        if (const auto failed = make_private_folder(folder.parent_path())) return failed;
    }
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return file_error();
    return {};
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_RARE_DECL Result<std::string> read_known_servers_file(const std::filesystem::path& path) {
    const OwnedFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) {
        if (errno == ENOENT) return std::string{};
        return detail::file_error();
    }
    std::string text;
    char piece[4096];
    for (;;) {
        const ssize_t got = ::read(file.fd(), piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return detail::file_error();
        if (got == 0) return text;
        text.append(piece, static_cast<std::size_t>(got));
        if (text.size() > known_servers_bytes_max) return Errc::invalid_request;
    }
}

QUICCHAT_RARE_DECL Result<std::monostate> add_to_known_servers_file(
    const std::filesystem::path& path, const KnownServer& server) {
    std::error_code error;
    std::filesystem::path target = std::filesystem::absolute(path, error);
    if (error) return error;
    if (std::filesystem::is_symlink(target, error)) {  // rename would replace the link itself
        target = std::filesystem::canonical(target, error);
        if (error) return error;
    }
    if (const auto failed = detail::make_private_folder(target.parent_path())) return failed;

    // A file beside it: the file itself is replaced, and a lock on it would be lost with it.
    const std::string lock_name = target.string() + ".lock";
    const OwnedFd lock{::open(lock_name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!lock.is_open()) return detail::file_error();
    while (::flock(lock.fd(), LOCK_EX) != 0) {
        if (errno != EINTR) return detail::file_error();
    }

    const Result<std::string> text = read_known_servers_file(target);
    if (!text) return text.error();
    const Result<KnownServers> known = parse_known_servers(*text);
    if (!known) return known.error();
    const ServerKeyMatch match = match_server_key(*known, server.address, server.key);
    if (match == ServerKeyMatch::same) return std::monostate{};
    if (match != ServerKeyMatch::unknown) return Errc::server_key_changed;

    const Result<std::string> longer = add_known_server(*text, server);
    if (!longer) return longer.error();
    if (const auto failed = detail::replace_file(target, *longer)) return failed;
    return std::monostate{};
}

}  // namespace quicchat::quic

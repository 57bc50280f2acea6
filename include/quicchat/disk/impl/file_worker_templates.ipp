#pragma once

#include "quicchat/disk/file_worker.hpp"

namespace quicchat::disk {

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::begin(FileToken token, const std::string& key, std::uint64_t size) {
    const std::string name = name_of(key);
    struct stat found {};
    if (::fstatat(folder_.fd(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
        if (static_cast<std::uint64_t>(found.st_size) == size) {
            return {.token = token, .size = size, .complete = true};
        }
        remove_name(name);
    } else if (errno != ENOENT) {
        return failed(token);
    }
    const auto file = open(name + part, O_RDWR | O_CREAT);
    if (!file.is_open() || ::fstat(file.fd(), &found) != 0) return failed(token);
    // Somebody goes on with it: it is not among the old ones. Best effort; a write touches it, too.
    (void)::futimens(file.fd(), nullptr);
    if (static_cast<std::uint64_t>(found.st_size) > size) {
        if (::ftruncate(file.fd(), 0) != 0) return failed(token);
        found.st_size = 0;
    }
    if (!has_room(size - static_cast<std::uint64_t>(found.st_size))) {
        return give_back(name, {token, Errc::storage_full});
    }
    return {.token = token, .size = static_cast<std::uint64_t>(found.st_size)};
}

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::write(FileToken token, const std::string& key, std::uint64_t offset,
                                   BytesView bytes) {
    const std::string name = name_of(key);
    const auto file = open(name + part, O_WRONLY);
    struct stat found {};
    if (!file.is_open() || ::fstat(file.fd(), &found) != 0) return failed(token);
    const auto size = static_cast<std::uint64_t>(found.st_size);
    if (size < offset) return {token, Errc::file_mismatch};
    const std::uint64_t end = offset + bytes.size();
    if (end > size && !has_room(end - size)) {
        return give_back(name, {token, Errc::storage_full});
    }
    while (!bytes.empty()) {
        const ssize_t count =
            ::pwrite(file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return give_back(name, failed(token));
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {.token = token};
}

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::finish(FileToken token, const std::string& key, std::uint64_t size,
                                    BytesView digest) {
    const std::string name = name_of(key);
    const auto file = open(name + part, O_RDWR);
    struct stat found {};
    if (!file.is_open() || ::fstat(file.fd(), &found) != 0) return failed(token);
    const auto hash = hash_of(file.fd());
    if (!hash) return failed(token);
    if (static_cast<std::uint64_t>(found.st_size) != size || !std::ranges::equal(*hash, digest)) {
        remove_name(name + part);
        return {token, Errc::file_mismatch};
    }
    // The bytes first, then the name: a name without its bytes would be a lie.
    if (config_.sync && ::fsync(file.fd()) != 0) return give_back(name, failed(token));
    if (::renameat(folder_.fd(), (name + part).c_str(), folder_.fd(), name.c_str()) != 0) {
        return give_back(name, failed(token));
    }
    if (config_.sync && ::fsync(folder_.fd()) != 0) return failed(token);
    return {.token = token};
}

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::read(FileToken token, const std::string& key, std::uint64_t offset,
                                  std::size_t count) {
    const auto file = open(name_of(key), O_RDONLY);
    if (!file.is_open()) return failed(token);
    Buffer buffer(count);
    const auto got = fill(file.fd(), buffer, offset);
    if (!got) return failed(token);
    buffer.resize(*got);
    return {.token = token, .bytes = Bytes{std::move(buffer)}};
}

template <FileCrypto Crypto>
void FileWorker<Crypto>::remove(const std::string& key) {
    const std::string name = name_of(key);
    remove_name(name);
    remove_name(name + part);
}

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::keep_only(const std::vector<std::string>& keys, Duration age_max) {
    std::set<std::string> names;
    for (const std::string& key : keys) names.insert(name_of(key));
    for (const std::string& name : list()) {
        if (!name.ends_with(part) && names.count(name) == 0) remove_name(name);
    }
    FileDone done = drop_begun(age_max);
    done.token = kept_files_token;
    return done;
}

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::drop_begun(Duration age_max) {
    FileDone done{.token = dropped_files_token};
    const auto limit =
        std::time(nullptr) -
        static_cast<std::time_t>(std::chrono::duration_cast<std::chrono::seconds>(age_max).count());
    for (const std::string& name : list()) {
        struct stat found {};
        if (!name.ends_with(part)) continue;
        if (::fstatat(folder_.fd(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (found.st_mtime <= limit) {
            remove_name(name);
        } else {
            done.size += static_cast<std::uint64_t>(found.st_size);
        }
    }
    return done;
}

template <FileCrypto Crypto>
std::string FileWorker<Crypto>::name_of(const std::string& key) const {
    return encode_hex(Crypto::hmac_sha256(secret_.view(), as_bytes(key)));
}

template <FileCrypto Crypto>
bool FileWorker<Crypto>::is_ours(std::string_view name) {
    if (name.ends_with(part)) name.remove_suffix(std::string_view{part}.size());
    return name.size() == name_size &&
           name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

template <FileCrypto Crypto>
OwnedFd FileWorker<Crypto>::open(const std::string& name, int flags) const {
    return OwnedFd{::openat(folder_.fd(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600)};
}

template <FileCrypto Crypto>
void FileWorker<Crypto>::remove_name(const std::string& name) {
    // One that stays takes room until the next start, and nobody can have it.
    (void)::unlinkat(folder_.fd(), name.c_str(), 0);
}

template <FileCrypto Crypto>
bool FileWorker<Crypto>::has_room(std::uint64_t bytes) const {
    const std::optional<Space> space = config_.space(folder_.fd());
    if (!space) return true;
    const std::uint64_t reserve =
        std::min(config_.reserve_bytes_max, space->total / 100 * config_.reserve_percent_max);
    return bytes == 0 || (space->free >= reserve && space->free - reserve >= bytes);
}

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::give_back(const std::string& name, FileDone done) {
    if (done.error == Errc::storage_full) remove_name(name + part);
    return done;
}

template <FileCrypto Crypto>
std::vector<std::string> FileWorker<Crypto>::list() const {
    std::vector<std::string> names;
    DIR* const folder = ::fdopendir(::openat(folder_.fd(), ".", O_RDONLY | O_CLOEXEC));
    if (folder == nullptr) return names;
    while (const dirent* entry = ::readdir(folder)) {
        if (is_ours(entry->d_name)) names.emplace_back(entry->d_name);
    }
    ::closedir(folder);
    return names;
}

template <FileCrypto Crypto>
std::optional<Digest> FileWorker<Crypto>::hash_of(int fd) {
    typename Crypto::Hash hash;
    Buffer buffer(256 * 1024);
    for (std::uint64_t offset = 0;;) {
        const auto got = fill(fd, buffer, offset);
        if (!got) return std::nullopt;
        if (*got == 0) return hash.finish();
        hash.update(BytesView{buffer}.first(*got));
        offset += *got;
    }
}

template <FileCrypto Crypto>
std::optional<std::size_t> FileWorker<Crypto>::fill(int fd, std::span<std::byte> buffer,
                                                    std::uint64_t offset) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const ssize_t count = ::pread(fd, buffer.data() + filled, buffer.size() - filled,
                                      static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::nullopt;
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

template <FileCrypto Crypto>
FileDone FileWorker<Crypto>::failed(FileToken token) {
    const int error = errno;
    // A link is none of ours.
    if (error == ENOENT || error == ELOOP) return {token, Errc::no_such_file};
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return {token, full ? Errc::storage_full : Errc::storage_failed};
}

}  // namespace quicchat::disk

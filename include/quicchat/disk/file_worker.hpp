#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/file/file_store.hpp"

namespace quicchat::disk {

/// What a folder of files needs of a cryptographic library. `quic::WolfCrypto` models it.
template <class C>
concept FileCrypto = requires(BytesView bytes, typename C::Hash hash) {
    { C::hmac_sha256(bytes, bytes) } -> std::same_as<Digest>;
    { hash.update(bytes) } -> std::same_as<void>;
    { hash.finish() } -> std::same_as<Digest>;
};

/// The room of a disk, in bytes, as far as this user may have it.
struct Space {
    std::uint64_t free = 0;   ///< What this user may still write.
    std::uint64_t total = 0;  ///< Free and used.
};

/// Of the disk that a folder is on. Nothing: the system does not say.
QUICCHAT_DECL std::optional<Space> space_of(int folder);

/// How a folder of files is used.
struct FolderConfig {
    bool sync = true;  ///< What is complete outlives a power failure.
    /// So much of the disk is left free, for the messages of everybody; or so many parts in a
    /// hundred of it, if that is less.
    std::uint64_t reserve_bytes_max = 64 << 20;
    std::uint64_t reserve_percent_max = 5;                 ///< 1 is a hundredth of the disk.
    std::optional<Space> (*space)(int folder) = space_of;  ///< For tests: another disk.
};

/// The files of one folder, without a thread: each call waits for the disk.
///
/// Names in the folder are made here, by HMAC-SHA-256 of the key under a secret: nobody else
/// chooses them or can tell them. What is not complete has `.part` at its end.
template <FileCrypto Crypto>
class FileWorker {
public:
    /// `folder` is open and locked; `secret` is copied.
    FileWorker(OwnedFd folder, BytesView secret, const FolderConfig& config)
        : folder_(std::move(folder)), secret_(secret), config_(config) {}

    /// As FileStore has them, but done when they return. `remove` completes without an answer.
    /// @{
    FileDone begin(FileToken token, const std::string& key, std::uint64_t size);

    FileDone write(FileToken token, const std::string& key, std::uint64_t offset, BytesView bytes);

    FileDone finish(FileToken token, const std::string& key, std::uint64_t size, BytesView digest);

    FileDone read(FileToken token, const std::string& key, std::uint64_t offset, std::size_t count);

    void remove(const std::string& key);

    FileDone keep_only(const std::vector<std::string>& keys, Duration age_max);
    FileDone drop_begun(Duration age_max);
    /// @}

private:
    static constexpr const char* part = ".part";
    static constexpr std::size_t name_size = 64;

    std::string name_of(const std::string& key) const;

    /// Whether that is a name that we give.
    static bool is_ours(std::string_view name);

    OwnedFd open(const std::string& name, int flags) const;

    void remove_name(const std::string& name);

    /// Whether so many bytes more leave the reserve free.
    bool has_room(std::uint64_t bytes) const;

    /// What was begun of a file for which there is no room takes none.
    FileDone give_back(const std::string& name, FileDone done);

    std::vector<std::string> list() const;

    static std::optional<Digest> hash_of(int fd);

    /// Reads as much as there is, up to the buffer's size. Nothing: reading failed.
    static std::optional<std::size_t> fill(int fd, std::span<std::byte> buffer,
                                           std::uint64_t offset);

    /// What the last call of the system failed with.
    static FileDone failed(FileToken token);

    OwnedFd folder_;
    Secret secret_;
    FolderConfig config_;
};

}  // namespace quicchat::disk

#include "quicchat/disk/impl/file_worker_templates.ipp"
#ifndef QUICCHAT_COMPILED
#include "quicchat/disk/impl/file_worker.ipp"
#endif

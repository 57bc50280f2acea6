#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// The caller's number for one request to a store of files, returned with its completion.
using FileToken = std::uint64_t;

/// A request to a store of files is over.
struct FileDone {
    FileToken token = 0;
    /// `Errc{}`: success. `no_such_file`: there is none of that key. `file_mismatch`: it is not
    /// what was announced, and is thrown away. `storage_full`: it has no room, and what was there
    /// before is still there. `storage_failed`: the disk reports an error; what was asked is not
    /// done.
    Errc error{};
    std::uint64_t size = 0;  ///< Of `begin`: how much of the file is there.
    bool complete = false;   ///< Of `begin`: all of it, and it was compared with the digest before.
    Bytes bytes{};           ///< Of `read`.
};

/// Keeps the bytes of files. `MemoryFiles` and `DiskFiles` model it; `NoFiles` keeps none.
///
/// A key names a file; it is made of what other people chose, so a store must not take it for a
/// name in a file system. Beyond the signatures a store promises that
///  - a request about a key is done after those that were made before about the same key, and each
///    but `remove` and `keep_only` completes once;
///  - `begin` finds what is there of a file, or makes an empty one; a file that has more bytes than
///    `size` is begun anew;
///  - `write` puts bytes at an offset that is not above what is there;
///  - `finish` compares size and SHA-256. On success the file is complete and outlives a power
///    failure, if the store is one that does; otherwise it is gone;
///  - `read` gives the bytes of a complete file from an offset on, at most `count`, fewer only at
///    its end;
///  - `keep_only` removes all complete files but those with the keys, and what was begun and not
///    touched for `age_max`;
///  - how much is asked at a time is the caller's to bound.
template <class F>
concept FileStore = std::movable<F> &&
    requires(F files, FileToken token, std::string key, std::uint64_t size, Bytes bytes,
             BytesView digest, std::size_t count, std::vector<std::string> keys, Duration age_max) {
    { files.is_offered() } -> std::same_as<bool>;  ///< False: files are `unsupported`.
    { files.begin(token, key, size) } -> std::same_as<void>;
    { files.write(token, key, size, bytes) } -> std::same_as<void>;
    { files.finish(token, key, size, digest) } -> std::same_as<void>;
    { files.read(token, key, size, count) } -> std::same_as<void>;
    { files.remove(key) } -> std::same_as<void>;
    { files.keep_only(keys, age_max) } -> std::same_as<void>;
    { files.poll_done() } -> std::same_as<std::optional<FileDone>>;
};

/// A server that carries no files.
class NoFiles {
public:
    bool is_offered() const { return false; }
    void begin(FileToken, const std::string&, std::uint64_t) {}
    void write(FileToken, const std::string&, std::uint64_t, const Bytes&) {}
    void finish(FileToken, const std::string&, std::uint64_t, BytesView) {}
    void read(FileToken, const std::string&, std::uint64_t, std::size_t) {}
    void remove(const std::string&) {}
    void keep_only(const std::vector<std::string>&, Duration) {}
    std::optional<FileDone> poll_done() { return std::nullopt; }
};

static_assert(FileStore<NoFiles>);

}  // namespace quicchat

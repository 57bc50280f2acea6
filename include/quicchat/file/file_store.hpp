#pragma once

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

/// The token with which `keep_only` completes.
inline constexpr FileToken kept_files_token = 0;

/// The token with which `drop_begun` completes.
inline constexpr FileToken dropped_files_token = 1;

/// A request to a store of files is over.
struct FileDone {
    FileToken token = 0;  ///< Of the request.
    /// `Errc{}`: success. `no_such_file`: there is none of that key. `file_mismatch`: it is not
    /// what was announced, and is thrown away. `storage_full`: there is no room for it, and what
    /// was begun of it is gone, so that it takes none. `storage_failed`: the disk reports an error;
    /// what was asked is not done.
    Errc error{};
    std::uint64_t size = 0;  ///< Of `begin`: how much of the file is there.
    bool complete = false;   ///< Of `begin`: all of it, and it was compared with the digest before.
    Bytes bytes{};           ///< Of `read`.
};

/// Keeps the bytes of files: `MemoryFiles`, `DiskFiles`, or a store of your own; `NoFiles` keeps
/// none.
///
/// A key names a file; it is made of what other people chose, so a store must not take it for a
/// name in a file system. A request about a key is done after those that were made before about the
/// same key, and each but `remove` completes once. How much is asked at a time is the caller's to
/// bound. `tests/conformance/file_conformance.hpp` has a test for each promise.
class FileStore {
public:
    virtual ~FileStore() = default;

    virtual bool is_offered() const = 0;  ///< False: files are `unsupported`.
    /// Finds what is there of a file, or makes an empty one. A file that has more bytes than `size`
    /// is begun anew.
    virtual void begin(FileToken token, const std::string& key, std::uint64_t size) = 0;
    /// Puts bytes at an offset that is not above what is there.
    virtual void write(FileToken token, const std::string& key, std::uint64_t offset,
                       Bytes bytes) = 0;
    /// Compares size and SHA-256. On success the file is complete and outlives a power failure, if
    /// the store is one that does; otherwise it is gone.
    virtual void finish(FileToken token, const std::string& key, std::uint64_t size,
                        BytesView digest) = 0;
    /// Gives the bytes of a complete file from an offset on, at most `count`, fewer only at its
    /// end.
    virtual void read(FileToken token, const std::string& key, std::uint64_t offset,
                      std::size_t count) = 0;
    /// Removes a file, whether or not it is complete. It completes without a word.
    virtual void remove(const std::string& key) = 0;
    /// Removes all complete files but those with the keys, and what was begun and not touched, by
    /// `begin` or `write`, for `age_max`. It completes with `kept_files_token` and, as size, the
    /// bytes of what was begun and is left.
    virtual void keep_only(std::vector<std::string> keys, Duration age_max) = 0;
    /// The same with what was begun, and nothing else. It completes with `dropped_files_token` and
    /// the same size.
    virtual void drop_begun(Duration age_max) = 0;
    /// The oldest completion that was not taken yet.
    virtual std::optional<FileDone> poll_done() = 0;
    /// A descriptor that is readable while `poll_done` has something; nothing if that is so only
    /// after one's own calls.
    virtual std::optional<int> wake_fd() const;

protected:
    FileStore() = default;  // a model decides itself whether it can be copied or moved
    /// Of a model.
    FileStore(const FileStore&) = default;
    /// Of a model.
    FileStore(FileStore&&) = default;
    /// Of a model.
    FileStore& operator=(const FileStore&) = default;
    /// Of a model.
    FileStore& operator=(FileStore&&) = default;
};

/// A server that carries no files.
class NoFiles final : public FileStore {
public:
    bool is_offered() const override { return false; }
    void begin(FileToken, const std::string&, std::uint64_t) override {}
    void write(FileToken, const std::string&, std::uint64_t, Bytes) override {}
    void finish(FileToken, const std::string&, std::uint64_t, BytesView) override {}
    void read(FileToken, const std::string&, std::uint64_t, std::size_t) override {}
    void remove(const std::string&) override {}
    void keep_only(std::vector<std::string>, Duration) override {}
    void drop_begun(Duration) override {}
    std::optional<FileDone> poll_done() override;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/file/impl/file_store.ipp"
#endif

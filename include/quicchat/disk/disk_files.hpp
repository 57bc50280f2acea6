#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/storage_error.hpp"
#include "quicchat/base/worker_thread.hpp"
#include "quicchat/disk/file_worker.hpp"

namespace quicchat {
namespace disk {

/// As `FileStore::begin`.
struct BeginFile {
    /// Its arguments.
    /// @{
    FileToken token = 0;
    std::string key;
    std::uint64_t size = 0;
    /// @}
};
/// As `FileStore::write`.
struct WriteFile {
    /// Its arguments.
    /// @{
    FileToken token = 0;
    std::string key;
    std::uint64_t offset = 0;
    Bytes bytes;
    /// @}
};
/// As `FileStore::finish`.
struct FinishFile {
    /// Its arguments.
    /// @{
    FileToken token = 0;
    std::string key;
    std::uint64_t size = 0;
    Buffer digest;
    /// @}
};
/// As `FileStore::read`.
struct ReadFile {
    /// Its arguments.
    /// @{
    FileToken token = 0;
    std::string key;
    std::uint64_t offset = 0;
    std::size_t count = 0;
    /// @}
};
/// As `FileStore::remove`.
struct RemoveFile {
    std::string key;  ///< Which one.
};
/// As `FileStore::keep_only`.
struct KeepOnly {
    /// Its arguments.
    /// @{
    std::vector<std::string> keys;
    Duration age_max{};
    /// @}
};
/// As `FileStore::drop_begun`.
struct DropBegun {
    Duration age_max{};  ///< Its argument.
};
/// What the thread of a folder can be asked.
using FileOrder =
    std::variant<BeginFile, WriteFile, FinishFile, ReadFile, RemoveFile, KeepOnly, DropBegun>;

/// What is wrong with a folder, in words. `error`: of the system, 0 if it has none.
QUICCHAT_DECL StorageError folder_failure(const std::string& path, const std::string& what,
                                          int error);

/// Opens a folder for files, made if need be, for its owner only, and locks it.
QUICCHAT_DECL StorageResult<OwnedFd> open_folder(const std::string& path);

}  // namespace disk

/// Files in a folder, read and written by a thread of its own, so that the server never waits for
/// the disk. Models FileStore. A handle: it belongs to one thread, the server's.
template <disk::FileCrypto Crypto>
class DiskFiles : public FileStore {
public:
    /// `secret` hides the names; another one makes all files of before strangers. One program at a
    /// time can have a folder.
    static StorageResult<DiskFiles> open(const std::string& path, BytesView secret,
                                         const disk::FolderConfig& config = {});

    bool is_offered() const override { return true; }

    void begin(FileToken token, const std::string& key, std::uint64_t size) override;
    void write(FileToken token, const std::string& key, std::uint64_t offset, Bytes bytes) override;
    void finish(FileToken token, const std::string& key, std::uint64_t size,
                BytesView digest) override;
    void read(FileToken token, const std::string& key, std::uint64_t offset,
              std::size_t count) override;
    void remove(const std::string& key) override { thread_->push(disk::RemoveFile{key}); }
    void keep_only(std::vector<std::string> keys, Duration age_max) override;
    void drop_begun(Duration age_max) override;

    /// If there is none, `wake_fd` is quiet again.
    std::optional<FileDone> poll_done() override;

    /// Readable while `poll_done` has something.
    std::optional<int> wake_fd() const override { return thread_->wake_fd(); }

private:
    class Thread {
    public:
        Thread(disk::FileWorker<Crypto> worker, WakeFd wake);
        Thread(const Thread&) = delete;
        Thread& operator=(const Thread&) = delete;

        void push(disk::FileOrder order);
        std::deque<FileDone> take();
        int wake_fd() const;

    private:
        void work();

        std::optional<FileDone> apply(const disk::FileOrder& order);

        disk::FileWorker<Crypto> worker_;                 ///< Of the thread, once it runs.
        WorkerThread<disk::FileOrder, FileDone> thread_;  ///< The last: it uses the worker.
    };

    explicit DiskFiles(std::shared_ptr<Thread> thread) : thread_(std::move(thread)) {}

    std::shared_ptr<Thread> thread_;
    std::deque<FileDone> done_;
};

}  // namespace quicchat

#include "quicchat/disk/impl/disk_files_templates.ipp"
#ifndef QUICCHAT_COMPILED
#include "quicchat/disk/impl/disk_files.ipp"
#endif

#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

#include "quicchat/base/match.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/storage_error.hpp"
#include "quicchat/base/worker_thread.hpp"
#include "quicchat/disk/file_worker.hpp"

namespace quicchat {
namespace disk {

struct BeginFile {
    FileToken token = 0;
    std::string key;
    std::uint64_t size = 0;
};
struct WriteFile {
    FileToken token = 0;
    std::string key;
    std::uint64_t offset = 0;
    Bytes bytes;
};
struct FinishFile {
    FileToken token = 0;
    std::string key;
    std::uint64_t size = 0;
    Buffer digest;
};
struct ReadFile {
    FileToken token = 0;
    std::string key;
    std::uint64_t offset = 0;
    std::size_t count = 0;
};
struct RemoveFile {
    std::string key;
};
struct KeepOnly {
    std::vector<std::string> keys;
    Duration age_max{};
};
using FileOrder = std::variant<BeginFile, WriteFile, FinishFile, ReadFile, RemoveFile, KeepOnly>;

inline StorageError folder_failure(const std::string& path, const std::string& what, int error) {
    return {Errc::storage_failed, "files '" + path + "': " + what + (error != 0 ? ": " : "") +
                                      (error != 0 ? std::strerror(error) : "")};
}

/// Opens a folder for files, made if need be, for its owner only, and locks it.
inline StorageResult<OwnedFd> open_folder(const std::string& path) {
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

}  // namespace disk

/// Files in a folder, read and written by a thread of its own, so that the server never waits for
/// the disk. Models FileStore. A handle: it belongs to one thread, the server's.
template <disk::FileCrypto Crypto>
class DiskFiles : public FileStore {
public:
    /// `secret` hides the names; another one makes all files of before strangers. One program at a
    /// time can have a folder.
    static StorageResult<DiskFiles> open(const std::string& path, BytesView secret,
                                         const disk::FolderConfig& config = {}) {
        auto folder = disk::open_folder(path);
        if (!folder) return folder.error();
        WakeFd wake;
        if (!wake.is_open()) return disk::folder_failure(path, "eventfd", errno);
        return DiskFiles{std::make_shared<Thread>(
            disk::FileWorker<Crypto>{*std::move(folder), secret, config}, std::move(wake))};
    }

    bool is_offered() const override { return true; }

    void begin(FileToken token, const std::string& key, std::uint64_t size) override {
        thread_->push(disk::BeginFile{token, key, size});
    }
    void write(FileToken token, const std::string& key, std::uint64_t offset,
               Bytes bytes) override {
        thread_->push(disk::WriteFile{token, key, offset, std::move(bytes)});
    }
    void finish(FileToken token, const std::string& key, std::uint64_t size,
                BytesView digest) override {
        thread_->push(disk::FinishFile{token, key, size, Buffer(digest.begin(), digest.end())});
    }
    void read(FileToken token, const std::string& key, std::uint64_t offset,
              std::size_t count) override {
        thread_->push(disk::ReadFile{token, key, offset, count});
    }
    void remove(const std::string& key) override { thread_->push(disk::RemoveFile{key}); }
    void keep_only(std::vector<std::string> keys, Duration age_max) override {
        thread_->push(disk::KeepOnly{std::move(keys), age_max});
    }

    /// If there is none, `wake_fd` is quiet again.
    std::optional<FileDone> poll_done() override {
        if (done_.empty()) done_ = thread_->take();
        return pop_front(done_);
    }

    /// Readable while `poll_done` has something.
    std::optional<int> wake_fd() const override { return thread_->wake_fd(); }

private:
    class Thread {
    public:
        Thread(disk::FileWorker<Crypto> worker, WakeFd wake)
            : worker_(std::move(worker)), thread_(std::move(wake)) {
            thread_.start([this] { work(); });
        }
        Thread(const Thread&) = delete;
        Thread& operator=(const Thread&) = delete;

        void push(disk::FileOrder order) { thread_.push(std::move(order)); }
        std::deque<FileDone> take() { return thread_.take_answers(); }
        int wake_fd() const { return thread_.wake_fd(); }

    private:
        void work() {
            const auto weight = [](const disk::FileOrder&) -> std::size_t { return 1; };
            while (thread_.wait()) {
                for (const disk::FileOrder& order : thread_.take_orders(1, weight)) {
                    if (auto done = apply(order)) thread_.answer({*std::move(done)});
                }
            }
        }

        std::optional<FileDone> apply(const disk::FileOrder& order) {
            using Done = std::optional<FileDone>;
            return match(
                order,
                [&](const disk::BeginFile& o) -> Done {
                    return worker_.begin(o.token, o.key, o.size);
                },
                [&](const disk::WriteFile& o) -> Done {
                    return worker_.write(o.token, o.key, o.offset, o.bytes.view());
                },
                [&](const disk::FinishFile& o) -> Done {
                    return worker_.finish(o.token, o.key, o.size, o.digest);
                },
                [&](const disk::ReadFile& o) -> Done {
                    return worker_.read(o.token, o.key, o.offset, o.count);
                },
                [&](const disk::RemoveFile& o) -> Done {
                    worker_.remove(o.key);
                    return std::nullopt;
                },
                [&](const disk::KeepOnly& o) -> Done {
                    worker_.keep_only(o.keys, o.age_max);
                    return std::nullopt;
                });
        }

        disk::FileWorker<Crypto> worker_;                 ///< Of the thread, once it runs.
        WorkerThread<disk::FileOrder, FileDone> thread_;  ///< The last: it uses the worker.
    };

    explicit DiskFiles(std::shared_ptr<Thread> thread) : thread_(std::move(thread)) {}

    std::shared_ptr<Thread> thread_;
    std::deque<FileDone> done_;
};

}  // namespace quicchat

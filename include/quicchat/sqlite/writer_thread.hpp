#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/storage_error.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/base/worker_thread.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/writer.hpp"

namespace quicchat::sqlite {

/// How many appends share a commit, and so a sync of the disk.
struct CommitConfig {
    std::size_t records_per_commit_max = 256;  ///< Appends of one commit, at most.
    /// A commit takes in what arrives while it is prepared, for so long. It never waits for more.
    Duration commit_delay_max = std::chrono::milliseconds{2};
    int wal_pages_max = 4000;  ///< Above that the WAL is moved into the file: 16 MB.
};

/// Runs a Writer in a thread of its own. One other thread, always the same, asks and takes the
/// answers; `failure` and `trouble` may be called by any. At its end it commits what is queued.
class WriterThread {
public:
    /// Begins the thread. `wake` must be open.
    WriterThread(Writer writer, CommitConfig config, WakeFd wake);
    WriterThread(const WriterThread&) = delete;
    WriterThread& operator=(const WriterThread&) = delete;

    /// Behind those that were pushed before. Only appends and dropped records are answered.
    void push(Operation&& operation);

    /// Has the records of a room before `first` deleted along with the next commit, which this does
    /// not bring about.
    void trim(RoomKey room, Offset first);

    /// The answers since the last call, in order. If there are none, `wake_fd` is quiet again.
    std::deque<WriteDone> take_answers();

    /// See `Writer::saved`. Of any thread.
    SaveTicket saved() const { return saved_.load(std::memory_order_acquire); }

    /// See `Writer::failure`. Of any thread.
    std::optional<StorageError> failure() const;

    /// See `Writer::trouble`. Of any thread.
    std::optional<StorageError> trouble() const;

    /// Readable when there are answers, or `saved` has grown.
    int wake_fd() const;

private:
    /// Makes one of two changes of a room's state in a row.
    static bool join(Operation& last, Operation& next);

    void work();

    void commit();

    bool has_trims() const;

    std::map<RoomKey, Offset> take_trims();

    /// Hands the queue to the writer until the commit is full or the queue empty.
    void fill();

    void publish(std::vector<WriteDone> answers);

    Writer writer_;  ///< Of the thread, once it runs.
    const CommitConfig config_;

    mutable std::mutex mutex_;  ///< Guards what follows.
    std::map<RoomKey, Offset> trims_;
    std::optional<StorageError> failure_;
    std::optional<StorageError> trouble_;

    std::atomic<SaveTicket> saved_{0};
    WorkerThread<Operation, WriteDone> thread_;  ///< The last: it uses all others.
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/writer_thread.ipp"
#endif

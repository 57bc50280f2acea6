#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/base/time.hpp"
#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/writer.hpp"

namespace quicchat::sqlite {

/// How many appends share a commit, and so a sync of the disk.
struct CommitConfig {
    std::size_t records_per_commit_max = 256;
    /// A commit takes in what arrives while it is prepared, for so long. It never waits for more.
    Duration commit_delay_max = std::chrono::milliseconds{2};
    int wal_pages_max = 4000;  ///< Above that the WAL is moved into the file: 16 MB.
};

/// Runs a Writer in a thread of its own. One other thread, always the same, asks and takes the
/// answers; `failure` may be called by any.
class WriterThread {
public:
    /// `wake` is from `make_wake_fd`.
    WriterThread(Writer writer, CommitConfig config, detail::OwnedFile wake)
        : writer_(std::move(writer)),
          config_(config),
          wake_(std::move(wake)),
          thread_([this] { work(); }) {}
    WriterThread(const WriterThread&) = delete;
    WriterThread& operator=(const WriterThread&) = delete;

    /// What wakes the asking thread. It may be that there is none left.
    static detail::OwnedFile make_wake_fd() {
        return detail::OwnedFile{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    }

    /// Commits what is queued, then ends.
    ~WriterThread() {
        {
            const std::lock_guard lock{mutex_};
            ending_ = true;
        }
        asked_.notify_one();
        thread_.join();
    }

    void push(Operation operation) {
        bool was_empty = false;
        {
            const std::lock_guard lock{mutex_};
            was_empty = queue_.empty();
            if (was_empty || !join(queue_.back(), operation))
                queue_.push_back(std::move(operation));
        }
        if (was_empty) asked_.notify_one();
    }

    /// Has the records of a room before `first` deleted along with the next commit, which this does
    /// not bring about.
    void trim(RoomKey room, Offset first) {
        const std::lock_guard lock{mutex_};
        trims_[room] = first;
    }

    /// The answers since the last call, in order. If there are none, `wake_fd` is quiet again.
    std::deque<AppendDone> take_answers() {
        const std::lock_guard lock{mutex_};
        if (answers_.empty()) {
            std::uint64_t count = 0;
            (void)!::read(wake_.fd(), &count, sizeof count);
        }
        return std::exchange(answers_, {});
    }

    SaveTicket saved() const { return saved_.load(std::memory_order_acquire); }

    std::optional<StorageError> failure() const {
        const std::lock_guard lock{mutex_};
        return failure_;
    }

    std::optional<StorageError> trouble() const {
        const std::lock_guard lock{mutex_};
        return trouble_;
    }

    int wake_fd() const { return wake_.fd(); }

private:
    using Lock = std::unique_lock<std::mutex>;

    /// Makes one of two changes of a room's state in a row.
    static bool join(Operation& last, Operation& next) {
        auto* const earlier = std::get_if<StoreState>(&last);
        auto* const later = std::get_if<StoreState>(&next);
        if (earlier == nullptr || later == nullptr || earlier->room != later->room) return false;
        earlier->add(std::move(*later));
        return true;
    }

    void work() {
        Lock lock{mutex_};
        while (!ending_ || !queue_.empty() || !trims_.empty()) {
            const auto is_asked = [this] { return ending_ || !queue_.empty(); };
            if (writer_.has_postponed()) {  // somebody may make room on the disk
                asked_.wait_for(lock, std::chrono::seconds{1}, is_asked);
            } else {
                asked_.wait(lock, is_asked);
            }
            fill(lock);
            lock.unlock();
            std::vector<AppendDone> answers = writer_.commit();
            lock.lock();
            publish(std::move(answers));
            lock.unlock();
            writer_.checkpoint_above(config_.wal_pages_max);
            lock.lock();
        }
        lock.unlock();
        writer_.close();
    }

    /// Hands the queue to the writer until the commit is full or the queue empty.
    void fill(Lock& lock) {
        const auto begin = std::chrono::steady_clock::now();
        for (const auto& [room, first] : std::exchange(trims_, {})) {
            writer_.add(TrimRoom{room, first});
        }
        while (!queue_.empty() && writer_.appends() < config_.records_per_commit_max) {
            std::size_t room = config_.records_per_commit_max - writer_.appends();
            std::vector<Operation> taken;
            while (!queue_.empty() && room > 0) {
                room -= std::holds_alternative<AppendRecord>(queue_.front()) ? 1 : 0;
                taken.push_back(std::move(queue_.front()));
                queue_.pop_front();
            }
            lock.unlock();
            for (Operation& operation : taken) writer_.add(std::move(operation));
            const bool late = std::chrono::steady_clock::now() - begin > config_.commit_delay_max;
            lock.lock();
            if (late) return;
        }
    }

    void publish(std::vector<AppendDone> answers) {
        const bool saved_more = writer_.saved() != saved_.load(std::memory_order_relaxed);
        const bool has_failed = writer_.failure() && !failure_;
        if (has_failed) failure_ = writer_.failure();
        const bool is_news = writer_.trouble().has_value() != trouble_.has_value();
        trouble_ = writer_.trouble();
        saved_.store(writer_.saved(), std::memory_order_release);
        for (AppendDone& answer : answers) answers_.push_back(std::move(answer));
        if (answers.empty() && !saved_more && !has_failed && !is_news) return;
        const std::uint64_t one = 1;
        (void)!::write(wake_.fd(), &one, sizeof one);
    }

    Writer writer_;  ///< Of the thread, once it runs.
    const CommitConfig config_;
    const detail::OwnedFile wake_;

    mutable std::mutex mutex_;  ///< Guards what follows.
    std::condition_variable asked_;
    std::deque<Operation> queue_;
    std::map<RoomKey, Offset> trims_;
    std::deque<AppendDone> answers_;
    std::optional<StorageError> failure_;
    std::optional<StorageError> trouble_;
    bool ending_ = false;

    std::atomic<SaveTicket> saved_{0};
    std::thread thread_;  ///< The last: it uses all others.
};

}  // namespace quicchat::sqlite

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
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
    std::size_t records_per_commit_max = 256;
    /// A commit takes in what arrives while it is prepared, for so long. It never waits for more.
    Duration commit_delay_max = std::chrono::milliseconds{2};
    int wal_pages_max = 4000;  ///< Above that the WAL is moved into the file: 16 MB.
};

/// Runs a Writer in a thread of its own. One other thread, always the same, asks and takes the
/// answers; `failure` and `trouble` may be called by any. At its end it commits what is queued.
class WriterThread {
public:
    WriterThread(Writer writer, CommitConfig config, WakeFd wake)
        : writer_(std::move(writer)), config_(config), thread_(std::move(wake)) {
        thread_.start([this] { work(); });
    }
    WriterThread(const WriterThread&) = delete;
    WriterThread& operator=(const WriterThread&) = delete;

    void push(Operation operation) { thread_.push(std::move(operation), join); }

    /// Has the records of a room before `first` deleted along with the next commit, which this does
    /// not bring about.
    void trim(RoomKey room, Offset first) {
        const std::lock_guard lock{mutex_};
        trims_[room] = first;
    }

    /// The answers since the last call, in order. If there are none, `wake_fd` is quiet again.
    std::deque<AppendDone> take_answers() { return thread_.take_answers(); }

    SaveTicket saved() const { return saved_.load(std::memory_order_acquire); }

    std::optional<StorageError> failure() const {
        const std::lock_guard lock{mutex_};
        return failure_;
    }

    std::optional<StorageError> trouble() const {
        const std::lock_guard lock{mutex_};
        return trouble_;
    }

    int wake_fd() const { return thread_.wake_fd(); }

private:
    /// Makes one of two changes of a room's state in a row.
    static bool join(Operation& last, Operation& next) {
        auto* const earlier = std::get_if<StoreState>(&last);
        auto* const later = std::get_if<StoreState>(&next);
        if (earlier == nullptr || later == nullptr || earlier->room != later->room) return false;
        earlier->add(std::move(*later));
        return true;
    }

    void work() {
        constexpr auto pause = std::chrono::seconds{1};  // somebody may make room on the disk
        while (
            thread_.wait(writer_.has_postponed() ? std::optional<Duration>{pause} : std::nullopt)) {
            commit();
        }
        if (has_trims()) commit();
        writer_.close();
    }

    void commit() {
        fill();
        publish(writer_.commit());
        writer_.checkpoint_above(config_.wal_pages_max);
    }

    bool has_trims() const {
        const std::lock_guard lock{mutex_};
        return !trims_.empty();
    }

    std::map<RoomKey, Offset> take_trims() {
        const std::lock_guard lock{mutex_};
        return std::exchange(trims_, {});
    }

    /// Hands the queue to the writer until the commit is full or the queue empty.
    void fill() {
        const auto begin = std::chrono::steady_clock::now();
        const auto weight = [](const Operation& operation) -> std::size_t {
            return std::holds_alternative<AppendRecord>(operation) ? 1 : 0;
        };
        for (const auto& [room, first] : take_trims()) writer_.add(TrimRoom{room, first});
        while (writer_.appends() < config_.records_per_commit_max) {
            std::vector<Operation> taken =
                thread_.take_orders(config_.records_per_commit_max - writer_.appends(), weight);
            if (taken.empty()) return;
            for (Operation& operation : taken) writer_.add(std::move(operation));
            if (std::chrono::steady_clock::now() - begin > config_.commit_delay_max) return;
        }
    }

    void publish(std::vector<AppendDone> answers) {
        bool is_news = writer_.saved() != saved_.load(std::memory_order_relaxed);
        {
            const std::lock_guard lock{mutex_};
            is_news |= writer_.failure().has_value() != failure_.has_value() ||
                       writer_.trouble().has_value() != trouble_.has_value();
            failure_ = writer_.failure();
            trouble_ = writer_.trouble();
        }
        saved_.store(writer_.saved(), std::memory_order_release);
        if (!answers.empty() || is_news) thread_.answer(std::move(answers));
    }

    Writer writer_;  ///< Of the thread, once it runs.
    const CommitConfig config_;

    mutable std::mutex mutex_;  ///< Guards what follows.
    std::map<RoomKey, Offset> trims_;
    std::optional<StorageError> failure_;
    std::optional<StorageError> trouble_;

    std::atomic<SaveTicket> saved_{0};
    WorkerThread<Operation, AppendDone> thread_;  ///< The last: it uses all others.
};

}  // namespace quicchat::sqlite

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// A thread that does in order what another one asks, always the same, and a descriptor that is
/// readable when it has answered. It ends when all is done that was asked.
template <class Order, class Answer>
class WorkerThread {
public:
    /// `wake` must be open. The thread begins with `start`.
    explicit WorkerThread(WakeFd wake) : wake_(std::move(wake)) {}
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;
    ~WorkerThread() {
        {
            const std::lock_guard lock{mutex_};
            ending_ = true;
        }
        asked_.notify_one();
        if (thread_.joinable()) thread_.join();
    }

    /// Begins to `work`, which calls `wait` until that is false, and `take_orders` and `answer` in
    /// between. What it uses must outlive this.
    template <class Work>
    void start(Work work) {
        thread_ = std::thread{std::move(work)};
    }

    // What the asking thread calls.

    /// Behind all that wait. Wakes the thread if it has nothing else to do.
    void push(Order order) {
        push(std::move(order), [](Order&, Order&) { return false; });
    }

    /// If `join` makes one order of the newest that waits and of this one, there is no other.
    template <class Join>
    void push(Order&& order, const Join& join) {
        bool was_empty = false;
        {
            const std::lock_guard lock{mutex_};
            was_empty = orders_.empty();
            if (was_empty || !join(orders_.back(), order)) orders_.push_back(std::move(order));
        }
        if (was_empty) asked_.notify_one();
    }

    /// The answers since the last call, in order. If there are none, `wake_fd` is quiet again.
    std::deque<Answer> take_answers() {
        const std::lock_guard lock{mutex_};
        if (answers_.empty()) wake_.calm();
        return std::exchange(answers_, {});
    }

    /// Readable when `take_answers` is to be called; always the same, and stays this object's.
    int wake_fd() const { return wake_.fd(); }

    // What the thread itself calls.

    /// Waits for an order, so long at most. False: nothing is left to do.
    bool wait(std::optional<Duration> most = std::nullopt) {
        std::unique_lock lock{mutex_};
        const auto is_asked = [this] { return ending_ || !orders_.empty(); };
        if (most) {
            asked_.wait_for(lock, *most, is_asked);
        } else {
            asked_.wait(lock, is_asked);
        }
        return !ending_ || !orders_.empty();
    }

    /// The oldest orders, until together they have so much `weight`.
    template <class Weight>
    std::vector<Order> take_orders(std::size_t most, const Weight& weight) {
        std::vector<Order> taken;
        take_orders(taken, most, weight);
        return taken;
    }

    /// The same behind those that are in `taken`, whose memory is used again and again.
    template <class Weight>
    void take_orders(std::vector<Order>& taken, std::size_t most, const Weight& weight) {
        const std::lock_guard lock{mutex_};
        for (std::size_t sum = 0; !orders_.empty() && sum < most;) {
            sum += weight(orders_.front());
            taken.push_back(std::move(orders_.front()));
            orders_.pop_front();
        }
    }

    /// Wakes the asking thread, also if there are no answers.
    void answer(std::vector<Answer> answers) {
        {
            const std::lock_guard lock{mutex_};
            for (Answer& answer : answers) answers_.push_back(std::move(answer));
        }
        wake_.wake();
    }

private:
    const WakeFd wake_;
    std::mutex mutex_;  ///< Guards what follows.
    std::condition_variable asked_;
    std::deque<Order> orders_;
    std::deque<Answer> answers_;
    bool ending_ = false;
    std::thread thread_;  ///< The last: it uses all others.
};

}  // namespace quicchat

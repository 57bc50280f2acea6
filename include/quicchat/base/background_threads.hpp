#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "quicchat/base/background.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"

namespace quicchat {

/// Threads that run long tasks for any number of others, the oldest first. They begin when they are
/// needed.
class BackgroundThreads {
public:
    /// One less than there are processors, so that whoever asks has one for itself; at least one.
    static std::size_t usual_count();

    /// At most so many run at a time; a thread is started when a task finds none that is idle.
    explicit BackgroundThreads(std::size_t threads_max = usual_count());
    BackgroundThreads(const BackgroundThreads&) = delete;
    BackgroundThreads& operator=(const BackgroundThreads&) = delete;
    /// Waits for the tasks that run. Those that were not begun are dropped.
    ~BackgroundThreads();

    /// For one that asks. It may outlive this; what it begins then is done at once.
    std::unique_ptr<Background> open();

private:
    class Asker;

    /// What was done for one that asks.
    struct Done {
        WakeFd wake;
        std::mutex mutex;  ///< Guards what follows.
        std::deque<std::shared_ptr<LongTask>> tasks;
        bool is_awake = false;  ///< The descriptor is readable.

        void add(std::shared_ptr<LongTask> task);
    };
    using Order = std::pair<std::shared_ptr<Done>, std::shared_ptr<LongTask>>;

    /// What the threads share.
    struct Pool {
        const std::size_t threads_max;
        std::mutex mutex;  ///< Guards what follows.
        std::condition_variable asked;
        std::deque<Order> orders;
        std::vector<std::thread> threads;
        std::size_t idle = 0;
        bool ending = false;

        explicit Pool(std::size_t most) : threads_max(most) {}

        /// True if there is a thread for one more order.
        bool has_thread(const std::shared_ptr<Pool>& self);

        void work();
    };

    std::shared_ptr<Pool> pool_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/background_threads.ipp"
#endif

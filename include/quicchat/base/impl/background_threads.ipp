#pragma once

#include "quicchat/base/background_threads.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace quicchat {

class BackgroundThreads::Asker final : public Background {
public:
    explicit Asker(std::shared_ptr<Pool> pool)
        : pool_(std::move(pool)), done_(std::make_shared<Done>()) {}
    Asker(const Asker&) = delete;
    Asker& operator=(const Asker&) = delete;
    ~Asker() override {
        const std::lock_guard lock{pool_->mutex};
        std::erase_if(pool_->orders, [&](const Order& order) { return order.first == done_; });
    }

    void begin(std::shared_ptr<LongTask> task) override {
        {
            const std::lock_guard lock{pool_->mutex};
            if (done_->wake.is_open() && pool_->has_thread(pool_)) {
                pool_->orders.emplace_back(done_, std::move(task));
                pool_->asked.notify_one();
                return;
            }
        }
        // The system has no thread or no descriptor left: slow, but done.
        task->run();
        done_->add(std::move(task));
    }

    std::shared_ptr<LongTask> poll_done() override {
        const std::lock_guard lock{done_->mutex};
        if (done_->tasks.empty()) {
            if (std::exchange(done_->is_awake, false)) done_->wake.calm();
            return nullptr;
        }
        std::shared_ptr<LongTask> task = std::move(done_->tasks.front());
        done_->tasks.pop_front();
        return task;
    }

    std::optional<int> wake_fd() const override {
        if (!done_->wake.is_open()) return std::nullopt;
        return done_->wake.fd();
    }

private:
    const std::shared_ptr<Pool> pool_;
    const std::shared_ptr<Done> done_;
};

QUICCHAT_DECL std::size_t BackgroundThreads::usual_count() {
    return std::max(std::thread::hardware_concurrency(), 2u) - 1;
}

QUICCHAT_DECL BackgroundThreads::BackgroundThreads(std::size_t threads_max)
    : pool_(std::make_shared<Pool>(threads_max)) {}

QUICCHAT_DECL BackgroundThreads::~BackgroundThreads() {
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock{pool_->mutex};
        pool_->ending = true;
        pool_->orders.clear();
        threads.swap(pool_->threads);
    }
    pool_->asked.notify_all();
    for (std::thread& thread : threads) thread.join();
}

QUICCHAT_DECL std::unique_ptr<Background> BackgroundThreads::open() {
    return std::make_unique<Asker>(pool_);
}

QUICCHAT_DECL void BackgroundThreads::Done::add(std::shared_ptr<LongTask> task) {
    const std::lock_guard lock{mutex};
    tasks.push_back(std::move(task));
    if (!wake.is_open()) return;
    is_awake = true;
    wake.wake();  // with the lock, or else it would be awake for nothing
}

QUICCHAT_DECL bool BackgroundThreads::Pool::has_thread(const std::shared_ptr<Pool>& self) {
    if (ending) return false;
    if (idle > orders.size() || threads.size() >= threads_max) return true;
    try {
        threads.emplace_back([self] { self->work(); });
    } catch (const std::system_error&) {  // as many as the system allows
    }
    return !threads.empty();
}

QUICCHAT_DECL void BackgroundThreads::Pool::work() {
    std::unique_lock lock{mutex};
    while (true) {
        ++idle;
        asked.wait(lock, [this] { return ending || !orders.empty(); });
        --idle;
        if (orders.empty()) return;
        Order order = std::move(orders.front());
        orders.pop_front();
        lock.unlock();
        order.second->run();
        order.first->add(std::move(order.second));
        order = {};  // what nobody waits for any more ends here, without the lock
        lock.lock();
    }
}

}  // namespace quicchat

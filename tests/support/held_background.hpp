#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "quicchat/base/background.hpp"

namespace quicchat::test {

/// Long tasks that are done when the test says so.
class HeldTasks {
public:
    /// For one that asks. It does not outlive this.
    std::unique_ptr<Background> open() { return std::make_unique<Asker>(*this); }

    std::size_t waiting() const { return waiting_.size(); }

    /// The oldest that waits is done now.
    void release_one() {
        waiting_.front()->run();
        done_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }

    /// All that wait are.
    void release() {
        while (!waiting_.empty()) release_one();
    }

private:
    struct Asker final : Background {
        explicit Asker(HeldTasks& held) : held_(&held) {}

        void begin(std::shared_ptr<LongTask> task) override {
            held_->waiting_.push_back(std::move(task));
        }
        std::shared_ptr<LongTask> poll_done() override {
            if (held_->done_.empty()) return nullptr;
            auto task = std::move(held_->done_.front());
            held_->done_.pop_front();
            return task;
        }

        HeldTasks* held_;
    };

    std::deque<std::shared_ptr<LongTask>> waiting_;
    std::deque<std::shared_ptr<LongTask>> done_;
};

}  // namespace quicchat::test

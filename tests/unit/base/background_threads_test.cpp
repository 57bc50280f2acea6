#include <poll.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/background_threads.hpp"
#include "support/patience.hpp"

using namespace quicchat;

namespace {

/// Says when it runs, and does until it may end.
class Wait final : public LongTask {
public:
    void run() override {
        began.set_value();
        may_end.get_future().wait();
        ended = true;
    }

    std::promise<void> began;
    std::promise<void> may_end;
    std::atomic<bool> ended{false};
};

class Note final : public LongTask {
public:
    explicit Note(std::shared_ptr<std::atomic<int>> count) : count_(std::move(count)) {}
    void run() override { thread = std::this_thread::get_id(), ++*count_; }

    std::thread::id thread{};

private:
    std::shared_ptr<std::atomic<int>> count_;
};

bool is_awake(const Background& background, Duration time = {}) {
    pollfd wake{background.wake_fd().value(), POLLIN, 0};
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    return ::poll(&wake, 1, static_cast<int>(milliseconds.count())) == 1;
}

}  // namespace

TEST_CASE("background threads", "[base]") {
    const auto count = std::make_shared<std::atomic<int>>(0);
    const Duration long_enough = test::patience(std::chrono::seconds{10});

    SECTION("run tasks beside the thread that asks, and wake it") {
        BackgroundThreads threads{1};
        const auto background = threads.open();
        CHECK_FALSE(is_awake(*background));
        CHECK(background->poll_done() == nullptr);
        const auto task = std::make_shared<Note>(count);
        background->begin(task);
        REQUIRE(is_awake(*background, long_enough));
        CHECK(background->poll_done() == task);
        CHECK(task->thread != std::this_thread::get_id());
        CHECK(background->poll_done() == nullptr);
        CHECK_FALSE(is_awake(*background));
    }
    SECTION("give each who asks its own, and run some at once") {
        BackgroundThreads threads{2};
        const auto one = threads.open();
        const auto other = threads.open();
        const auto slow = std::make_shared<Wait>();
        const auto quick = std::make_shared<Note>(count);
        one->begin(slow);
        slow->began.get_future().wait();
        other->begin(quick);
        REQUIRE(is_awake(*other, long_enough));
        CHECK(other->poll_done() == quick);
        CHECK(one->poll_done() == nullptr);
        slow->may_end.set_value();
        REQUIRE(is_awake(*one, long_enough));
        CHECK(one->poll_done() == slow);
    }
    SECTION("do not hold up who ends, and drop what it had asked for") {
        BackgroundThreads threads{1};
        auto gone = threads.open();
        const auto stays = threads.open();
        const auto slow = std::make_shared<Wait>();
        gone->begin(slow);
        slow->began.get_future().wait();
        gone->begin(std::make_shared<Note>(count));
        stays->begin(std::make_shared<Note>(count));
        gone.reset();
        CHECK_FALSE(slow->ended);
        slow->may_end.set_value();
        REQUIRE(is_awake(*stays, long_enough));
        CHECK(*count == 1);
    }
    SECTION("wait at their end for what runs, and for nothing else") {
        const auto slow = std::make_shared<Wait>();
        std::unique_ptr<Background> background;
        std::unique_ptr<Background> other;
        std::thread helper;
        {
            BackgroundThreads threads{1};
            background = threads.open();
            other = threads.open();
            background->begin(slow);
            slow->began.get_future().wait();
            helper = std::thread{[&] {
                // Waits behind the slow one, until there are no threads any more.
                while (*count == 0) other->begin(std::make_shared<Note>(count));
                slow->may_end.set_value();
            }};
        }
        helper.join();
        CHECK(slow->ended);
        CHECK(background->poll_done() == slow);
        CHECK(*count == 1);  // what waited was dropped; who outlives them does its tasks itself
        CHECK(other->poll_done() != nullptr);
        CHECK(other->poll_done() == nullptr);
    }
}

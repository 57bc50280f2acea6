#include <poll.h>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/worker_thread.hpp"

using namespace quicchat;

namespace {

using Doubler = WorkerThread<int, int>;

bool is_awake(const Doubler& thread, int milliseconds) {
    pollfd wake{thread.wake_fd(), POLLIN, 0};
    return ::poll(&wake, 1, milliseconds) == 1;
}

void work(Doubler& thread, std::size_t at_once) {
    const auto weight = [](int) { return std::size_t{1}; };
    while (thread.wait()) {
        std::vector<int> doubled;
        for (const int number : thread.take_orders(at_once, weight)) doubled.push_back(2 * number);
        thread.answer(std::move(doubled));
    }
}

}  // namespace

TEST_CASE("a worker thread", "[base]") {
    SECTION("does in order what it is asked, and wakes who asked") {
        Doubler thread{WakeFd{}};
        thread.start([&] { work(thread, 7); });
        CHECK_FALSE(is_awake(thread, 20));
        for (int i = 0; i < 1000; ++i) thread.push(i);
        int next = 0;
        while (next < 1000) {
            REQUIRE(is_awake(thread, 10'000));
            for (const int answer : thread.take_answers()) CHECK(answer == 2 * next++);
        }
        while (is_awake(thread, 0)) CHECK(thread.take_answers().empty());
        CHECK_FALSE(is_awake(thread, 20));
    }
    SECTION("makes one order of two that can be joined") {
        Doubler thread{WakeFd{}};
        const auto add = [](int& last, int& next) { return last += next, true; };
        for (int i = 1; i <= 4; ++i) thread.push(int{i}, add);
        thread.start([&] { work(thread, 1); });
        REQUIRE(is_awake(thread, 10'000));
        CHECK(thread.take_answers().front() == 20);
    }
    SECTION("ends when all is done, also what nobody waits for") {
        int sum = 0;
        {
            Doubler thread{WakeFd{}};
            for (int i = 1; i <= 100; ++i) thread.push(i);
            thread.start([&] {
                const auto weight = [](int) { return std::size_t{1}; };
                while (thread.wait()) {
                    for (const int number : thread.take_orders(3, weight)) sum += number;
                }
            });
        }
        CHECK(sum == 5050);
    }
    SECTION("waits no longer than it is told") {
        Doubler thread{WakeFd{}};
        CHECK(thread.wait(std::chrono::milliseconds{1}));
    }
    SECTION("need not have begun") { const Doubler thread{WakeFd{}}; }
}

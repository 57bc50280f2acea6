#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/queue.hpp"

using namespace quicchat;

TEST_CASE("a queue gives what it got, in order", "[queue]") {
    Entropy random = Entropy::seeded(1);
    Queue<std::size_t> queue;
    std::deque<std::size_t> model;
    std::size_t pushed = 0;
    std::size_t longest = 0;
    for (int step = 0; step < 20'000; ++step) {
        // It grows, shrinks and is empty by turns.
        const bool grows = random.draw_number() % 100 < (step / 1000 % 2 == 0 ? 60u : 35u);
        if (grows) {
            queue.push_back(++pushed);
            model.push_back(pushed);
        } else {
            const auto taken = pop_front(queue);
            REQUIRE(taken == pop_front(model));
        }
        longest = std::max(longest, model.size());
        REQUIRE(std::equal(queue.begin(), queue.end(), model.begin(), model.end()));
        REQUIRE(queue.size() == model.size());
        if (!model.empty()) REQUIRE(queue[model.size() / 2] == model[model.size() / 2]);
    }
    CHECK(longest > 100);
    CHECK(pushed > 5000);
}

TEST_CASE("a queue lets go of what was taken from it", "[queue]") {
    const auto value = std::make_shared<int>(1);
    Queue<std::shared_ptr<int>> queue;
    queue.push_back(value);
    queue.push_back(value);
    queue.pop_front();
    CHECK(value.use_count() == 2);
    queue.clear();
    CHECK(value.use_count() == 1);
    CHECK_FALSE(pop_front(queue));
}

TEST_CASE("a queue keeps little memory when it is empty", "[queue]") {
    Queue<std::size_t> queue;
    CHECK(queue.capacity() == 0);
    for (std::size_t i = 0; i < 1000; ++i) queue.push_back(i);
    REQUIRE(queue.capacity() >= 1000);
    while (pop_front(queue)) continue;
    CHECK(queue.capacity() * sizeof(std::size_t) <= 512);
    queue.push_back(1);
    queue.pop_front();
    CHECK(queue.capacity() > 0);  // what a single message needs is not got anew for each
}

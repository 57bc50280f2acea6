#include "quicchat/base/deadline_queue.hpp"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

TEST_CASE("a queue of deadlines") {
    DeadlineQueue<std::string> queue;
    const auto at = [](int seconds) { return TimePoint{std::chrono::seconds{seconds}}; };
    CHECK_FALSE(queue.next());
    CHECK_FALSE(queue.take_due(at(100)));
    queue.set("b", at(20));
    queue.set("a", at(10));
    queue.set("c", at(10));
    CHECK(queue.next() == at(10));

    SECTION("gives what is due, in order, each once") {
        CHECK_FALSE(queue.take_due(at(9)));
        CHECK(queue.take_due(at(10)) == "a");
        CHECK(queue.take_due(at(10)) == "c");
        CHECK_FALSE(queue.take_due(at(10)));
        CHECK(queue.next() == at(20));
    }
    SECTION("has one deadline for each key, the latest that was set") {
        queue.set("a", at(30));
        CHECK(queue.take_due(at(100)) == "c");
        CHECK(queue.take_due(at(100)) == "b");
        CHECK(queue.take_due(at(100)) == "a");
        CHECK_FALSE(queue.next());
    }
    SECTION("forgets what is erased") {
        queue.erase("a");
        queue.erase("none");
        CHECK_FALSE(queue.contains("a"));
        CHECK(queue.contains("b"));
        CHECK(queue.take_due(at(100)) == "c");
    }
}

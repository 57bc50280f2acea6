#include "quicchat/server/people/online_users.hpp"

#include <catch2/catch_test_macros.hpp>

namespace quicchat::test {
namespace {

TEST_CASE("somebody who comes and goes all the time hides nobody else's news") {
    OnlineUsers users;
    users.watch(true);
    users.add("Aaa", ConnectionId{1});
    users.add("zed", ConnectionId{2});
    CHECK(users.poll_change() == "aaa");
    users.remove("Aaa", ConnectionId{1});
    CHECK(users.poll_change() == "zed");
    CHECK(users.poll_change() == "aaa");
    CHECK_FALSE(users.poll_change());

    users.watch(false);
    users.add("Aaa", ConnectionId{3});
    CHECK_FALSE(users.poll_change());
}

}  // namespace
}  // namespace quicchat::test

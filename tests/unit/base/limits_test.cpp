#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/limits.hpp"

namespace quicchat {
namespace {

TEST_CASE("the limits fit together", "[base]") {
    constexpr Limits limits;
    CHECK(limits.frame_bytes_before_login_max <= limits.frame_bytes_max);
    CHECK(limits.frame_bytes_before_login_max > agent_bytes_max);
    CHECK(limits.frame_bytes_before_login_max > sasl_bytes_max);
    CHECK(limits.frame_bytes_max > limits.message_bytes_max + limits.attributes_bytes_max);
    CHECK(limits.stream_receive_window > limits.frame_bytes_max);
    CHECK(limits.connection_receive_window >= limits.stream_receive_window);
    CHECK(limits.frame_bytes_max > limits.members_per_page_max * (user_name_bytes_max + 2));
    CHECK(limits.keep_alive * 2 < limits.idle_timeout);
    CHECK(limits.handshake_timeout < limits.login_timeout);
}

}  // namespace
}  // namespace quicchat

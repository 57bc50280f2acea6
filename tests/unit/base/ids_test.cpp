#include <type_traits>
#include <unordered_map>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/ids.hpp"
#include "support/printers.hpp"

namespace quicchat {
namespace {

// Swapping a stream and a connection must not compile.
static_assert(!std::is_convertible_v<StreamId, ConnectionId>);
static_assert(!std::is_convertible_v<std::uint64_t, StreamId>);
static_assert(!std::is_convertible_v<StreamId, std::uint64_t>);

TEST_CASE("message ids", "[base]") {
    MessageId a;
    MessageId b;
    CHECK(a == b);
    b.bytes[15] = std::byte{1};
    CHECK(a != b);
    CHECK(a < b);
    std::unordered_map<MessageId, int> map{{a, 1}, {b, 2}};
    CHECK(map.at(a) == 1);
    CHECK(map.at(b) == 2);
    b.bytes[0] = std::byte{1};
    CHECK(std::hash<MessageId>{}(a) != std::hash<MessageId>{}(b));
}

}  // namespace
}  // namespace quicchat

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/hex.hpp"
#include "support/literals.hpp"

using namespace quicchat;

TEST_CASE("bytes as hexadecimal digits, and back", "[base]") {
    const Buffer bytes = test::hex("00 7f 80 ff 1a");
    CHECK(encode_hex(bytes) == "007f80ff1a");
    CHECK(decode_hex("007f80ff1a") == bytes);
    CHECK(encode_hex({}).empty());
    CHECK(decode_hex("").empty());
    CHECK(decode_hex("1x") == test::hex("10"));
}

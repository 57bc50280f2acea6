#include <array>
#include <cstddef>
#include <cstdint>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/siphash.hpp"

using namespace quicchat;

TEST_CASE("SipHash matches the vectors of its authors", "[base]") {
    // vectors.h of the reference implementation: the key and the bytes count from 0.
    constexpr std::array<std::uint64_t, 16> expected{
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
        0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
        0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
        0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
    const SipHash hash{{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
    Buffer bytes;
    for (const std::uint64_t value : expected) {
        CHECK(hash(bytes) == value);
        bytes.push_back(static_cast<std::byte>(bytes.size()));
    }
}

#include <array>
#include <cstddef>
#include <cstdint>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/entropy.hpp"
#include "support/literals.hpp"

using namespace quicchat;

TEST_CASE("seeded entropy", "[base]") {
    SECTION("is SplitMix64, little-endian, on every platform") {
        // The reference implementation's first outputs: https://prng.di.unimi.it/splitmix64.c
        Entropy entropy = Entropy::seeded(0);
        CHECK(test::to_hex(entropy.draw<16>()) ==
              "af cd 1d 7b 39 a8 20 e2 f4 65 b9 a1 6a 9e 78 6e");
        Entropy other = Entropy::seeded(1234567);
        const auto word = other.draw<8>();
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            number |= std::to_integer<std::uint64_t>(word[i]) << (8 * i);
        }
        CHECK(number == 6457827717110365317u);
    }

    SECTION("gives the same again for the same seed, and something else for another") {
        CHECK(Entropy::seeded(7).draw<32>() == Entropy::seeded(7).draw<32>());
        CHECK(Entropy::seeded(7).draw<32>() != Entropy::seeded(8).draw<32>());
        Entropy entropy = Entropy::seeded(7);
        CHECK(entropy.draw_number() != entropy.draw_number());
    }

    SECTION("fills what it is given, and no more") {
        std::array<std::byte, 13> bytes{};
        Entropy::seeded(3).fill(std::span{bytes}.first(11));
        CHECK(bytes[11] == std::byte{0});
        CHECK(bytes[12] == std::byte{0});
    }
}

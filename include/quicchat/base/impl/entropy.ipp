#pragma once

#include "quicchat/base/entropy.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::uint64_t Entropy::draw_number() {
    std::uint64_t number = 0;
    for (const std::byte octet : draw<8>()) {
        number = (number << 8) | std::to_integer<std::uint64_t>(octet);
    }
    return number;
}

QUICCHAT_DECL void Entropy::fill_from_seed(std::uint64_t& state, std::span<std::byte> bytes) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i % 8 == 0) {
            state += 0x9e3779b97f4a7c15;
            word = state;
            word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
            word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
            word ^= word >> 31;
        }
        bytes[i] = static_cast<std::byte>(word >> (8 * (i % 8)));
    }
}

}  // namespace quicchat

#pragma once

#include "quicchat/base/siphash.hpp"

#include <bit>
#include <cstddef>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::uint64_t load_word(BytesView bytes) {
    std::uint64_t word = 0;
    if (bytes.size() == 8) {  // spelt out, it is one instruction
        const auto at = [bytes](std::size_t i) {
            return std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
        };
        return at(0) | at(1) | at(2) | at(3) | at(4) | at(5) | at(6) | at(7);
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        word |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    }
    return word;
}

QUICCHAT_DECL SipHash::SipHash(const Key& key) : key_(key) {}

QUICCHAT_DECL std::uint64_t SipHash::operator()(BytesView bytes) const {
    State s{key_[0] ^ 0x736f6d6570736575, key_[1] ^ 0x646f72616e646f6d,
            key_[0] ^ 0x6c7967656e657261, key_[1] ^ 0x7465646279746573};
    const std::uint64_t length = bytes.size();
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) s.take(load_word(bytes.first(8)));
    s.take(load_word(bytes) | (length << 56));
    s.c ^= 0xff;
    s.mix(4);
    return s.a ^ s.b ^ s.c ^ s.d;
}

QUICCHAT_DECL void SipHash::State::mix(int rounds) {
    for (int i = 0; i < rounds; ++i) {
        a += b, c += d;
        b = std::rotl(b, 13) ^ a, d = std::rotl(d, 16) ^ c;
        a = std::rotl(a, 32);
        c += b, a += d;
        b = std::rotl(b, 17) ^ c, d = std::rotl(d, 21) ^ a;
        c = std::rotl(c, 32);
    }
}

QUICCHAT_DECL void SipHash::State::take(std::uint64_t word) {
    d ^= word;
    mix(2);
    a ^= word;
}

}  // namespace quicchat

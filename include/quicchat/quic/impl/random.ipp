#pragma once

#include "quicchat/quic/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL Seed test_seed(std::uint64_t number) {
    Seed seed{};
    std::memcpy(seed.data(), &number, sizeof number);
    return seed;
}

QUICCHAT_DECL Seed system_seed() {
    Seed seed{};
    std::size_t filled = 0;
    while (filled < seed.size()) {
        const ssize_t got = getrandom(seed.data() + filled, seed.size() - filled, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            std::fputs("quicchat: the kernel gave no random bytes; aborting\n", stderr);
            std::abort();
        }
        filled += static_cast<std::size_t>(got);
    }
    return seed;
}

QUICCHAT_DECL Random::Random(const Seed& seed) : key_(seed) {}

QUICCHAT_DECL void Random::fill(std::span<std::uint8_t> output) {
    for (std::uint8_t& byte : output) {
        if (used_ == pool_.size()) refill();
        byte = pool_[used_];
        pool_[used_++] = 0;
    }
}

QUICCHAT_DECL std::uint64_t Random::next() {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    fill(bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

QUICCHAT_DECL Seed Random::next_seed() {
    Seed seed{};
    fill(seed);
    return seed;
}

QUICCHAT_DECL void Random::refill() {
    ChaCha cipher;
    std::array<std::uint8_t, CHACHA_IV_BYTES> nonce{};
    wc_Chacha_SetKey(&cipher, key_.data(), static_cast<word32>(key_.size()));
    wc_Chacha_SetIV(&cipher, nonce.data(), 0);
    pool_.fill(0);
    wc_Chacha_Process(&cipher, pool_.data(), pool_.data(), static_cast<word32>(pool_.size()));
    std::memcpy(key_.data(), pool_.data(), key_.size());
    used_ = key_.size();
    std::memset(pool_.data(), 0, used_);
}

}  // namespace quicchat::quic

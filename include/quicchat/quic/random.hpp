#pragma once

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/chacha.h>

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

namespace quicchat::quic {

/// What all random choices of an endpoint are made of.
using Seed = std::array<std::uint8_t, 32>;

/// A seed that makes a run repeatable. For tests only: everything made from it can be guessed.
inline Seed test_seed(std::uint64_t number) {
    Seed seed{};
    std::memcpy(seed.data(), &number, sizeof number);
    return seed;
}

/// A seed from the kernel. Aborts if the kernel has none, because keys that can be guessed are
/// worse than no program.
inline Seed system_seed() {
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

/// Unpredictable bytes for connection ids, tokens and packet padding, cheaply: ChaCha20 whose key
/// is replaced by its own output at every refill, so that what was given out cannot be computed
/// from the memory later on. The TLS library has its own generator and does not use this one.
class Random {
public:
    explicit Random(const Seed& seed) : key_(seed) {}

    void fill(std::span<std::uint8_t> output) {
        for (std::uint8_t& byte : output) {
            if (used_ == pool_.size()) refill();
            byte = pool_[used_];
            pool_[used_++] = 0;
        }
    }

    std::uint64_t next() {
        std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
        fill(bytes);
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

    Seed next_seed() {
        Seed seed{};
        fill(seed);
        return seed;
    }

private:
    void refill() {
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

    Seed key_;
    std::array<std::uint8_t, 1024> pool_{};
    std::size_t used_ = pool_.size();
};

}  // namespace quicchat::quic

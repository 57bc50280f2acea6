#pragma once

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/chacha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

/// What all random choices of an endpoint are made of.
using Seed = std::array<std::uint8_t, 32>;

/// A seed that makes a run repeatable. For tests only: everything made from it can be guessed.
QUICCHAT_DECL Seed test_seed(std::uint64_t number);

/// A seed from the kernel. Aborts if the kernel has none, because keys that can be guessed are
/// worse than no program.
QUICCHAT_DECL Seed system_seed();

/// Unpredictable bytes for connection ids, tokens and packet padding, cheaply: ChaCha20 whose key
/// is replaced by its own output at every refill, so that what was given out cannot be computed
/// from the memory later on. The TLS library has its own generator and does not use this one.
class Random {
public:
    /// The same seed gives the same bytes.
    explicit Random(const Seed& seed);

    /// All of `output` is overwritten.
    void fill(std::span<std::uint8_t> output);

    /// 64 bits, all equally random.
    std::uint64_t next();

    /// For another generator, whose output tells nothing of this one's.
    Seed next_seed();

private:
    void refill();

    Seed key_;
    std::array<std::uint8_t, 1024> pool_{};
    std::size_t used_ = pool_.size();
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/random.ipp"
#endif

#pragma once

#include <array>
#include <cstdint>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

/// A number of up to eight bytes, the lowest first.
QUICCHAT_DECL std::uint64_t load_word(BytesView bytes);

/// SipHash-2-4 (Aumasson and Bernstein, 2012): who does not know the key cannot choose bytes whose
/// hashes collide.
class SipHash {
public:
    /// The 128 bits of the key: k0, k1.
    using Key = std::array<std::uint64_t, 2>;

    /// With the key of zeros it protects from nobody.
    explicit SipHash(const Key& key = {});

    /// The hash of the bytes, the same on every machine.
    std::uint64_t operator()(BytesView bytes) const;

private:
    struct State {
        std::uint64_t a, b, c, d;

        void mix(int rounds);
        void take(std::uint64_t word);
    };

    Key key_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/siphash.ipp"
#endif

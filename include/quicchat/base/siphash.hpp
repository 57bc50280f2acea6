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
    using Key = std::array<std::uint64_t, 2>;

    explicit SipHash(const Key& key = {});

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

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/random.hpp"

namespace quicchat::quic {

/// How often each token was used, in a table that never grows (a count-min sketch of two
/// generations, each as long as a token lives). It may count too many, never too few: a token that
/// shares both its places with others proves nothing, and its client gets a Retry.
class TokenUses {
public:
    /// A client uses a token once; its first packets may come over two routes.
    static constexpr unsigned uses_max = 3;

    /// `lifetime`: of the tokens. It takes four bytes for each of the `places`.
    TokenUses(Random& random, Duration lifetime, std::size_t places);

    /// False if the token was used too often. Counts nothing.
    bool may_use(std::span<const std::uint8_t> token, TimePoint now);

    /// Whether it may be used or not: ask `may_use` first.
    void note_use(std::span<const std::uint8_t> token, TimePoint now);

private:
    using Row = std::vector<std::uint8_t>;
    using Generation = std::array<Row, 2>;

    std::array<std::size_t, 2> find(std::span<const std::uint8_t> token) const;
    void age(TimePoint now);

    SipHash hash_;
    Duration lifetime_;
    Generation current_;
    Generation last_;
    TimePoint next_{};  ///< When the current generation will be the last one.
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/token_uses.ipp"
#endif

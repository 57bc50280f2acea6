#pragma once

#include "quicchat/quic/token_uses.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL TokenUses::TokenUses(Random& random, Duration lifetime, std::size_t places)
    : hash_(SipHash::Key{random.next(), random.next()}),
      lifetime_(lifetime),
      current_{Row(places), Row(places)},
      last_(current_) {}

QUICCHAT_DECL bool TokenUses::may_use(std::span<const std::uint8_t> token, TimePoint now) {
    age(now);
    const auto [a, b] = find(token);
    const unsigned before = std::min(last_[0][a], last_[1][b]);
    return before + std::min(current_[0][a], current_[1][b]) < uses_max;
}

QUICCHAT_DECL void TokenUses::note_use(std::span<const std::uint8_t> token, TimePoint now) {
    age(now);
    const auto [a, b] = find(token);
    for (std::uint8_t* count : {&current_[0][a], &current_[1][b]}) {
        if (*count < uses_max) ++*count;
    }
}

QUICCHAT_DECL std::array<std::size_t, 2> TokenUses::find(
    std::span<const std::uint8_t> token) const {
    const std::uint64_t hash = hash_(std::as_bytes(token));
    const std::size_t places = current_[0].size();
    return {hash % places, hash / places % places};
}

QUICCHAT_DECL void TokenUses::age(TimePoint now) {
    if (now < next_) return;
    std::swap(last_, current_);
    const bool long_ago = now >= next_ + lifetime_;
    for (Row& row : current_) std::fill(row.begin(), row.end(), std::uint8_t{0});
    if (long_ago) last_ = current_;
    next_ = now + lifetime_;
}

}  // namespace quicchat::quic

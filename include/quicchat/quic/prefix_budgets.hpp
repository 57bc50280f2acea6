#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/budget.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/siphash.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/random.hpp"

namespace quicchat::quic {

/// A budget for each network, in a table that never grows, however many networks there are (a
/// count-min sketch of times). Each has a place in two rows, found by a hash with a key. It is
/// refused what it asks for only if others have used up both places.
class PrefixBudgets {
public:
    /// Draws the key of its hash.
    explicit PrefixBudgets(Random& random);

    /// True if the network of `prefix` and its site (base/network.hpp) may have one more, which is
    /// counted.
    bool take(const std::string& prefix, const Rate& rate, TimePoint now);

private:
    static constexpr std::size_t places = 4096;

    using Row = std::vector<Budget>;
    using Places = std::array<Budget*, 2>;

    Places find(std::string_view key);
    static bool may(const Places& budgets, const Rate& rate, TimePoint now);
    static void spend(const Places& budgets, const Rate& rate, TimePoint now);

    SipHash hash_;
    std::array<Row, 2> rows_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/prefix_budgets.ipp"
#endif

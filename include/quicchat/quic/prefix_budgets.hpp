#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

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
    explicit PrefixBudgets(Random& random);

    /// True if the network of `prefix` and its site (base/network.hpp) may have one more, which is
    /// counted.
    bool take(const std::string& prefix, const Rate& rate, TimePoint now);

private:
    static constexpr std::size_t places = 4096;

    using Row = std::vector<TimePoint>;  ///< When each budget will be whole again.

    struct Account {
        std::array<TimePoint*, 2> full_at;
        Duration step;   ///< What one costs.
        Duration depth;  ///< What may be owed.
    };

    Account find(std::string_view key, const Rate& rate);
    static bool may(const Account& account, TimePoint now);
    static void spend(const Account& account, TimePoint now);

    SipHash hash_;
    std::array<Row, 2> rows_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/prefix_budgets.ipp"
#endif

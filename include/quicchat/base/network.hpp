#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/budget.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

namespace detail {

/// The first bits of an IPv6 address (RFC 5952) in its longest form, without colons, behind a "[".
QUICCHAT_DECL std::string ipv6_prefix(std::string_view address, std::size_t bits);

}  // namespace detail

/// An address without its port; of IPv6 the 64 bits of a network's segment, since every device may
/// choose the others.
QUICCHAT_DECL std::string address_host(std::string_view address);

/// The network that an address belongs to, as far as one customer of a provider may choose
/// addresses: 24 bits of IPv4, 56 of IPv6. Anything else is its own.
QUICCHAT_DECL std::string address_prefix(std::string_view address);

/// The site that a network of IPv6 belongs to, 48 bits: some providers give so much to a customer,
/// and with it 256 networks. Empty for others.
QUICCHAT_DECL std::string site_of(std::string_view prefix);

/// A site may use so many times what a network may.
inline constexpr std::uint64_t networks_per_site = 8;

/// A budget for each network, and a larger one for each site. With a suffix it is for something in
/// that network.
class NetworkBudgets {
public:
    /// Zero: so much may be spent.
    Duration wait(const std::string& prefix, const Rate& rate, std::uint64_t cost, TimePoint now,
                  const std::string& suffix = {}) const;

    /// Spends it of the network and of its site, without a check: ask `wait` first.
    void spend(const std::string& prefix, const Rate& rate, std::uint64_t cost, TimePoint now,
               const std::string& suffix = {});

    /// Both: zero if it was spent.
    Duration take(const std::string& prefix, const Rate& rate, TimePoint now);

    /// The rate has changed: nobody owes more than the whole of it.
    void cap(const Rate& rate, TimePoint now);

    /// Forgets who has used nothing for so long that it makes no difference.
    void sweep(TimePoint now);

    /// Budgets of networks and sites that are kept.
    std::size_t size() const { return networks_.size() + sites_.size(); }

private:
    using Budgets = std::map<std::string, Budget>;

    static Rate of_site(const Rate& rate);

    Budgets networks_;
    Budgets sites_;
};

/// Connections that have not shown yet who they are: their handshake or login is under way. Where a
/// network or site has too many, or there are too many of all, the one goes that has waited for
/// longest of the address that has most. So junk pushes out junk, and who is quick comes in.
class Newcomers {
public:
    /// A connection begins; ids ascend. Who has to go for it, and is forgotten, if anybody has.
    std::optional<ConnectionId> add(ConnectionId id, std::string_view address,
                                    std::size_t per_prefix_max, std::size_t all_max);

    /// It is none any more.
    void remove(ConnectionId id);

    /// Connections of all addresses that were added and not removed.
    std::size_t size() const { return waiting_.size(); }

private:
    /// Its address, network and site.
    using Source = std::array<std::string, 3>;

    std::size_t count(std::size_t level, const Source& source) const;

    std::map<ConnectionId, Source> waiting_;  ///< The oldest first.
    std::array<std::map<std::string, std::size_t>, 3> counts_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/network.ipp"
#endif

#pragma once

#include "quicchat/auth/account_store.hpp"

#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Result<std::monostate> AccountStore::add(std::string_view name,
                                                            const Verifier& verifier) {
    if (!is_user_name(name)) return Errc::invalid_name;
    const auto [at, added] =
        accounts_.try_emplace(canonical_name(name), Account{std::string{name}, verifier});
    if (!added) return Errc::invalid_request;
    ++accounts_by_iterations_[verifier.iterations];
    return std::monostate{};
}

QUICCHAT_RARE_DECL bool AccountStore::replace_verifier(std::string_view name,
                                                       const Verifier& verifier) {
    const auto at = accounts_.find(canonical_name(name));
    if (at == accounts_.end()) return false;
    forget_iterations(at->second.verifier.iterations);
    ++accounts_by_iterations_[verifier.iterations];
    at->second.verifier = verifier;
    return true;
}

QUICCHAT_RARE_DECL bool AccountStore::remove(std::string_view name) {
    const auto at = accounts_.find(canonical_name(name));
    if (at == accounts_.end()) return false;
    forget_iterations(at->second.verifier.iterations);
    accounts_.erase(at);
    return true;
}

QUICCHAT_RARE_DECL const Account* AccountStore::find(std::string_view name) const {
    const auto at = accounts_.find(canonical_name(name));
    return at == accounts_.end() ? nullptr : &at->second;
}

QUICCHAT_RARE_DECL std::uint32_t AccountStore::draw_iterations(const Digest& random) const {
    if (accounts_.empty()) return scram_iterations_default;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        number = (number << 8) | std::to_integer<std::uint64_t>(random[i]);
    }
    // A fraction and no remainder: when accounts come and go, hardly any name changes sides.
    std::uint64_t place = (number * accounts_.size()) >> 32;
    for (const auto& [iterations, count] : accounts_by_iterations_) {
        if (place < count) return iterations;
        place -= count;
    }
    return scram_iterations_default;
}

QUICCHAT_RARE_DECL bool AccountStore::set_enabled(std::string_view name, bool enabled) {
    const auto at = accounts_.find(canonical_name(name));
    if (at == accounts_.end()) return false;
    at->second.enabled = enabled;
    return true;
}

QUICCHAT_RARE_DECL void AccountStore::forget_iterations(std::uint32_t iterations) {
    const auto at = accounts_by_iterations_.find(iterations);
    if (--at->second == 0) accounts_by_iterations_.erase(at);
}

QUICCHAT_RARE_DECL std::optional<std::string> account_name(const AccountStore& accounts,
                                                           std::string_view name) {
    const Account* account = accounts.find(name);
    if (account == nullptr) return std::nullopt;
    return account->name;
}

}  // namespace quicchat

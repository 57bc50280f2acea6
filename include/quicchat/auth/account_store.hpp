#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {

/// Somebody who may log in.
struct Account {
    std::string name;     ///< As it was registered; others see it in this spelling.
    Verifier verifier;    ///< Its password, in the form that is stored.
    bool enabled = true;  ///< False: nobody may log in, see `disable`.
};

/// What an exchange is told about a user, whether there is one or not.
struct ScramLookUp {
    Verifier verifier;        ///< That of the account, or one that no password fits.
    std::string name;         ///< As it was registered. Empty if nobody may log in.
    bool may_log_in = false;  ///< False also if the account is disabled.
};

/// The accounts of a server, in memory. Names are compared without regard to case (ASCII). Not
/// thread-safe.
class AccountStore {
public:
    using Accounts = std::map<std::string, Account>;  ///< By canonical name.

    /// Adds an account. `invalid_name` if it cannot be a user's name, `invalid_request` if the name
    /// is taken.
    Result<std::monostate> add(std::string_view name, const Verifier& verifier);

    /// Gives an account a new password. False if there is no such account.
    bool replace_verifier(std::string_view name, const Verifier& verifier);

    /// Removes an account; its name is free again. False if there is no such account. To lock
    /// somebody out, disable the account: to a stranger it then looks as before.
    bool remove(std::string_view name);

    /// Lets nobody log in to an account any more, or lets them again. Open connections are not
    /// touched. False if there is no such account.
    bool disable(std::string_view name) { return set_enabled(name, false); }
    /// Undoes `disable`. False if there is no such account.
    bool enable(std::string_view name) { return set_enabled(name, true); }

    /// The account, or nullptr.
    const Account* find(std::string_view name) const;

    /// All, also those that are disabled.
    const Accounts& accounts() const { return accounts_; }

    /// What a login of that name is told. For a name that is unknown it is a verifier that no
    /// password fits, the same each time, so that nobody learns which names exist (RFC 5802 §9).
    ///
    /// `secret` is random, of at least 16 bytes, and must outlive restarts: with another secret the
    /// unknown names get other salts, and the known ones stand out. A disabled account keeps its
    /// own salt for the same reason.
    template <ScramCrypto Crypto>
    ScramLookUp find_or_fake(std::string_view name, BytesView secret) const {
        // Both are always done, so that the time does not tell either.
        const ScramLookUp fake = make_fake<Crypto>(name, secret);
        const Account* account = find(name);
        if (account == nullptr) return fake;
        return {account->verifier, account->enabled ? account->name : std::string{},
                account->enabled};
    }

private:
    template <ScramCrypto Crypto>
    ScramLookUp make_fake(std::string_view name, BytesView secret) const {
        assert(secret.size() >= 16);
        const std::string canonical = canonical_name(name);
        // No name has a NUL, so the purposes below cannot be taken for names.
        const auto derive = [&](std::string_view purpose) {
            return Crypto::hmac_sha256(secret, as_bytes(std::string{purpose} + canonical));
        };
        using namespace std::string_view_literals;
        const Digest salt = derive(""sv);
        ScramLookUp look_up;
        std::copy_n(salt.begin(), look_up.verifier.salt.size(), look_up.verifier.salt.begin());
        look_up.verifier.iterations = draw_iterations(derive("iterations\0"sv));
        look_up.verifier.stored_key = derive("stored key\0"sv);
        look_up.verifier.server_key = derive("server key\0"sv);
        return look_up;
    }

    /// The iterations of some real account: after the default has changed, old accounts keep the
    /// old number, and so must a share of those that do not exist.
    std::uint32_t draw_iterations(const Digest& random) const;

    bool set_enabled(std::string_view name, bool enabled);

    void forget_iterations(std::uint32_t iterations);

    Accounts accounts_;
    std::map<std::uint32_t, std::size_t> accounts_by_iterations_;
};

/// How an account is spelled; nothing if there is none.
QUICCHAT_DECL std::optional<std::string> account_name(const AccountStore& accounts,
                                                      std::string_view name);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/account_store.ipp"
#endif

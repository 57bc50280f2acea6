#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// What a device has instead of a password: a random key that is good for logging in until the next
/// one was used (PROTOCOL.md §5.8).
struct DeviceToken {
    std::uint64_t generation = 0;  ///< Which token of the device it is: 1 for the first.
    Secret key;                    ///< 32 random bytes.
};

/// The bytes of a token's key.
inline constexpr std::size_t device_token_bytes = 32;

/// What a server keeps of a token: StoredKey and ServerKey of RFC 5802 §3. They check a proof;
/// nobody can log in with them.
struct TokenKeys {
    std::uint64_t generation = 0;  ///< Of the token; 0: none.
    Digest stored_key{};           ///< Checks a client's proof.
    Digest server_key{};           ///< Makes the server's proof.
    /// Equal in all of it.
    friend bool operator==(const TokenKeys&, const TokenKeys&) = default;
};

/// A device of an account, as the server keeps it.
struct Device {
    DeviceId id;                      ///< As its client drew it.
    TokenKeys current{};              ///< Good for logging in; generation 0: none yet.
    std::optional<TokenKeys> next{};  ///< Handed out, not used yet; good for logging in as well.
    std::optional<TokenKeys>
        previous{};        ///< Replaced by `current`. Whoever shows it stole a token.
    WallTime created{};    ///< When it logged in for the first time.
    WallTime last_used{};  ///< When it logged in last.
    /// Equal in all of it.
    friend bool operator==(const Device&, const Device&) = default;
};

/// The number of a change that an AccountBook was told to keep. Changes are kept in order.
using SaveTicket = std::uint64_t;

/// The accounts and devices of a server, kept somewhere: `MemoryAccounts`, `SqliteAccounts`. An
/// account has at most `devices_per_account_max` devices: the one that was not used for longest
/// makes room.
class AccountBook {
public:
    virtual ~AccountBook() = default;

    /// All accounts, up to date, also with what another process changed.
    virtual const AccountStore& accounts() = 0;
    /// A device of an account, with every change that was asked for before this call; nothing if
    /// there is none. An error: what keeps them cannot be read.
    virtual Result<std::optional<Device>> find_device(std::string_view user, DeviceId id) = 0;
    /// Puts a device in the place of the one with the same id, or adds it.
    virtual SaveTicket save_device(std::string_view user, Device device) = 0;
    /// Takes a device out: its token is good for nothing any more.
    virtual SaveTicket remove_device(std::string_view user, DeviceId id) = 0;
    /// The newest ticket whose change, and all before it, outlive a crash.
    virtual SaveTicket saved() const = 0;

protected:
    AccountBook() = default;  // a model decides itself whether it can be copied or moved
    /// Of a model.
    AccountBook(const AccountBook&) = default;
    /// Of a model.
    AccountBook(AccountBook&&) = default;
    /// Of a model.
    AccountBook& operator=(const AccountBook&) = default;
    /// Of a model.
    AccountBook& operator=(AccountBook&&) = default;
};

}  // namespace quicchat

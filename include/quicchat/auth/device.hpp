#pragma once

#include <concepts>
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

inline constexpr std::size_t device_token_bytes = 32;

/// What a server keeps of a token: StoredKey and ServerKey of RFC 5802 §3. They check a proof;
/// nobody can log in with them.
struct TokenKeys {
    std::uint64_t generation = 0;
    Digest stored_key{};
    Digest server_key{};
    friend bool operator==(const TokenKeys&, const TokenKeys&) = default;
};

/// A device of an account, as the server keeps it.
struct Device {
    DeviceId id;
    TokenKeys current{};              ///< Good for logging in; generation 0: none yet.
    std::optional<TokenKeys> next{};  ///< Handed out, not used yet; good for logging in as well.
    std::optional<TokenKeys>
        previous{};  ///< Replaced by `current`. Whoever shows it stole a token.
    WallTime created{};
    WallTime last_used{};
    friend bool operator==(const Device&, const Device&) = default;
};

/// The number of a change that an AccountBook was told to keep. Changes are kept in order.
using SaveTicket = std::uint64_t;

/// The accounts and devices of a server, kept somewhere. `MemoryAccounts` and `SqliteAccounts`
/// model it.
///
/// Beyond the signatures a book promises that
///  - `accounts` is up to date, also with what another process changed;
///  - `find_device` knows a change from the call on that made it;
///  - `saved` is the newest ticket whose change, and all before it, outlive a crash;
///  - an account has at most `devices_per_account_max` devices: the one that was not used for
///    longest makes room.
template <class B>
concept AccountBook = requires(B book, const B& view, std::string_view user, Device device,
                               DeviceId id) {
    { book.accounts() } -> std::same_as<const AccountStore&>;
    { book.find_device(user, id) } -> std::same_as<Result<std::optional<Device>>>;
    { book.save_device(user, device) } -> std::same_as<SaveTicket>;
    { book.remove_device(user, id) } -> std::same_as<SaveTicket>;
    { view.saved() } -> std::same_as<SaveTicket>;
};

}  // namespace quicchat

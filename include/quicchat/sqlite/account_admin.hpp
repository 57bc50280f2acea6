#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/storage_error.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/sqlite/database.hpp"

namespace quicchat::sqlite {

/// An account, as it is listed.
struct AccountInfo {
    std::string name;          ///< As it was registered.
    bool enabled = true;       ///< False: nobody may log in.
    WallTime created{};        ///< By the clock of whoever made it.
    std::int64_t devices = 0;  ///< Those with a token.
};

/// A device of an account, as it is listed.
struct DeviceInfo {
    DeviceId id;           ///< Which the device drew by itself.
    WallTime created{};    ///< Its first login.
    WallTime last_used{};  ///< Its latest login.
};

/// Changes accounts in a server's database: what a command line needs. Works while the server
/// runs, which sees the change at the next login. Every change is on disk when its call returns,
/// but between `begin` and `commit`.
/// Belongs to one thread.
///
/// Where a call gives `bool`, false means that there is no such account or device.
class AccountAdmin {
public:
    /// Opens the server's file, or makes one. It is not searched for damage.
    static StorageResult<AccountAdmin> open(const std::string& path, Entropy entropy);

    /// The changes that follow are one: all are on disk when `commit` returns, or none ever is. A
    /// commit each would cost thousands of accounts a sync of the disk each.
    std::optional<StorageError> begin();
    /// Nothing: all is on disk.
    std::optional<StorageError> commit();

    /// Adds an account. False: the name is taken. `invalid_name` if it cannot be a user's name.
    StorageResult<bool> add(std::string_view name, const Verifier& verifier, WallTime now);

    /// Gives an account a new password. Its devices have to log in with it: their tokens go.
    StorageResult<bool> replace_verifier(std::string_view name, const Verifier& verifier);

    /// Undoes `disable`; its devices have to log in by password.
    StorageResult<bool> enable(std::string_view name);

    /// Lets nobody log in to an account, and removes its devices.
    StorageResult<bool> disable(std::string_view name);

    /// Removes an account and its devices; the name is free again.
    StorageResult<bool> remove(std::string_view name);

    /// All accounts, in the order of their names.
    StorageResult<std::vector<AccountInfo>> list_accounts();

    /// The devices of an account, the one that was used last first.
    StorageResult<std::vector<DeviceInfo>> list_devices(std::string_view name);

    /// Makes the tokens of a device worthless: it has to log in by password.
    StorageResult<bool> revoke_device(std::string_view name, DeviceId id);

    /// The same for all devices of an account. False: it had none.
    StorageResult<bool> revoke_devices(std::string_view name);

private:
    enum class KeepDevices : bool { no, yes };

    explicit AccountAdmin(Database database) : database_(std::move(database)) {}

    /// Changes the account whose canonical name is the first value, and tells the server by the
    /// counter, in one transaction.
    template <class... Values>
    StorageResult<bool> change(const char* sql, KeepDevices keep, const std::string& account,
                               const Values&... values);

    Database database_;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/account_admin.ipp"
#endif

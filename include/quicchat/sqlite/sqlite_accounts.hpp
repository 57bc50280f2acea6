#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/sqlite/store.hpp"

namespace quicchat {

/// The accounts and devices of a server in its SQLite file. Accounts are made and changed by
/// `sqlite::AccountAdmin`, also in another process while the server runs.
///
/// A handle on a Store: it belongs to the thread that the Store belongs to.
class SqliteAccounts : public AccountBook {
public:
    /// Shares the store, with a SqliteLog for example.
    explicit SqliteAccounts(std::shared_ptr<sqlite::Store> store);

    /// The accounts as they are in the file now. If it cannot be read, as they were before.
    const AccountStore& accounts() override;

    Result<std::optional<Device>> find_device(std::string_view user, DeviceId id) override;

    /// Does nothing for an account that is disabled or gone, or whose password was changed since
    /// `accounts` was called last: such a device must not come back.
    SaveTicket save_device(std::string_view user, Device device) override;

    SaveTicket remove_device(std::string_view user, DeviceId id) override;

    SaveTicket saved() const override { return store_->saved(); }

    /// 32 random bytes that were made with the file: for `AccountStore::find_or_fake`.
    BytesView secret() const { return store_->secret(); }

private:
    struct Sql {
        explicit Sql(sqlite::Database& reader);
        sqlite::Statement select_changes;
        sqlite::Statement select_accounts;
        sqlite::Statement select_device;
        sqlite::Statement select_devices;
    };

    /// A change that the writer has not committed yet. Nothing: the device was removed.
    struct Unsaved {
        SaveTicket ticket = 0;
        std::optional<Device> device;
    };

    std::optional<std::int64_t> count_changes();

    /// If somebody changes an account between the counter and this, it is loaded once more.
    void load(std::int64_t changes);

    SaveTicket push(sqlite::ChangeDevices change);

    /// Before a device is added: those go that were not used for longest.
    void make_room(sqlite::ChangeDevices& change);

    /// What the writer has committed is read from the file.
    void forget_saved();

    std::shared_ptr<sqlite::Store> store_;
    std::unique_ptr<Sql> sql_;  ///< Ends before the store.
    AccountStore accounts_;
    std::optional<std::int64_t> loaded_changes_;
    std::map<std::pair<std::string, DeviceId>, Unsaved> unsaved_;
    SaveTicket forgotten_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/sqlite_accounts.ipp"
#endif

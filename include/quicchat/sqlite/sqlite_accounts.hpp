#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/sqlite/account_table.hpp"
#include "quicchat/sqlite/store.hpp"

namespace quicchat {

/// The accounts and devices of a server in its SQLite file. Accounts are made and changed by
/// `sqlite::AccountAdmin`, also in another process while the server runs.
///
/// A handle on a Store: it belongs to the thread that the Store belongs to.
class SqliteAccounts : public AccountBook {
public:
    explicit SqliteAccounts(std::shared_ptr<sqlite::Store> store)
        : store_(std::move(store)), sql_(std::make_unique<Sql>(store_->reader())) {}

    /// The accounts as they are in the file now. If it cannot be read, as they were before.
    const AccountStore& accounts() override {
        if (const auto changes = count_changes(); changes && changes != loaded_changes_) {
            load(*changes);
        }
        return accounts_;
    }

    Result<std::optional<Device>> find_device(std::string_view user, DeviceId id) override {
        forget_saved();
        const std::string account = canonical_name(user);
        if (const auto found = unsaved_.find({account, id}); found != unsaved_.end()) {
            return found->second.device;
        }
        sqlite::Rows rows = sql_->select_device.query(account, BytesView{id.bytes});
        std::optional<Device> device;
        if (rows.next()) device = sqlite::detail::read_device(rows);
        if (rows.code() != SQLITE_OK) return Errc::storage_failed;
        return device;
    }

    /// Does nothing for an account that is disabled or gone, or whose password was changed since
    /// `accounts` was called last: such a device must not come back.
    SaveTicket save_device(std::string_view user, Device device) override {
        using Write = sqlite::ChangeDevices::Write;
        sqlite::ChangeDevices change{.account = canonical_name(user)};
        const auto known = find_device(user, device.id);
        const bool is_new = !known || !known->has_value();
        if (is_new) make_room(change);
        change.write = is_new ? Write::insert : Write::update;
        change.device = std::move(device);
        change.accounts_seen = loaded_changes_.value_or(0);
        return push(std::move(change));
    }

    SaveTicket remove_device(std::string_view user, DeviceId id) override {
        return push({.account = canonical_name(user), .removed = {id}});
    }

    SaveTicket saved() const override { return store_->saved(); }

    /// 32 random bytes that were made with the file: for `AccountStore::find_or_fake`.
    BytesView secret() const { return store_->secret(); }

private:
    struct Sql {
        explicit Sql(sqlite::Database& reader)
            : select_changes(reader, "SELECT value FROM meta WHERE key='account_changes'"),
              select_accounts(reader, "SELECT name, verifier, enabled FROM account"),
              select_device(reader,
                            (std::string{sqlite::detail::device_columns} + " AND id=?2").c_str()),
              select_devices(reader, sqlite::detail::device_columns) {}
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

    std::optional<std::int64_t> count_changes() {
        sqlite::Rows rows = sql_->select_changes.query();
        if (!rows.next()) return std::nullopt;
        return rows.number(0);
    }

    /// If somebody changes an account between the counter and this, it is loaded once more.
    void load(std::int64_t changes) {
        AccountStore loaded;
        sqlite::Rows rows = sql_->select_accounts.query();
        while (rows.next()) {
            const std::string name{rows.text(0)};
            // Nobody can log in by a verifier that is not one, so it is as good as no account.
            const Result<Verifier> verifier = parse_verifier(rows.text(1));
            if (!verifier || !loaded.add(name, *verifier)) continue;
            if (rows.number(2) == 0) loaded.disable(name);
        }
        if (rows.code() != SQLITE_OK) return;
        accounts_ = std::move(loaded);
        loaded_changes_ = changes;
    }

    SaveTicket push(sqlite::ChangeDevices change) {
        std::vector<std::pair<DeviceId, std::optional<Device>>> now;
        for (const DeviceId& id : change.removed) now.emplace_back(id, std::nullopt);
        if (change.write != sqlite::ChangeDevices::Write::none) {
            now.emplace_back(change.device.id, change.device);
        }
        const std::string account = change.account;
        const SaveTicket ticket = store_->change_devices(std::move(change));
        for (auto& [id, device] : now) unsaved_[{account, id}] = {ticket, std::move(device)};
        return ticket;
    }

    /// Before a device is added: those go that were not used for longest.
    void make_room(sqlite::ChangeDevices& change) {
        std::map<DeviceId, Device> devices;
        sqlite::Rows rows = sql_->select_devices.query(change.account);
        while (rows.next()) {
            Device device = sqlite::detail::read_device(rows);
            devices[device.id] = std::move(device);
        }
        for (const auto& [key, unsaved] : unsaved_) {
            if (key.first != change.account) continue;
            devices.erase(key.second);
            if (unsaved.device) devices[key.second] = *unsaved.device;
        }
        while (devices.size() >= devices_per_account_max) {
            const auto oldest =
                std::min_element(devices.begin(), devices.end(), [](const auto& a, const auto& b) {
                    return a.second.last_used < b.second.last_used;
                });
            change.removed.push_back(oldest->first);
            devices.erase(oldest);
        }
    }

    /// What the writer has committed is read from the file.
    void forget_saved() {
        const SaveTicket saved = store_->saved();
        if (saved == forgotten_) return;
        std::erase_if(unsaved_, [&](const auto& u) { return u.second.ticket <= saved; });
        forgotten_ = saved;
    }

    std::shared_ptr<sqlite::Store> store_;
    std::unique_ptr<Sql> sql_;  ///< Ends before the store.
    AccountStore accounts_;
    std::optional<std::int64_t> loaded_changes_;
    std::map<std::pair<std::string, DeviceId>, Unsaved> unsaved_;
    SaveTicket forgotten_ = 0;
};

}  // namespace quicchat

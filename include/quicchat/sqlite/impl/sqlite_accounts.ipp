#pragma once

#include "quicchat/sqlite/sqlite_accounts.hpp"

#include <algorithm>
#include <vector>

#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/sqlite/account_table.hpp"

namespace quicchat {

QUICCHAT_DECL SqliteAccounts::SqliteAccounts(std::shared_ptr<sqlite::Store> store)
    : store_(std::move(store)), sql_(std::make_unique<Sql>(store_->reader())) {}

QUICCHAT_DECL const AccountStore& SqliteAccounts::accounts() {
    if (const auto changes = count_changes(); changes && changes != loaded_changes_) {
        load(*changes);
    }
    return accounts_;
}

QUICCHAT_DECL Result<std::optional<Device>> SqliteAccounts::find_device(std::string_view user,
                                                                        DeviceId id) {
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

QUICCHAT_DECL SaveTicket SqliteAccounts::save_device(std::string_view user, Device device) {
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

QUICCHAT_DECL SaveTicket SqliteAccounts::remove_device(std::string_view user, DeviceId id) {
    return push({.account = canonical_name(user), .removed = {id}});
}

QUICCHAT_DECL SqliteAccounts::Sql::Sql(sqlite::Database& reader)
    : select_changes(reader, "SELECT value FROM meta WHERE key='account_changes'"),
      select_accounts(reader, "SELECT name, verifier, enabled FROM account"),
      select_device(reader, (std::string{sqlite::detail::device_columns} + " AND id=?2").c_str()),
      select_devices(reader, sqlite::detail::device_columns) {}

QUICCHAT_DECL std::optional<std::int64_t> SqliteAccounts::count_changes() {
    sqlite::Rows rows = sql_->select_changes.query();
    if (!rows.next()) return std::nullopt;
    return rows.number(0);
}

QUICCHAT_DECL void SqliteAccounts::load(std::int64_t changes) {
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

QUICCHAT_DECL SaveTicket SqliteAccounts::push(sqlite::ChangeDevices change) {
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

QUICCHAT_DECL void SqliteAccounts::make_room(sqlite::ChangeDevices& change) {
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
        const auto oldest = std::min_element(
            devices.begin(), devices.end(),
            [](const auto& a, const auto& b) { return a.second.last_used < b.second.last_used; });
        change.removed.push_back(oldest->first);
        devices.erase(oldest);
    }
}

QUICCHAT_DECL void SqliteAccounts::forget_saved() {
    const SaveTicket saved = store_->saved();
    if (saved == forgotten_) return;
    std::erase_if(unsaved_, [&](const auto& u) { return u.second.ticket <= saved; });
    forgotten_ = saved;
}

}  // namespace quicchat

#pragma once

#include "quicchat/sqlite/account_admin.hpp"

#include <sys/stat.h>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/sqlite/account_table.hpp"
#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/schema.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL StorageResult<AccountAdmin> AccountAdmin::open(const std::string& path,
                                                             Entropy entropy) {
    const std::string real = real_path(path);
    // Only needed to make or change tables; while a server has it, they are there.
    const auto lock = FileLock::take(real);
    struct stat found {};
    if (!lock && ::stat(real.c_str(), &found) != 0) return lock.error();
    if (auto error = make_database_file(real)) return *error;
    auto database = open_database(
        {.path = real, .check = false, .may_migrate = static_cast<bool>(lock)}, entropy);
    if (!database) return database.error();
    return AccountAdmin{*std::move(database)};
}

QUICCHAT_DECL std::optional<StorageError> AccountAdmin::begin() {
    if (database_.run("BEGIN IMMEDIATE") != SQLITE_OK) return database_.error();
    return std::nullopt;
}

QUICCHAT_DECL std::optional<StorageError> AccountAdmin::commit() {
    if (database_.run("COMMIT") != SQLITE_OK) return database_.error();
    return std::nullopt;
}

QUICCHAT_DECL StorageResult<bool> AccountAdmin::add(std::string_view name, const Verifier& verifier,
                                                    WallTime now) {
    if (!is_user_name(name)) {
        return StorageError{Errc::invalid_name, std::string{"'"}.append(name) +
                                                    "' cannot be the name of a user: up to " +
                                                    std::to_string(user_name_bytes_max) +
                                                    " letters of A-Z a-z 0-9 _ . -"};
    }
    return change(
        "INSERT INTO account SELECT ?1, ?2, ?3, 1, ?4, value FROM meta "
        "WHERE key='account_changes' ON CONFLICT DO NOTHING",
        KeepDevices::yes, canonical_name(name), name, format_verifier(verifier),
        detail::to_number(now));
}

QUICCHAT_DECL StorageResult<bool> AccountAdmin::replace_verifier(std::string_view name,
                                                                 const Verifier& verifier) {
    return change("UPDATE account SET verifier=?2 WHERE canonical_name=?1", KeepDevices::no,
                  canonical_name(name), format_verifier(verifier));
}

QUICCHAT_DECL StorageResult<bool> AccountAdmin::enable(std::string_view name) {
    return change("UPDATE account SET enabled=1 WHERE canonical_name=?1", KeepDevices::yes,
                  canonical_name(name));
}

QUICCHAT_DECL StorageResult<bool> AccountAdmin::disable(std::string_view name) {
    return change("UPDATE account SET enabled=0 WHERE canonical_name=?1", KeepDevices::no,
                  canonical_name(name));
}

QUICCHAT_DECL StorageResult<bool> AccountAdmin::remove(std::string_view name) {
    return change("DELETE FROM account WHERE canonical_name=?1", KeepDevices::no,
                  canonical_name(name));
}

QUICCHAT_DECL StorageResult<std::vector<AccountInfo>> AccountAdmin::list_accounts() {
    Statement select{database_,
                     "SELECT name, enabled, created, (SELECT count(*) FROM device "
                     "WHERE account=canonical_name) FROM account ORDER BY canonical_name"};
    Rows rows = select.query();
    std::vector<AccountInfo> accounts;
    while (rows.next()) {
        accounts.push_back({std::string{rows.text(0)}, rows.number(1) != 0,
                            detail::to_time(rows.number(2)), rows.number(3)});
    }
    if (rows.code() != SQLITE_OK) return database_.error();
    return accounts;
}

QUICCHAT_DECL StorageResult<std::vector<DeviceInfo>> AccountAdmin::list_devices(
    std::string_view name) {
    Statement select{database_,
                     "SELECT id, created, last_used FROM device WHERE account=?1 "
                     "ORDER BY last_used DESC, id"};
    Rows rows = select.query(canonical_name(name));
    std::vector<DeviceInfo> devices;
    while (rows.next()) {
        DeviceInfo& device = devices.emplace_back();
        rows.copy_to(0, device.id.bytes);
        device.created = detail::to_time(rows.number(1));
        device.last_used = detail::to_time(rows.number(2));
    }
    if (rows.code() != SQLITE_OK) return database_.error();
    return devices;
}

QUICCHAT_DECL StorageResult<bool> AccountAdmin::revoke_device(std::string_view name, DeviceId id) {
    Statement remove{database_, "DELETE FROM device WHERE account=?1 AND id=?2"};
    if (remove.run(canonical_name(name), BytesView{id.bytes}) != SQLITE_OK) {
        return database_.error();
    }
    return database_.changes() > 0;
}

QUICCHAT_DECL StorageResult<bool> AccountAdmin::revoke_devices(std::string_view name) {
    Statement remove{database_, "DELETE FROM device WHERE account=?1"};
    if (remove.run(canonical_name(name)) != SQLITE_OK) return database_.error();
    return database_.changes() > 0;
}

template <class... Values>
StorageResult<bool> AccountAdmin::change(const char* sql, KeepDevices keep,
                                         const std::string& account, const Values&... values) {
    std::optional<Transaction> transaction;
    if (!database_.in_transaction() && transaction.emplace(database_).code() != SQLITE_OK) {
        return database_.error();
    }
    Statement count{database_, "UPDATE meta SET value=value+1 WHERE key='account_changes'"};
    Statement apply{database_, sql};
    if (count.run() != SQLITE_OK) return database_.error();
    if (apply.run(account, values...) != SQLITE_OK) return database_.error();
    if (database_.changes() == 0) return false;

    Statement mark{database_,
                   "UPDATE account SET changed=(SELECT value FROM meta "
                   "WHERE key='account_changes') WHERE canonical_name=?1"};
    if (mark.run(account) != SQLITE_OK) return database_.error();
    if (keep == KeepDevices::no) {
        Statement remove{database_, "DELETE FROM device WHERE account=?1"};
        if (remove.run(account) != SQLITE_OK) return database_.error();
    }
    if (transaction && transaction->commit() != SQLITE_OK) return database_.error();
    return true;
}

}  // namespace quicchat::sqlite

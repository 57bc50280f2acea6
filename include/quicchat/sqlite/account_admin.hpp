#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/sqlite/account_table.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/schema.hpp"

namespace quicchat::sqlite {

/// An account, as it is listed.
struct AccountInfo {
    std::string name;
    bool enabled = true;
    WallTime created{};
    std::int64_t devices = 0;
};

/// A device of an account, as it is listed.
struct DeviceInfo {
    DeviceId id;
    WallTime created{};
    WallTime last_used{};
};

/// Changes accounts in a server's database: what a command line needs. Works while the server
/// runs, which sees the change at the next login. Every change is on disk when its call returns.
/// Belongs to one thread.
///
/// Where a call gives `bool`, false means that there is no such account or device.
class AccountAdmin {
public:
    /// Opens the server's file, or makes one. It is not searched for damage.
    static StorageResult<AccountAdmin> open(const std::string& path, Entropy entropy) {
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

    /// Adds an account. False: the name is taken. `invalid_name` if it cannot be a user's name.
    StorageResult<bool> add(std::string_view name, const Verifier& verifier, WallTime now) {
        if (!is_user_name(name)) {
            return StorageError{Errc::invalid_name, "'" + std::string{name} +
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

    /// Gives an account a new password. Its devices have to log in with it: their tokens go.
    StorageResult<bool> replace_verifier(std::string_view name, const Verifier& verifier) {
        return change("UPDATE account SET verifier=?2 WHERE canonical_name=?1", KeepDevices::no,
                      canonical_name(name), format_verifier(verifier));
    }

    StorageResult<bool> enable(std::string_view name) {
        return change("UPDATE account SET enabled=1 WHERE canonical_name=?1", KeepDevices::yes,
                      canonical_name(name));
    }

    /// Lets nobody log in to an account, and removes its devices.
    StorageResult<bool> disable(std::string_view name) {
        return change("UPDATE account SET enabled=0 WHERE canonical_name=?1", KeepDevices::no,
                      canonical_name(name));
    }

    /// Removes an account and its devices; the name is free again.
    StorageResult<bool> remove(std::string_view name) {
        return change("DELETE FROM account WHERE canonical_name=?1", KeepDevices::no,
                      canonical_name(name));
    }

    /// All accounts, in the order of their names.
    StorageResult<std::vector<AccountInfo>> list_accounts() {
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

    /// The devices of an account, the one that was used last first.
    StorageResult<std::vector<DeviceInfo>> list_devices(std::string_view name) {
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

    /// Makes the tokens of a device worthless: it has to log in by password.
    StorageResult<bool> revoke_device(std::string_view name, DeviceId id) {
        Statement remove{database_, "DELETE FROM device WHERE account=?1 AND id=?2"};
        if (remove.run(canonical_name(name), BytesView{id.bytes}) != SQLITE_OK) {
            return database_.error();
        }
        return database_.changes() > 0;
    }

    /// The same for all devices of an account. False: it had none.
    StorageResult<bool> revoke_devices(std::string_view name) {
        Statement remove{database_, "DELETE FROM device WHERE account=?1"};
        if (remove.run(canonical_name(name)) != SQLITE_OK) return database_.error();
        return database_.changes() > 0;
    }

private:
    enum class KeepDevices : bool { no, yes };

    explicit AccountAdmin(Database database) : database_(std::move(database)) {}

    /// Changes the account whose canonical name is the first value, and tells the server by the
    /// counter, in one transaction.
    template <class... Values>
    StorageResult<bool> change(const char* sql, KeepDevices keep, const std::string& account,
                               const Values&... values) {
        Transaction transaction{database_};
        if (transaction.code() != SQLITE_OK) return database_.error();
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
        if (transaction.commit() != SQLITE_OK) return database_.error();
        return true;
    }

    Database database_;
};

}  // namespace quicchat::sqlite

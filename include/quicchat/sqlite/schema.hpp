#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "quicchat/base/entropy.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/wire/message.hpp"

// What is in a database file of ours, and how one is opened so that its promises hold.

namespace quicchat::sqlite {

/// "qcht", in the header of every server's database: so that `file` and we recognise it.
inline constexpr std::int64_t server_application_id = 0x71636874;

/// How a file of version - 1 becomes one of `version`. Never changed once released.
struct Migration {
    std::int64_t version = 0;
    const char* sql = nullptr;
};

/// A record that retention dropped, before its room's `first`, is not read any more, but may stay
/// for a while; `old_id` has what is known of it for longer. There is no index of records' names:
/// it would be written all over at each commit; see names.hpp. The blobs of a device are those of
/// account_table.hpp.
inline constexpr Migration migrations[] = {
    {1, R"sql(
CREATE TABLE meta(
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('account_changes', 0);

CREATE TABLE room(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    head INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE record(
    room INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    time INTEGER NOT NULL,
    id BLOB NOT NULL,
    device BLOB NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    attributes TEXT NOT NULL,
    kind INTEGER NOT NULL,
    target INTEGER NOT NULL,
    subject TEXT NOT NULL,
    value INTEGER NOT NULL,
    until INTEGER NOT NULL,
    changed_by INTEGER NOT NULL,
    PRIMARY KEY(room, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_edits ON record(room, target) WHERE kind = 1;

CREATE TABLE room_state(
    room INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY(room, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE account(
    canonical_name TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    verifier TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device(
    account TEXT NOT NULL REFERENCES account(canonical_name) ON DELETE CASCADE,
    id BLOB NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    current BLOB NOT NULL,
    next BLOB,
    previous BLOB,
    PRIMARY KEY(account, id)
) STRICT, WITHOUT ROWID;
)sql"},
    {2, "CREATE INDEX record_reactions ON record(room, target) WHERE kind IN (3, 4);"},
    {3, R"sql(
ALTER TABLE record ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
)sql"},
    // Some files of version 3 have it.
    {4, R"sql(
CREATE INDEX IF NOT EXISTS record_files ON record(room, offset) WHERE kind = 10;
)sql"},
    {5, R"sql(
CREATE TABLE old_id(
    room INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    author TEXT NOT NULL,
    device BLOB NOT NULL,
    id BLOB NOT NULL,
    time INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    PRIMARY KEY(room, offset)
) STRICT, WITHOUT ROWID;
)sql"},
};

static_assert(std::ranges::is_sorted(migrations, {}, &Migration::version));

/// How a database is opened.
struct DatabaseConfig {
    std::string path;
    Durability durability = Durability::fsync;  ///< Not `memory`.
    bool check = true;                          ///< Look for damage; reads the whole file.
    bool may_migrate = true;                    ///< False: refuse a file whose tables are older.
    std::string vfs{};                          ///< For tests: another one than the system's files.
    std::optional<std::int64_t> synchronous{};  ///< For tests: instead of what `durability` needs.
    std::int64_t application_id = server_application_id;
    std::span<const Migration> versions{migrations};
};

namespace detail {

/// Sets a pragma and sees that it is so: builds and bindings of SQLite change the defaults, and
/// some settings are quietly refused.
inline std::optional<StorageError> set_pragma(Database& database, const std::string& name,
                                              std::string_view value) {
    const std::string pragma = "PRAGMA " + name;
    if (database.run(pragma + "=" + std::string{value}) != SQLITE_OK) return database.error();
    const auto found = read_text(database, pragma.c_str());
    if (!found) return found.error();
    if (*found == value) return std::nullopt;
    return storage_failure(database.path(), "SQLite did not take the setting " + name + "=" +
                                                std::string{value} + ", it is " + *found);
}

inline std::optional<StorageError> configure(Database& database, int option) {
    if (sqlite3_db_config(database.handle(), option, 1, nullptr) != SQLITE_OK) {
        return database.error();
    }
    return std::nullopt;
}

/// Waits for other connections, up to about five seconds. Unlike SQLite's own handler it asks again
/// every millisecond: a busy server lets go of the lock often, but briefly.
inline int wait_for_lock(void*, int count) noexcept {
    if (count >= 5000) return 0;
    sqlite3_sleep(1);
    return 1;
}

/// The settings that change nothing in the file, for every connection.
inline std::optional<StorageError> apply_settings(Database& database) {
    // Only the server's writer moves the WAL into the file: at close, others must not do it either.
    if (auto error = configure(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)) return error;
    if (auto error = configure(database, SQLITE_DBCONFIG_DEFENSIVE)) return error;
    if (sqlite3_busy_handler(database.handle(), wait_for_lock, nullptr) != SQLITE_OK) {
        return database.error();
    }
    if (auto error = set_pragma(database, "trusted_schema", "0")) return error;
    if (auto error = set_pragma(database, "foreign_keys", "1")) return error;
    if (auto error = set_pragma(database, "cell_size_check", "1")) return error;
    return set_pragma(database, "wal_autocheckpoint", "0");
}

/// The settings of a connection that writes.
inline std::optional<StorageError> apply_write_settings(Database& database,
                                                        const DatabaseConfig& config) {
    // 3 (EXTRA) syncs the folder when the change to WAL is done. Otherwise a power failure may
    // bring back the journal of that change, and undoing it empties the file and discards the WAL.
    if (auto error = set_pragma(database, "synchronous", "3")) return error;
    if (auto error = set_pragma(database, "journal_mode", "wal")) return error;
    // In KiB: the newest and the oldest pages of all rooms that are written to.
    if (auto error = set_pragma(database, "cache_size", "-65536")) return error;
    // What a WAL has above that is given back when it begins anew: 16 MiB.
    if (auto error = set_pragma(database, "journal_size_limit", "16777216")) return error;
    // In WAL mode 2 (FULL) syncs at every commit, 1 (NORMAL) at checkpoints only.
    const std::int64_t needed = config.durability == Durability::fsync ? 2 : 1;
    return set_pragma(database, "synchronous", std::to_string(config.synchronous.value_or(needed)));
}

/// Nothing mapped: a page that goes bad on disk must be an error of a read, not a signal.
inline std::optional<StorageError> forbid_mapping(Database& database) {
    // A VFS that cannot map at all gives no row.
    Statement statement{database, "PRAGMA mmap_size=0"};
    Rows rows = statement.query();
    if (!rows.next()) {
        return rows.code() == SQLITE_OK ? std::nullopt : std::optional{database.error()};
    }
    if (rows.number(0) == 0) return std::nullopt;
    return storage_failure(database.path(), "SQLite did not take the setting mmap_size=0");
}

/// The version of a database of ours, 0 if it is empty. Refuses what is not ours.
inline StorageResult<std::int64_t> read_version(Database& database, const DatabaseConfig& config) {
    const auto tables = read_number(database, "SELECT count(*) FROM sqlite_schema");
    if (!tables) return tables.error();
    const auto id = read_number(database, "PRAGMA application_id");
    if (!id) return id.error();
    const auto version = read_number(database, "PRAGMA user_version");
    if (!version) return version.error();
    const bool is_empty = *tables == 0 && *id == 0 && *version == 0;
    if (!is_empty && *id != config.application_id) {
        return storage_failure(database.path(),
                               "it is an SQLite database of another program; choose another file");
    }
    const std::int64_t newest = config.versions.back().version;
    if (*version > newest) {
        return storage_failure(database.path(),
                               "a newer quicchat wrote it (version " + std::to_string(*version) +
                                   " of the tables, this program knows " + std::to_string(newest) +
                                   "); use that quicchat, or choose another file");
    }
    return *version;
}

inline std::optional<StorageError> check_pages(Database& database) {
    const auto found = read_text(database, "PRAGMA quick_check(1)");
    if (!found) return found.error();
    if (*found == "ok") return std::nullopt;
    return storage_failure(database.path(),
                           "it is damaged; restore it from a backup (" + *found + ")");
}

/// Brings the tables to the newest version, one transaction for all. A new database also gets its
/// secret.
inline std::optional<StorageError> migrate(Database& database, std::int64_t version,
                                           const DatabaseConfig& config, Entropy& entropy) {
    Transaction transaction{database};
    if (transaction.code() != SQLITE_OK) return database.error();
    for (const Migration& migration : config.versions) {
        if (migration.version <= version) continue;
        const std::string number = std::to_string(migration.version);
        if (database.run(migration.sql) != SQLITE_OK ||
            database.run("PRAGMA user_version=" + number) != SQLITE_OK) {
            return database.error();
        }
    }
    if (version == 0) {
        const auto secret = entropy.draw<32>();
        Statement insert{database, "INSERT INTO meta VALUES('secret', ?1)"};
        if (insert.run(BytesView{secret}) != SQLITE_OK ||
            database.run("PRAGMA application_id=" + std::to_string(config.application_id)) !=
                SQLITE_OK) {
            return database.error();
        }
    }
    if (transaction.commit() != SQLITE_OK) return database.error();
    return std::nullopt;
}

}  // namespace detail

/// Opens the database file for writing: a new one gets its tables, an old one the newest tables.
/// One that is damaged, not ours or of a newer version is refused and left as it is. The caller
/// holds the FileLock if the tables may have to change.
inline StorageResult<Database> open_database(const DatabaseConfig& config, Entropy& entropy) {
    auto opened = Database::open(config.path, OpenMode::read_write, config.vfs);
    if (!opened) return opened;
    Database& database = *opened;
    if (auto error = detail::apply_settings(database)) return *error;
    if (auto error = detail::forbid_mapping(database)) return *error;
    const auto version = detail::read_version(database, config);
    if (!version) return version.error();
    if (config.check) {
        if (auto error = detail::check_pages(database)) return *error;
    }
    if (!config.may_migrate && *version < config.versions.back().version) {
        return storage_failure(config.path, "a server of an older quicchat uses it; stop that one");
    }
    if (auto error = detail::apply_write_settings(database, config)) return *error;
    if (*version < config.versions.back().version) {
        if (auto error = detail::migrate(database, *version, config, entropy)) {
            return *error;
        }
    }
    return opened;
}

/// Another connection to a database that is open already, to read it.
inline StorageResult<Database> open_reader(const std::string& path, const std::string& vfs) {
    auto opened = Database::open(path, OpenMode::read_only, vfs);
    if (!opened) return opened;
    if (auto error = detail::apply_settings(*opened)) return *error;
    if (auto error = detail::forbid_mapping(*opened)) return *error;
    return opened;
}

}  // namespace quicchat::sqlite

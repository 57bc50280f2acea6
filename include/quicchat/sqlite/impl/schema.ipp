#pragma once

#include "quicchat/sqlite/schema.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/sqlite/error.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL std::optional<StorageError> set_pragma(Database& database, const std::string& name,
                                                     std::string_view value) {
    const std::string pragma = "PRAGMA " + name;
    if (database.run(pragma + "=" + std::string{value}) != SQLITE_OK) return database.error();
    const auto found = read_text(database, pragma.c_str());
    if (!found) return found.error();
    if (*found == value) return std::nullopt;
    return storage_failure(database.path(), "SQLite did not take the setting " + name + "=" +
                                                std::string{value} + ", it is " + *found);
}

QUICCHAT_DECL std::optional<StorageError> configure(Database& database, int option) {
    if (sqlite3_db_config(database.handle(), option, 1, nullptr) != SQLITE_OK) {
        return database.error();
    }
    return std::nullopt;
}

QUICCHAT_DECL int wait_for_lock(void*, int count) noexcept {
    if (count >= 5000) return 0;
    sqlite3_sleep(1);
    return 1;
}

QUICCHAT_DECL std::optional<StorageError> apply_settings(Database& database) {
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

QUICCHAT_DECL std::optional<StorageError> set_cache(Database& database, int kib) {
    return set_pragma(database, "cache_size", std::to_string(-kib));
}

QUICCHAT_DECL std::optional<StorageError> apply_write_settings(Database& database,
                                                               const DatabaseConfig& config) {
    // 3 (EXTRA) syncs the folder when the change to WAL is done. Otherwise a power failure may
    // bring back the journal of that change, and undoing it empties the file and discards the WAL.
    if (auto error = set_pragma(database, "synchronous", "3")) return error;
    if (auto error = set_pragma(database, "journal_mode", "wal")) return error;
    if (auto error = set_cache(database, cache_kib)) return error;
    // What a WAL has above that is given back when it begins anew: 16 MiB.
    if (auto error = set_pragma(database, "journal_size_limit", "16777216")) return error;
    // In WAL mode 2 (FULL) syncs at every commit, 1 (NORMAL) at checkpoints only.
    const std::int64_t needed = config.durability == Durability::fsync ? 2 : 1;
    return set_pragma(database, "synchronous", std::to_string(config.synchronous.value_or(needed)));
}

QUICCHAT_DECL std::optional<StorageError> forbid_mapping(Database& database) {
    // A VFS that cannot map at all gives no row.
    Statement statement{database, "PRAGMA mmap_size=0"};
    Rows rows = statement.query();
    if (!rows.next()) {
        return rows.code() == SQLITE_OK ? std::nullopt : std::optional{database.error()};
    }
    if (rows.number(0) == 0) return std::nullopt;
    return storage_failure(database.path(), "SQLite did not take the setting mmap_size=0");
}

QUICCHAT_DECL StorageResult<std::int64_t> read_version(Database& database,
                                                       const DatabaseConfig& config) {
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

QUICCHAT_DECL std::optional<StorageError> check_pages(Database& database) {
    const auto found = read_text(database, "PRAGMA quick_check(1)");
    if (!found) return found.error();
    if (*found == "ok") return std::nullopt;
    return storage_failure(database.path(),
                           "it is damaged; restore it from a backup (" + *found + ")");
}

QUICCHAT_DECL std::optional<StorageError> compare_pages(Database& database) {
    constexpr std::size_t bytes_at_once = 256 * 1024;
    sqlite3_file* file = nullptr;
    sqlite3_int64 size = 0;
    int code = sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK) code = file->pMethods->xFileSize(file, &size);
    Buffer bytes(bytes_at_once);
    for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size;) {
        const auto count = static_cast<int>(
            std::min<sqlite3_int64>(static_cast<sqlite3_int64>(bytes.size()), size - at));
        code = file->pMethods->xRead(file, bytes.data(), count, at);
        at += count;
    }
    if (code == SQLITE_OK) return std::nullopt;
    return describe_failure(code, database.path(), "a page is not as it was written");
}

QUICCHAT_DECL std::optional<StorageError> migrate(Database& database, std::int64_t version,
                                                  const DatabaseConfig& config, Entropy& entropy) {
    Transaction transaction{database};
    if (transaction.code() != SQLITE_OK) return database.error();
    for (const Migration& migration : config.versions) {
        if (migration.version <= version) continue;
        const std::string number = std::to_string(migration.version);
        if (database.run(migration.sql) != SQLITE_OK) return database.error();
        if (migration.convert != nullptr && migration.convert(database) != SQLITE_OK) {
            return database.error();
        }
        if (database.run("PRAGMA user_version=" + number) != SQLITE_OK) return database.error();
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

}  // namespace quicchat::sqlite::detail

namespace quicchat::sqlite {

QUICCHAT_DECL StorageResult<Database> open_database(const DatabaseConfig& config,
                                                    Entropy& entropy) {
    auto opened = Database::open(config.path, OpenMode::read_write, config.vfs);
    if (!opened) return opened;
    Database& database = *opened;
    if (auto error = detail::apply_settings(database)) return *error;
    if (auto error = detail::forbid_mapping(database)) return *error;
    const auto version = detail::read_version(database, config);
    if (!version) return version.error();
    if (config.check) {
        auto error =
            config.has_sums ? detail::compare_pages(database) : detail::check_pages(database);
        if (error) return *error;
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

QUICCHAT_DECL StorageResult<Database> open_reader(const std::string& path, const std::string& vfs) {
    auto opened = Database::open(path, OpenMode::read_only, vfs);
    if (!opened) return opened;
    if (auto error = detail::apply_settings(*opened)) return *error;
    if (auto error = detail::forbid_mapping(*opened)) return *error;
    return opened;
}

}  // namespace quicchat::sqlite

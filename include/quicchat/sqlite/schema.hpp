#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/id_blocks.hpp"
#include "quicchat/wire/message.hpp"

// What is in a database file of ours, and how one is opened so that its promises hold.

namespace quicchat::sqlite {

/// "qcht", in the header of every server's database: so that `file` and we recognise it.
inline constexpr std::int64_t server_application_id = 0x71636874;

/// How a file of version - 1 becomes one of `version`. Never changed once released.
struct Migration {
    std::int64_t version = 0;   ///< From 1 on; ascending.
    const char* sql = nullptr;  ///< Statements, which give no rows.
    /// What is to be done after that, in the same transaction; gives the result code of SQLite.
    int (*convert)(Database&) = nullptr;
};

/// A record that retention dropped, before its room's `first`, is not read any more, but may stay
/// for a while; `id_block` has what is known of it for longer, see id_blocks.hpp. There is no index
/// of records' names: it would be written all over at each commit; see names.hpp. The blobs of a
/// device are those of account_table.hpp.
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
    // In place of `old_id`; and one index instead of three, of which each costs every append.
    {6, R"sql(
DROP INDEX record_edits;
DROP INDEX record_reactions;
DROP INDEX record_files;
CREATE INDEX record_acts ON record(room, kind, target) WHERE kind <> 0;
CREATE TABLE id_block(
    id INTEGER PRIMARY KEY,
    room INTEGER NOT NULL,
    last INTEGER NOT NULL,
    ids BLOB NOT NULL
) STRICT;
)sql",
     detail::move_ids_to_blocks},
};

static_assert(std::ranges::is_sorted(migrations, {}, &Migration::version));

/// How a database is opened.
struct DatabaseConfig {
    std::string path;                           ///< Of the file.
    Durability durability = Durability::fsync;  ///< Not `memory`.
    bool check = true;                          ///< Look for damage; reads the whole file.
    bool has_sums = false;                      ///< `vfs` has those of all pages: compare them.
    bool may_migrate = true;                    ///< False: refuse a file whose tables are older.
    std::string vfs{};                          ///< For tests: another one than the system's files.
    std::optional<std::int64_t> synchronous{};  ///< For tests: instead of what `durability` needs.
    /// By which the file is recognised as ours; a client's has another one.
    std::int64_t application_id = server_application_id;
    std::span<const Migration> versions{migrations};  ///< From the first to the newest.
};

namespace detail {

/// Sets a pragma and sees that it is so: builds and bindings of SQLite change the defaults, and
/// some settings are quietly refused.
QUICCHAT_DECL std::optional<StorageError> set_pragma(Database& database, const std::string& name,
                                                     std::string_view value);

QUICCHAT_DECL std::optional<StorageError> configure(Database& database, int option);

/// Waits for other connections, up to about five seconds. Unlike SQLite's own handler it asks again
/// every millisecond: a busy server lets go of the lock often, but briefly.
QUICCHAT_DECL int wait_for_lock(void*, int count) noexcept;

/// The settings that change nothing in the file, for every connection.
QUICCHAT_DECL std::optional<StorageError> apply_settings(Database& database);

/// What a connection that writes caches: the newest and the oldest pages of all rooms that are
/// written to.
inline constexpr int cache_kib = 65'536;
/// While the whole file is read once: nobody asks for what was read again.
inline constexpr int cache_kib_of_start = 2'048;

/// How much of the file a connection keeps in memory.
QUICCHAT_DECL std::optional<StorageError> set_cache(Database& database, int kib);

/// The settings of a connection that writes.
QUICCHAT_DECL std::optional<StorageError> apply_write_settings(Database& database,
                                                               const DatabaseConfig& config);

/// Nothing mapped: a page that goes bad on disk must be an error of a read, not a signal.
QUICCHAT_DECL std::optional<StorageError> forbid_mapping(Database& database);

/// The version of a database of ours, 0 if it is empty. Refuses what is not ours.
QUICCHAT_DECL StorageResult<std::int64_t> read_version(Database& database,
                                                       const DatabaseConfig& config);

QUICCHAT_DECL std::optional<StorageError> check_pages(Database& database);

/// Reads the file by a VFS that knows the sums of its pages, and no more than that.
QUICCHAT_DECL std::optional<StorageError> compare_pages(Database& database);

/// Brings the tables to the newest version, one transaction for all. A new database also gets its
/// secret.
QUICCHAT_DECL std::optional<StorageError> migrate(Database& database, std::int64_t version,
                                                  const DatabaseConfig& config, Entropy& entropy);

}  // namespace detail

/// Opens the database file for writing: a new one gets its tables, an old one the newest tables.
/// One that is damaged, not ours or of a newer version is refused and left as it is. The caller
/// holds the FileLock if the tables may have to change.
QUICCHAT_DECL StorageResult<Database> open_database(const DatabaseConfig& config, Entropy& entropy);

/// Another connection to a database that is open already, to read it.
QUICCHAT_DECL StorageResult<Database> open_reader(const std::string& path, const std::string& vfs);

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/schema.ipp"
#endif

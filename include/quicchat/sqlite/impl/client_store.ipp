#pragma once

#include "quicchat/sqlite/client_store.hpp"

#include <chrono>
#include <utility>

#include "quicchat/auth/device_token.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL StorageResult<ClientStore> ClientStore::open(const std::string& path,
                                                           std::string account, Entropy entropy) {
    const std::string real = real_path(path);
    auto lock = FileLock::take(real);
    if (!lock) return lock.error();
    if (auto error = make_database_file(real)) return *error;
    auto database = open_database({.path = real,
                                   .durability = Durability::process,
                                   .application_id = client_application_id,
                                   .versions = client_migrations},
                                  entropy);
    if (!database) return database.error();
    ClientStore store{*std::move(lock), *std::move(database), std::move(account)};
    if (auto error = store.load()) return *error;
    if (auto error = store.checkpoint()) return *error;
    return store;
}

QUICCHAT_DECL std::optional<StorageError> ClientStore::keep(const DeviceToken& token) {
    // In WAL mode FULL syncs at the commit.
    if (database_.run("PRAGMA synchronous=FULL") != SQLITE_OK) return failure();
    Statement replace{database_, "INSERT OR REPLACE INTO token VALUES(?1, ?2, ?3)"};
    const int code = replace.run(account_, token.generation, token.key.view());
    if (code != SQLITE_OK) return failure();
    if (database_.run("PRAGMA synchronous=NORMAL") != SQLITE_OK) return failure();
    return note_written(1);
}

QUICCHAT_DECL std::optional<StorageError> ClientStore::forget_token() {
    Statement erase{database_, "DELETE FROM token WHERE account=?1"};
    if (erase.run(account_) != SQLITE_OK) return failure();
    return std::nullopt;
}

// What fails here costs a round trip. If the file is of no use, what must be kept will say so.

QUICCHAT_DECL std::vector<std::uint8_t> ClientStore::take_address_token() {
    std::vector<std::uint8_t> token;
    {
        Statement select{database_, "SELECT token FROM address_token WHERE account=?1"};
        Rows rows = select.query(account_);
        if (!rows.next()) return {};
        const BytesView bytes = rows.bytes(0);
        if (bytes.size() <= address_token_bytes_max) {
            const auto* octets = reinterpret_cast<const std::uint8_t*>(bytes.data());
            token.assign(octets, octets + bytes.size());
        }
    }
    Statement erase{database_, "DELETE FROM address_token WHERE account=?1"};
    if (erase.run(account_) != SQLITE_OK) return {};
    (void)note_written(1);
    return token;
}

QUICCHAT_DECL void ClientStore::keep_address_token(std::span<const std::uint8_t> token) {
    if (token.empty() || token.size() > address_token_bytes_max) return;
    Statement replace{database_, "INSERT OR REPLACE INTO address_token VALUES(?1, ?2)"};
    if (replace.run(account_, std::as_bytes(token)) == SQLITE_OK) (void)note_written(1);
}

QUICCHAT_DECL std::optional<StorageError> ClientStore::apply(
    std::span<const OutboxChange> changes) {
    if (changes.empty()) return std::nullopt;
    {
        Transaction transaction{database_};
        if (transaction.code() != SQLITE_OK) return failure();
        Statement keep{database_,
                       "INSERT OR IGNORE INTO unsent(account, room, addressee, id, text, "
                       "attributes, kind, target, subject, value, until) "
                       "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"};
        Statement forget{database_,
                         "DELETE FROM unsent WHERE account=?1 AND room=?2 AND addressee=?3 AND "
                         "id=?4"};
        for (const auto& [m, kept] : changes) {
            const BytesView id{m.id.bytes};
            const Act& act = m.act;
            const int code =
                kept ? keep.run(account_, m.room, m.to, id, m.text, m.attributes,
                                static_cast<std::int64_t>(act.kind), act.target, act.subject,
                                act.value, act.until.time_since_epoch().count())
                     : forget.run(account_, m.room, m.to, id);
            if (code != SQLITE_OK) return failure();
        }
        if (transaction.commit() != SQLITE_OK) return failure();
    }
    return note_written(changes.size());
}

QUICCHAT_DECL StorageError ClientStore::failure() {
    const int code = sqlite3_errcode(database_.handle()) & 0xff;
    may_pass_ = code == SQLITE_FULL || code == SQLITE_BUSY;
    return database_.error();
}

QUICCHAT_DECL ClientStore::ClientStore(FileLock lock, Database database, std::string account)
    : lock_(std::move(lock)), database_(std::move(database)), account_(std::move(account)) {}

QUICCHAT_DECL std::optional<StorageError> ClientStore::load() {
    Statement select_device{database_, "SELECT value FROM meta WHERE key='secret'"};
    Rows device = select_device.query();
    if (!device.next()) return database_.error();
    device.copy_to(0, device_.bytes);

    Statement select_token{database_, "SELECT generation, key FROM token WHERE account=?1"};
    Rows token = select_token.query(account_);
    if (token.next()) {
        DeviceToken found{static_cast<std::uint64_t>(token.number(0)), Secret{token.bytes(1)}};
        // Of a file with damage. Nobody logs in with that, and the password may be good.
        if (is_device_token(found)) token_ = std::move(found);
    }
    Statement select_unsent{database_,
                            "SELECT room, addressee, id, text, attributes, kind, target, "
                            "subject, value, until FROM unsent "
                            "WHERE account=?1 ORDER BY number"};
    Rows unsent = select_unsent.query(account_);
    while (unsent.next()) {
        UnsentMessage& m = unsent_.emplace_back();
        m.room = unsent.text(0);
        m.to = unsent.text(1);
        unsent.copy_to(2, m.id.bytes);
        m.text = unsent.text(3);
        m.attributes = unsent.text(4);
        m.act = {static_cast<Act::Kind>(unsent.number(5)), static_cast<Offset>(unsent.number(6)),
                 std::string{unsent.text(7)}, static_cast<std::uint64_t>(unsent.number(8)),
                 WallTime{std::chrono::milliseconds{unsent.number(9)}}};
    }
    if (token.code() != SQLITE_OK || unsent.code() != SQLITE_OK) return database_.error();
    return std::nullopt;
}

QUICCHAT_DECL std::optional<StorageError> ClientStore::note_written(std::size_t changes) {
    written_ += changes;
    return written_ < changes_per_checkpoint ? std::nullopt : checkpoint();
}

QUICCHAT_DECL std::optional<StorageError> ClientStore::checkpoint() {
    written_ = 0;
    if (database_.run("PRAGMA wal_checkpoint(TRUNCATE)") != SQLITE_OK) return failure();
    return std::nullopt;
}

}  // namespace quicchat::sqlite

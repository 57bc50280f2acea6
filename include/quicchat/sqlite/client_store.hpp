#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quicchat/auth/device.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/storage_error.hpp"
#include "quicchat/session/outbox.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/schema.hpp"

namespace quicchat::sqlite {

inline constexpr std::int64_t client_application_id = 0x71636863;  ///< "qchc"

/// The tables of a client's file; see Migration.
inline constexpr Migration client_migrations[] = {
    {1, R"sql(
CREATE TABLE meta(
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token(
    account TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    key BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE unsent(
    number INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    room TEXT NOT NULL,
    addressee TEXT NOT NULL,
    id BLOB NOT NULL,
    text TEXT NOT NULL,
    attributes TEXT NOT NULL,
    UNIQUE(account, room, addressee, id)
) STRICT;
)sql"},
    // What a record does beside saying something: an Act.
    {2, R"sql(
ALTER TABLE unsent ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unsent ADD COLUMN target INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unsent ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE unsent ADD COLUMN value INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unsent ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
)sql"},
    {3, R"sql(
CREATE TABLE address_token(
    account TEXT PRIMARY KEY,
    token BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql"},
};

/// What a client keeps over its restarts, in a file of mode 0600: who it is (its device id), the
/// tokens it logs in with, those that prove its address, and the messages that have no answer yet.
/// The file is as secret as a password. One program at a time can have it: two that share a token
/// would look like a theft.
///
/// Unsent messages outlive a crash of the program; a token, once kept, a power failure as well.
/// Belongs to one thread.
class ClientStore {
public:
    /// Opens the file, or makes it. `account` says whose messages and token: a user at a server.
    static StorageResult<ClientStore> open(const std::string& path, std::string account,
                                           Entropy entropy);

    /// Drawn when the file was made.
    DeviceId device() const { return device_; }
    /// For the next login; nothing: by password.
    const std::optional<DeviceToken>& token() const { return token_; }
    /// In the order of sending.
    const std::vector<UnsentMessage>& unsent() const { return unsent_; }

    /// Replaces the token. Nothing: it is safe.
    std::optional<StorageError> keep(const DeviceToken& token);

    /// The server refused it.
    std::optional<StorageError> forget_token();

    /// The server's token for our address, see `quic::AddressTokens`. Empty if there is none, or
    /// none that can be had. It is forgotten: another call gives nothing.
    std::vector<std::uint8_t> take_address_token();
    /// In place of any other. Too long ones are not kept.
    void keep_address_token(std::span<const std::uint8_t> token);

    /// Keeps new messages and forgets answered ones, all or none. What was applied may be applied
    /// again.
    std::optional<StorageError> apply(std::span<const OutboxChange> changes);

    /// The latest error may go by itself: the disk is full, or another program has locked the file.
    bool may_pass() const { return may_pass_; }

private:
    static constexpr std::size_t changes_per_checkpoint = 1000;
    static constexpr std::size_t address_token_bytes_max = 512;  ///< As the endpoint takes them.

    ClientStore(FileLock lock, Database database, std::string account);

    std::optional<StorageError> load();

    /// What SQLite says.
    StorageError failure();

    /// The WAL does not grow for ever.
    std::optional<StorageError> note_written(std::size_t changes);

    /// Moves what was written into the file. No other connection is there to disturb.
    std::optional<StorageError> checkpoint();

    FileLock lock_;
    Database database_;
    std::string account_;
    DeviceId device_;
    std::optional<DeviceToken> token_;
    std::vector<UnsentMessage> unsent_;
    std::size_t written_ = 0;
    bool may_pass_ = false;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/client_store.ipp"
#endif

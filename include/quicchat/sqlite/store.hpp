#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/summing_vfs.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "quicchat/sqlite/writer_thread.hpp"

namespace quicchat::sqlite {

/// Where a server keeps what must outlive it, and how safely.
struct StoreConfig {
    std::string path;  ///< The database file, on a local disk. Made with mode 0600 if need be.
    Durability durability = Durability::fsync;  ///< Or `process`; never `memory`.
    CommitConfig commit{};                      ///< How many appends share a sync of the disk.
    std::string vfs{};  ///< For tests: a VFS of SQLite instead of the system's files.
};

/// A database that one server uses: its rooms, accounts and devices. Shared by `SqliteLog` and
/// `SqliteAccounts`. One thread, always the same, calls it; behind it one thread writes.
///
/// The last of its owners to go commits what is queued. Another process may change accounts
/// meanwhile (`AccountAdmin`), but no second server can open the file.
class Store {
public:
    /// Opens the file, or makes it; the error is a sentence for whoever starts the server. Reads
    /// the whole file to find damage; after an end in order that is quick. `entropy` gives epochs
    /// and a new file its secret.
    static StorageResult<std::shared_ptr<Store>> open(const StoreConfig& config, Entropy entropy);

    /// As RoomLog has them; names are those of logs, see `Room::key`.
    /// @{
    Result<LogHead> open_room(const std::string& name, Retention retention);

    void forget_room(const std::string& name);

    std::vector<std::string> rooms() const;

    LogHead head(const std::string& room) const;

    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes = {});

    void look_up(AppendToken token, const std::string& room, Record record);

    void trim(const std::string& room, WallTime before);

    void store_state(const std::string& room, std::vector<StateChange> changes);
    /// @}

    /// As RoomLog has them. What was appended is read once its news were polled.
    /// @{
    Result<RoomState> state(const std::string& name);

    std::optional<LogNews> poll_news();

    Result<std::vector<LoggedRecord>> read(const std::string& name, Offset after,
                                           std::size_t count_max);

    Result<std::vector<LoggedRecord>> files(const std::string& name);

    Result<Reactions> reactions(const std::string& name, Offset target, const std::string& author,
                                const std::string& text);
    /// @}

    /// Has devices changed after what was asked before. `saved` tells when it is safe.
    SaveTicket change_devices(ChangeDevices change);
    /// See `AccountBook::saved`.
    SaveTicket saved() const { return writer_.saved(); }

    /// Readable while there are news, or after `saved` has grown. It is made quiet by
    /// `poll_news` when there is none.
    int wake_fd() const { return writer_.wake_fd(); }

    /// Why nothing can be written any more: the server should stop and say so. May be called by
    /// any thread.
    std::optional<StorageError> failure() const { return writer_.failure(); }

    /// Why appends are refused for now, while what can be read is read: the disk is full, or
    /// another program has locked the file. Nothing again once something was stored. May be called
    /// by any thread.
    std::optional<StorageError> trouble() const { return writer_.trouble(); }

    /// As configured: how safe a record is when its news come.
    Durability durability() const { return config_.durability; }

    /// 32 random bytes that were made with the file: for `AccountStore::find_or_fake`.
    BytesView secret() const { return secret_.view(); }

    /// A connection for reading what is committed.
    Database& reader() { return reader_; }

private:
    /// What the caller knows of a room.
    struct Room {
        RoomKey key{};
        LogHead head;
        Offset trimmed = 1;  ///< The rows before that were asked to be deleted at once.
    };

    Store(const StoreConfig& config, Entropy entropy, FileLock lock, Writer writer, Database reader,
          Secret secret, WakeFd wake, std::shared_ptr<SummingVfs> files);

    AppendRecord make_append(AppendToken token, const std::string& room, Record&& record) const;

    /// Of a query for records in order. `storage_failed`, also where they are not in order.
    static Result<std::vector<LoggedRecord>> take_records(Rows& rows);

    static StorageResult<Secret> read_secret(Database& reader);

    static std::map<std::string, Room> known_rooms(const Writer& writer);

    static std::int64_t newest_room(const Writer& writer);

    /// From here on the caller knows the record, and no more those that it pushed out of the
    /// retention. Only now they may be deleted: nobody can ask for them any more. True if it is
    /// something to tell.
    bool learn(const WriteDone& done);

    const StoreConfig config_;
    Entropy entropy_;
    Secret secret_;
    FileLock lock_;                      ///< Given back when all else is closed.
    std::shared_ptr<SummingVfs> files_;  ///< Of both connections.
    std::map<std::string, Room> rooms_;
    std::int64_t newest_room_;
    SaveTicket newest_ticket_ = 0;
    std::deque<WriteDone> answers_;
    WriterThread writer_;
    Database reader_;  ///< Ends before the writer, which closes the file as the last.
    Statement select_records_;
    Statement select_files_;
    Statement count_reactions_;
    Statement select_reaction_;
    Statement select_state_;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/store.ipp"
#endif

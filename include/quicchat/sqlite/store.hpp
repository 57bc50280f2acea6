#pragma once

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "quicchat/sqlite/writer_thread.hpp"

namespace quicchat::sqlite {

/// Where a server keeps what must outlive it, and how safely.
struct StoreConfig {
    std::string path;  ///< The database file, on a local disk. Made with mode 0600 if need be.
    Durability durability = Durability::fsync;  ///< Or `process`; never `memory`.
    CommitConfig commit{};
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
    /// the whole file to find damage. `entropy` gives epochs and a new file its secret.
    static StorageResult<std::shared_ptr<Store>> open(const StoreConfig& config, Entropy entropy) {
        assert(config.durability != Durability::memory);
        const std::string path = real_path(config.path);
        auto lock = FileLock::take(path);
        if (!lock) return lock.error();
        if (auto error = make_database_file(path)) return *error;
        auto database = open_database(
            {.path = path, .durability = config.durability, .vfs = config.vfs}, entropy);
        if (!database) return database.error();
        auto writer = Writer::create(*std::move(database), config.durability);
        if (!writer) return writer.error();
        auto reader = open_reader(path, config.vfs);
        if (!reader) return reader.error();
        auto secret = read_secret(*reader);
        if (!secret) return secret.error();
        WakeFd wake;
        if (!wake.is_open()) return detail::system_failure(path, "cannot make an eventfd", errno);
        return std::shared_ptr<Store>{new Store{config, entropy, *std::move(lock),
                                                *std::move(writer), *std::move(reader),
                                                *std::move(secret), std::move(wake)}};
    }

    Result<LogHead> open_room(const std::string& name, Retention retention) {
        const auto [found, added] = rooms_.try_emplace(name);
        Room& room = found->second;
        if (added) {
            room.key = RoomKey{++newest_room_};
            room.head.epoch = Epoch{entropy_.draw_number()};
            writer_.push(CreateRoom{room.key, name, room.head.epoch});
        }
        writer_.push(SetRetention{room.key, retention});
        return room.head;
    }

    void forget_room(const std::string& name) {
        const auto found = rooms_.find(name);
        if (found == rooms_.end()) return;
        writer_.push(DropRoom{found->second.key});
        rooms_.erase(found);
    }

    std::vector<std::string> rooms() const {
        std::vector<std::string> names;
        for (const auto& [name, room] : rooms_) names.push_back(name);
        return names;
    }

    LogHead head(const std::string& room) const { return rooms_.at(room).head; }

    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes = {}) {
        AppendRecord append = make_append(token, room, std::move(record));
        append.changes = std::move(changes);
        writer_.push(std::move(append));
    }

    void look_up(AppendToken token, const std::string& room, Record record) {
        AppendRecord append = make_append(token, room, std::move(record));
        append.only_look_up = true;
        writer_.push(std::move(append));
    }

    void store_state(const std::string& room, std::vector<StateChange> changes) {
        StoreState state{rooms_.at(room).key, {}};
        for (StateChange& change : changes) state.changes[change.key] = std::move(change.value);
        writer_.push(std::move(state));
    }

    Result<RoomState> state(const std::string& name) {
        RoomState state;
        Rows rows = select_state_.query(rooms_.at(name).key);
        while (rows.next()) state.emplace(rows.text(0), rows.text(1));
        if (rows.code() != SQLITE_OK) return Errc::storage_failed;
        return state;
    }

    std::optional<AppendCompletion> poll_completion() {
        if (answers_.empty()) answers_ = writer_.take_answers();
        std::optional<AppendDone> done = pop_front(answers_);
        if (!done) return std::nullopt;
        learn(*done);
        return std::move(done->completion);
    }

    Result<std::vector<LoggedRecord>> read(const std::string& name, Offset after,
                                           std::size_t count_max) {
        const Room& room = rooms_.at(name);
        std::vector<LoggedRecord> records;
        if (after >= room.head.head) return records;
        const Offset first = std::max(after + 1, room.head.first);
        Rows rows = select_records_.query(room.key, first, room.head.head,
                                          std::min<std::size_t>(count_max, room.head.head));
        while (rows.next()) records.push_back(detail::read_record(rows));
        if (rows.code() != SQLITE_OK) return Errc::storage_failed;
        return records;
    }

    Result<std::vector<LoggedRecord>> files(const std::string& name) {
        const Room& room = rooms_.at(name);
        std::vector<LoggedRecord> files;
        Rows rows = select_files_.query(room.key, room.head.first, room.head.head);
        while (rows.next()) files.push_back(detail::read_record(rows));
        if (rows.code() != SQLITE_OK) return Errc::storage_failed;
        return files;
    }

    Result<Reactions> reactions(const std::string& name, Offset target, const std::string& author,
                                const std::string& text) {
        const Room& room = rooms_.at(name);
        Rows count = count_reactions_.query(room.key, target, room.head.first, room.head.head);
        if (!count.next()) return Errc::storage_failed;
        Reactions found{.records = static_cast<std::size_t>(count.number(0))};
        if (found.records == 0) return found;
        Rows last =
            select_reaction_.query(room.key, target, room.head.first, room.head.head, author, text);
        if (last.next())
            found.there = static_cast<Act::Kind>(last.number(0)) == Act::Kind::reaction;
        if (last.code() != SQLITE_OK) return Errc::storage_failed;
        return found;
    }

    /// Has devices changed after what was asked before. `saved` tells when it is safe.
    SaveTicket change_devices(ChangeDevices change) {
        change.ticket = ++newest_ticket_;
        writer_.push(std::move(change));
        return newest_ticket_;
    }
    SaveTicket saved() const { return writer_.saved(); }

    /// Readable while a completion waits, or after `saved` has grown. It is made quiet by
    /// `poll_completion` when there is none.
    int wake_fd() const { return writer_.wake_fd(); }

    /// Why nothing can be written any more: the server should stop and say so. May be called by
    /// any thread.
    std::optional<StorageError> failure() const { return writer_.failure(); }

    /// Why appends are refused for now, while what can be read is read: the disk is full, or
    /// another program has locked the file. Nothing again once something was stored. May be called
    /// by any thread.
    std::optional<StorageError> trouble() const { return writer_.trouble(); }

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
    };

    Store(const StoreConfig& config, Entropy entropy, FileLock lock, Writer writer, Database reader,
          Secret secret, WakeFd wake)
        : config_(config),
          entropy_(entropy),
          secret_(std::move(secret)),
          lock_(std::move(lock)),
          rooms_(known_rooms(writer)),
          newest_room_(newest_room(writer)),
          writer_(std::move(writer), config.commit, std::move(wake)),
          reader_(std::move(reader)),
          select_records_(reader_, detail::select_records),
          select_files_(reader_, detail::select_files),
          count_reactions_(reader_, detail::count_reactions),
          select_reaction_(reader_, detail::select_reaction),
          select_state_(reader_, "SELECT key, value FROM room_state WHERE room=?1") {}

    AppendRecord make_append(AppendToken token, const std::string& room, Record record) const {
        const Room& r = rooms_.at(room);
        return {r.key, room, r.head.epoch, token, std::move(record)};
    }

    static StorageResult<Secret> read_secret(Database& reader) {
        Statement select{reader, "SELECT value FROM meta WHERE key='secret'"};
        Rows rows = select.query();
        if (!rows.next()) return reader.error();
        return Secret{rows.bytes(0)};
    }

    static std::map<std::string, Room> known_rooms(const Writer& writer) {
        std::map<std::string, Room> rooms;
        for (const auto& [key, room] : writer.rooms()) {
            rooms[room.name] = {key, {room.epoch, room.first, room.head}};
        }
        return rooms;
    }

    static std::int64_t newest_room(const Writer& writer) {
        return writer.rooms().empty() ? 0
                                      : static_cast<std::int64_t>(writer.rooms().rbegin()->first);
    }

    /// From here on the caller knows the record, and no more those that it pushed out of the
    /// retention. Only now they may be deleted: nobody can ask for them any more.
    void learn(const AppendDone& done) {
        if (done.completion.error != Errc{} || done.completion.duplicate) return;
        const auto found = rooms_.find(done.completion.room);
        if (found == rooms_.end() || found->second.key != done.room) return;  // it was forgotten
        LogHead& head = found->second.head;
        head.head = done.completion.offset;
        if (done.first == head.first) return;
        head.first = done.first;
        writer_.trim(done.room, done.first);
    }

    const StoreConfig config_;
    Entropy entropy_;
    Secret secret_;
    FileLock lock_;  ///< Given back when all else is closed.
    std::map<std::string, Room> rooms_;
    std::int64_t newest_room_;
    SaveTicket newest_ticket_ = 0;
    std::deque<AppendDone> answers_;
    WriterThread writer_;
    Database reader_;  ///< Ends before the writer, which closes the file as the last.
    Statement select_records_;
    Statement select_files_;
    Statement count_reactions_;
    Statement select_reaction_;
    Statement select_state_;
};

}  // namespace quicchat::sqlite

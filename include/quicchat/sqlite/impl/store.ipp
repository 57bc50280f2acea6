#pragma once

#include "quicchat/sqlite/store.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/sqlite/schema.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL StorageResult<std::shared_ptr<Store>> Store::open(const StoreConfig& config,
                                                                Entropy entropy) {
    assert(config.durability != Durability::memory);
    const std::string path = real_path(config.path);
    auto lock = FileLock::take(path);
    if (!lock) return lock.error();
    if (auto error = make_database_file(path)) return *error;
    // A VFS of tests has no files that lie beside it.
    std::optional<StartFile> left = config.vfs.empty() ? read_start_file(path) : std::nullopt;
    const auto files = std::make_shared<SummingVfs>(config.vfs);
    if (left) files->restore(std::move(left->sums), left->stamp);
    auto database = open_database({.path = path,
                                   .durability = config.durability,
                                   .has_sums = left.has_value(),
                                   .vfs = files->name()},
                                  entropy);
    if (!database) return database.error();
    if (config.vfs.empty()) {
        if (auto error = remove_start_file(path)) return *error;
    }
    auto writer = Writer::create(*std::move(database), config.durability,
                                 left ? std::optional{std::move(left->rooms)} : std::nullopt,
                                 config.vfs.empty() ? files : nullptr);
    if (!writer) return writer.error();
    auto reader = open_reader(path, files->name());
    if (!reader) return reader.error();
    auto secret = read_secret(*reader);
    if (!secret) return secret.error();
    WakeFd wake;
    if (!wake.is_open()) return detail::system_failure(path, "cannot make an eventfd", errno);
    return std::shared_ptr<Store>{new Store{config, entropy, *std::move(lock), *std::move(writer),
                                            *std::move(reader), *std::move(secret), std::move(wake),
                                            files}};
}

QUICCHAT_DECL Result<LogHead> Store::open_room(const std::string& name, Retention retention) {
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

QUICCHAT_DECL void Store::forget_room(const std::string& name) {
    const auto found = rooms_.find(name);
    if (found == rooms_.end()) return;
    writer_.push(DropRoom{found->second.key});
    rooms_.erase(found);
}

QUICCHAT_DECL std::vector<std::string> Store::rooms() const {
    std::vector<std::string> names;
    for (const auto& [name, room] : rooms_) names.push_back(name);
    return names;
}

QUICCHAT_DECL LogHead Store::head(const std::string& room) const { return rooms_.at(room).head; }

QUICCHAT_DECL void Store::append(AppendToken token, const std::string& room, Record record,
                                 std::vector<StateChange> changes) {
    AppendRecord append = make_append(token, room, std::move(record));
    append.changes = std::move(changes);
    writer_.push(std::move(append));
}

QUICCHAT_DECL void Store::look_up(AppendToken token, const std::string& room, Record record) {
    AppendRecord append = make_append(token, room, std::move(record));
    append.only_look_up = true;
    writer_.push(std::move(append));
}

QUICCHAT_RARE_DECL void Store::trim(const std::string& room, WallTime before) {
    const Room& r = rooms_.at(room);
    writer_.push(DropOld{r.key, room, r.head.epoch, before});
}

QUICCHAT_DECL void Store::store_state(const std::string& room, std::vector<StateChange> changes) {
    StoreState state{rooms_.at(room).key, {}};
    for (StateChange& change : changes) state.changes[change.key] = std::move(change.value);
    writer_.push(std::move(state));
}

QUICCHAT_DECL Result<RoomState> Store::state(const std::string& name) {
    RoomState state;
    Rows rows = select_state_.query(rooms_.at(name).key);
    while (rows.next()) state.emplace(rows.text(0), rows.text(1));
    if (rows.code() != SQLITE_OK) return Errc::storage_failed;
    return state;
}

QUICCHAT_DECL std::optional<LogNews> Store::poll_news() {
    while (true) {
        if (answers_.empty()) answers_ = writer_.take_answers();
        if (answers_.empty()) return std::nullopt;
        WriteDone& done = answers_.front();
        const bool is_news = learn(done);
        std::optional<LogNews> news{std::move(done.news)};
        answers_.pop_front();
        if (is_news) return news;
    }
}

QUICCHAT_DECL Result<std::vector<LoggedRecord>> Store::read(const std::string& name, Offset after,
                                                            std::size_t count_max) {
    const Room& room = rooms_.at(name);
    if (after >= room.head.head) return std::vector<LoggedRecord>{};
    const Offset first = std::max(after + 1, room.head.first);
    Rows rows = select_records_.query(room.key, first, room.head.head,
                                      std::min<std::size_t>(count_max, room.head.head));
    return take_records(rows);
}

QUICCHAT_DECL Result<std::vector<LoggedRecord>> Store::files(const std::string& name) {
    const Room& room = rooms_.at(name);
    Rows rows = select_files_.query(room.key, room.head.first, room.head.head);
    return take_records(rows);
}

QUICCHAT_DECL Result<std::vector<LoggedRecord>> Store::take_records(Rows& rows) {
    std::vector<LoggedRecord> records;
    while (rows.next()) {
        LoggedRecord record = detail::read_record(rows);
        // By an index with damage SQLite finds rows in another order, or twice.
        if (!records.empty() && record.offset <= records.back().offset) return Errc::storage_failed;
        records.push_back(std::move(record));
    }
    if (rows.code() != SQLITE_OK) return Errc::storage_failed;
    return records;
}

QUICCHAT_DECL Result<Reactions> Store::reactions(const std::string& name, Offset target,
                                                 const std::string& author,
                                                 const std::string& text) {
    const Room& room = rooms_.at(name);
    Rows count = count_reactions_.query(room.key, target, room.head.first, room.head.head, author);
    if (!count.next()) return Errc::storage_failed;
    Reactions found{.records = static_cast<std::size_t>(count.number(0)),
                    .by_author = static_cast<std::size_t>(count.number(1))};
    if (found.records == 0) return found;
    Rows last =
        select_reaction_.query(room.key, target, room.head.first, room.head.head, author, text);
    if (last.next()) found.there = static_cast<Act::Kind>(last.number(0)) == Act::Kind::reaction;
    if (last.code() != SQLITE_OK) return Errc::storage_failed;
    return found;
}

QUICCHAT_DECL SaveTicket Store::change_devices(ChangeDevices change) {
    change.ticket = ++newest_ticket_;
    writer_.push(std::move(change));
    return newest_ticket_;
}

QUICCHAT_DECL Store::Store(const StoreConfig& config, Entropy entropy, FileLock lock, Writer writer,
                           Database reader, Secret secret, WakeFd wake,
                           std::shared_ptr<SummingVfs> files)
    : config_(config),
      entropy_(entropy),
      secret_(std::move(secret)),
      lock_(std::move(lock)),
      files_(std::move(files)),
      rooms_(known_rooms(writer)),
      newest_room_(newest_room(writer)),
      writer_(std::move(writer), config.commit, std::move(wake)),
      reader_(std::move(reader)),
      select_records_(reader_, detail::select_records),
      select_files_(reader_, detail::select_files),
      count_reactions_(reader_, detail::count_reactions),
      select_reaction_(reader_, detail::select_reaction),
      select_state_(reader_, "SELECT key, value FROM room_state WHERE room=?1") {}

QUICCHAT_DECL AppendRecord Store::make_append(AppendToken token, const std::string& room,
                                              Record&& record) const {
    const Room& r = rooms_.at(room);
    return {r.key, room, r.head.epoch, token, std::move(record)};
}

QUICCHAT_DECL StorageResult<Secret> Store::read_secret(Database& reader) {
    Statement select{reader, "SELECT value FROM meta WHERE key='secret'"};
    Rows rows = select.query();
    if (!rows.next()) return reader.error();
    return Secret{rows.bytes(0)};
}

QUICCHAT_DECL std::map<std::string, Store::Room> Store::known_rooms(const Writer& writer) {
    std::map<std::string, Room> rooms;
    for (const auto& [key, room] : writer.rooms()) {
        rooms[room.name] = {key, {room.epoch, room.first, room.head}};
    }
    return rooms;
}

QUICCHAT_DECL std::int64_t Store::newest_room(const Writer& writer) {
    return writer.rooms().empty() ? 0 : static_cast<std::int64_t>(writer.rooms().rbegin()->first);
}

QUICCHAT_DECL bool Store::learn(const WriteDone& done) {
    const bool is_append = done.is_append();
    if (is_append && !done.news.is_commit()) return true;
    const auto found = rooms_.find(done.news.room);
    // It was forgotten.
    if (found == rooms_.end() || found->second.key != done.room) return is_append;
    LogHead& head = found->second.head;
    if (is_append) head.head = done.news.offset;
    const bool has_moved = done.first > head.first;
    if (has_moved) head.first = done.first;
    if (is_append && has_moved) writer_.trim(done.room, done.first);
    // What a room may not keep is to be gone; and also what a crash or an append has left of it.
    if (!is_append && done.first > found->second.trimmed) {
        writer_.push(TrimRoom{done.room, done.first, true});
        found->second.trimmed = done.first;
    }
    if (done.more_before) {
        writer_.push(DropOld{done.room, done.news.room, done.news.epoch, *done.more_before});
    }
    return is_append || has_moved;
}

}  // namespace quicchat::sqlite

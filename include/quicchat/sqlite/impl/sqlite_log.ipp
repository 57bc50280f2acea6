#pragma once

#include "quicchat/sqlite/sqlite_log.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL SqliteLog::SqliteLog(std::shared_ptr<sqlite::Store> store)
    : store_(std::move(store)) {}

QUICCHAT_DECL Result<LogHead> SqliteLog::open(const std::string& room, Retention retention) {
    return store_->open_room(room, retention);
}

QUICCHAT_DECL Result<std::vector<std::string>> SqliteLog::rooms() const { return store_->rooms(); }

QUICCHAT_DECL void SqliteLog::append(AppendToken token, const std::string& room, Record record,
                                     std::vector<StateChange> changes) {
    store_->append(token, room, std::move(record), std::move(changes));
}

QUICCHAT_DECL void SqliteLog::look_up(AppendToken token, const std::string& room, Record record) {
    store_->look_up(token, room, std::move(record));
}

QUICCHAT_RARE_DECL void SqliteLog::trim(const std::string& room, WallTime before) {
    store_->trim(room, before);
}

QUICCHAT_DECL void SqliteLog::store(const std::string& room, std::vector<StateChange> changes) {
    store_->store_state(room, std::move(changes));
}

QUICCHAT_DECL Result<std::vector<LoggedRecord>> SqliteLog::read(const std::string& room,
                                                                Offset after,
                                                                std::size_t count_max) const {
    return store_->read(room, after, count_max);
}

QUICCHAT_DECL Result<std::vector<LoggedRecord>> SqliteLog::files(const std::string& room) const {
    return store_->files(room);
}

QUICCHAT_DECL Result<Reactions> SqliteLog::reactions(const std::string& room, Offset target,
                                                     const std::string& author,
                                                     const std::string& text) const {
    return store_->reactions(room, target, author, text);
}

}  // namespace quicchat

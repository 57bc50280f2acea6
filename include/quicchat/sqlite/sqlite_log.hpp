#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/store.hpp"

namespace quicchat {

/// The log that survives: all rooms in one SQLite file. Each room keeps the newest records within
/// its retention. Dedup reaches as far back as the records do.
///
/// A handle on a Store: it belongs to the thread that the Store belongs to.
class SqliteLog {
public:
    explicit SqliteLog(std::shared_ptr<sqlite::Store> store) : store_(std::move(store)) {}

    Result<LogHead> open(const std::string& room, Retention retention) {
        return store_->open_room(room, retention);
    }
    void forget(const std::string& room) { store_->forget_room(room); }
    Result<std::vector<std::string>> rooms() const { return store_->rooms(); }
    LogHead head(const std::string& room) const { return store_->head(room); }

    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes = {}) {
        store_->append(token, room, std::move(record), std::move(changes));
    }
    void look_up(AppendToken token, const std::string& room, Record record) {
        store_->look_up(token, room, std::move(record));
    }
    void store(const std::string& room, std::vector<StateChange> changes) {
        store_->store_state(room, std::move(changes));
    }
    Result<RoomState> state(const std::string& room) const { return store_->state(room); }

    std::optional<AppendCompletion> poll_completion() { return store_->poll_completion(); }

    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const {
        return store_->read(room, after, count_max);
    }

    Result<std::vector<LoggedRecord>> files(const std::string& room) const {
        return store_->files(room);
    }

    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const {
        return store_->reactions(room, target, author, text);
    }

    Durability durability() const { return store_->durability(); }

    /// Readable while `poll_completion` has something.
    int wake_fd() const { return store_->wake_fd(); }

private:
    std::shared_ptr<sqlite::Store> store_;
};

static_assert(RoomLog<SqliteLog>);

}  // namespace quicchat

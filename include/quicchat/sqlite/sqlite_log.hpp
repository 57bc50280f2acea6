#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/store.hpp"

namespace quicchat {

/// The log that survives: all rooms in one SQLite file. Each room keeps the newest records within
/// its retention, and recognises its newest ids.
///
/// A handle on a Store: it belongs to the thread that the Store belongs to.
class SqliteLog : public RoomLog {
public:
    /// Shares the store, with SqliteAccounts for example.
    explicit SqliteLog(std::shared_ptr<sqlite::Store> store);

    Result<LogHead> open(const std::string& room, Retention retention) override;
    void forget(const std::string& room) override { store_->forget_room(room); }
    Result<std::vector<std::string>> rooms() const override;
    LogHead head(const std::string& room) const override { return store_->head(room); }

    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes = {}) override;
    void look_up(AppendToken token, const std::string& room, Record record) override;
    void trim(const std::string& room, WallTime before) override;

    void store(const std::string& room, std::vector<StateChange> changes) override;
    Result<RoomState> state(const std::string& room) const override { return store_->state(room); }

    std::optional<LogNews> poll_news() override { return store_->poll_news(); }

    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override;

    Result<std::vector<LoggedRecord>> files(const std::string& room) const override;

    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const override;

    Durability durability() const override { return store_->durability(); }

    /// Readable while `poll_news` has something.
    std::optional<int> wake_fd() const override { return store_->wake_fd(); }

private:
    std::shared_ptr<sqlite::Store> store_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/sqlite_log.ipp"
#endif

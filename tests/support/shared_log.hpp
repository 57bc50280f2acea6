#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/log/memory_log.hpp"

namespace quicchat::test {

/// A handle of a log that outlives the server, as a file would: the next server goes on with it.
class SharedLog : public RoomLog {
public:
    /// While `held` is true it tells no news, as one whose disk is slow.
    explicit SharedLog(std::shared_ptr<MemoryLog> log, const bool* held = nullptr)
        : log_(std::move(log)), held_(held) {}

    Result<LogHead> open(const std::string& room, Retention retention) override {
        return log_->open(room, retention);
    }
    void forget(const std::string& room) override { log_->forget(room); }
    Result<std::vector<std::string>> rooms() const override { return log_->rooms(); }
    LogHead head(const std::string& room) const override { return log_->head(room); }
    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes = {}) override {
        log_->append(token, room, std::move(record), std::move(changes));
    }
    void look_up(AppendToken token, const std::string& room, Record record) override {
        log_->look_up(token, room, std::move(record));
    }
    void trim(const std::string& room, WallTime before) override { log_->trim(room, before); }
    void store(const std::string& room, std::vector<StateChange> changes) override {
        log_->store(room, std::move(changes));
    }
    Result<RoomState> state(const std::string& room) const override { return log_->state(room); }
    std::optional<LogNews> poll_news() override {
        if (held_ != nullptr && *held_) return std::nullopt;
        return log_->poll_news();
    }
    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override {
        return log_->read(room, after, count_max);
    }
    Result<std::vector<LoggedRecord>> files(const std::string& room) const override {
        return log_->files(room);
    }
    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const override {
        return log_->reactions(room, target, author, text);
    }
    Durability durability() const override { return Durability::fsync; }

private:
    std::shared_ptr<MemoryLog> log_;
    const bool* held_;
};

}  // namespace quicchat::test

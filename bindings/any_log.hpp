#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/log/memory_log.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"

namespace quicchat::python {

/// Rooms in memory or in a database, as the configuration says. One type, so that the server is
/// compiled once.
class AnyLog {
public:
    explicit AnyLog(MemoryLog log) : log_(std::move(log)) {}
    explicit AnyLog(SqliteLog log) : log_(std::move(log)) {}

    Result<LogHead> open(const std::string& room, Retention retention) {
        return std::visit([&](auto& log) { return log.open(room, retention); }, log_);
    }
    void forget(const std::string& room) {
        std::visit([&](auto& log) { log.forget(room); }, log_);
    }
    Result<std::vector<std::string>> rooms() const {
        return std::visit([](const auto& log) { return log.rooms(); }, log_);
    }
    LogHead head(const std::string& room) const {
        return std::visit([&](const auto& log) { return log.head(room); }, log_);
    }
    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes) {
        std::visit(
            [&](auto& log) { log.append(token, room, std::move(record), std::move(changes)); },
            log_);
    }
    void look_up(AppendToken token, const std::string& room, Record record) {
        std::visit([&](auto& log) { log.look_up(token, room, std::move(record)); }, log_);
    }
    void store(const std::string& room, std::vector<StateChange> changes) {
        std::visit([&](auto& log) { log.store(room, std::move(changes)); }, log_);
    }
    Result<RoomState> state(const std::string& room) const {
        return std::visit([&](const auto& log) { return log.state(room); }, log_);
    }
    std::optional<AppendCompletion> poll_completion() {
        return std::visit([](auto& log) { return log.poll_completion(); }, log_);
    }
    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const {
        return std::visit([&](const auto& log) { return log.read(room, after, count_max); }, log_);
    }
    Result<std::vector<LoggedRecord>> files(const std::string& room) const {
        return std::visit([&](const auto& log) { return log.files(room); }, log_);
    }
    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const {
        return std::visit(
            [&](const auto& log) { return log.reactions(room, target, author, text); }, log_);
    }
    Durability durability() const {
        return std::visit([](const auto& log) { return log.durability(); }, log_);
    }

    /// Nothing for rooms in memory: they answer at once.
    std::optional<int> wake_fd() const {
        const auto* log = std::get_if<SqliteLog>(&log_);
        return log != nullptr ? std::optional{log->wake_fd()} : std::nullopt;
    }

private:
    std::variant<MemoryLog, SqliteLog> log_;
};

static_assert(RoomLog<AnyLog>);

}  // namespace quicchat::python

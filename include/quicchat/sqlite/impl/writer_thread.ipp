#pragma once

#include "quicchat/sqlite/writer_thread.hpp"

#include <utility>
#include <variant>

#include "quicchat/base/config.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL WriterThread::WriterThread(Writer writer, CommitConfig config, WakeFd wake)
    : writer_(std::move(writer)), config_(config), thread_(std::move(wake)) {
    thread_.start([this] { work(); });
}

QUICCHAT_DECL void WriterThread::push(Operation&& operation) {
    thread_.push(std::move(operation), join);
}

QUICCHAT_DECL void WriterThread::trim(RoomKey room, Offset first) {
    const std::lock_guard lock{mutex_};
    trims_[room] = first;
}

QUICCHAT_DECL std::deque<WriteDone> WriterThread::take_answers() { return thread_.take_answers(); }

QUICCHAT_DECL std::optional<StorageError> WriterThread::failure() const {
    const std::lock_guard lock{mutex_};
    return failure_;
}

QUICCHAT_DECL std::optional<StorageError> WriterThread::trouble() const {
    const std::lock_guard lock{mutex_};
    return trouble_;
}

QUICCHAT_DECL int WriterThread::wake_fd() const { return thread_.wake_fd(); }

QUICCHAT_DECL bool WriterThread::join(Operation& last, Operation& next) {
    auto* const earlier = std::get_if<StoreState>(&last);
    auto* const later = std::get_if<StoreState>(&next);
    if (earlier == nullptr || later == nullptr || earlier->room != later->room) return false;
    earlier->add(std::move(*later));
    return true;
}

QUICCHAT_DECL void WriterThread::work() {
    constexpr auto pause = std::chrono::seconds{1};  // somebody may make room on the disk
    while (thread_.wait(writer_.has_postponed() ? std::optional<Duration>{pause} : std::nullopt)) {
        commit();
    }
    if (has_trims()) commit();
    writer_.close();
}

QUICCHAT_DECL void WriterThread::commit() {
    fill();
    publish(writer_.commit());
    writer_.checkpoint_above(config_.wal_pages_max);
}

QUICCHAT_DECL bool WriterThread::has_trims() const {
    const std::lock_guard lock{mutex_};
    return !trims_.empty();
}

QUICCHAT_DECL std::map<RoomKey, Offset> WriterThread::take_trims() {
    const std::lock_guard lock{mutex_};
    return std::exchange(trims_, {});
}

QUICCHAT_DECL void WriterThread::fill() {
    const auto begin = std::chrono::steady_clock::now();
    const auto weight = [](const Operation& operation) -> std::size_t {
        return std::holds_alternative<AppendRecord>(operation) ? 1 : 0;
    };
    for (const auto& [room, first] : take_trims()) writer_.add(TrimRoom{room, first});
    while (writer_.appends() < config_.records_per_commit_max) {
        std::vector<Operation>& batch = writer_.batch();
        const std::size_t before = batch.size();
        thread_.take_orders(batch, config_.records_per_commit_max - writer_.appends(), weight);
        if (batch.size() == before) return;
        writer_.add_rest();
        if (std::chrono::steady_clock::now() - begin > config_.commit_delay_max) return;
    }
}

QUICCHAT_DECL void WriterThread::publish(std::vector<WriteDone> answers) {
    bool is_news = writer_.saved() != saved_.load(std::memory_order_relaxed);
    {
        const std::lock_guard lock{mutex_};
        is_news |= writer_.failure().has_value() != failure_.has_value() ||
                   writer_.trouble().has_value() != trouble_.has_value();
        failure_ = writer_.failure();
        trouble_ = writer_.trouble();
    }
    saved_.store(writer_.saved(), std::memory_order_release);
    if (!answers.empty() || is_news) thread_.answer(std::move(answers));
}

}  // namespace quicchat::sqlite

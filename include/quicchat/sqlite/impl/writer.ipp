#pragma once

#include "quicchat/sqlite/writer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/sqlite/error.hpp"
#include "quicchat/sqlite/schema.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL StorageResult<Writer> Writer::create(Database database, Durability durability,
                                                   std::optional<KnownRooms> known,
                                                   std::shared_ptr<SummingVfs> files) {
    Writer writer{std::move(database), durability};
    writer.files_ = std::move(files);
    if (auto error = writer.load(std::move(known))) return *error;
    return writer;
}

QUICCHAT_DECL void Writer::add(Operation&& operation) {
    batch_.push_back(std::move(operation));
    add_rest();
}

QUICCHAT_DECL void Writer::add_rest() {
    for (; added_ < batch_.size(); ++added_) {
        const Operation& operation = batch_[added_];
        if (std::holds_alternative<AppendRecord>(operation)) ++appends_;
        if (!failure_ && !begun_) begin();
        if (code_ == SQLITE_OK && !failure_) code_ = apply(operation);
    }
    if (begun_ && code_ == SQLITE_OK && !failure_) code_ = tables_->rooms.flush();
}

QUICCHAT_DECL std::vector<WriteDone> Writer::commit() {
    if (!failure_ && !begun_ && !postponed_.empty()) begin();
    if (begun_ && code_ == SQLITE_OK) code_ = finish();
    if (begun_ && code_ == SQLITE_OK) {
        postponed_.clear();
        accept();
    } else if (begun_) {
        end_badly();
    }
    if (failure_) refuse_rest();
    std::vector<WriteDone> answers = std::exchange(answers_, {});
    hand_over_records(answers);
    batch_.clear();
    added_ = 0;
    appends_ = 0;
    begun_ = false;
    code_ = SQLITE_OK;
    return answers;
}

QUICCHAT_DECL void Writer::checkpoint_above(int pages) {
    if (failure_ || *wal_pages_ <= pages) return;
    const bool is_long = *wal_pages_ > 2 * pages;
    sqlite3_busy_handler(database_->handle(), nullptr, nullptr);
    checkpoint(is_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE);
    sqlite3_busy_handler(database_->handle(), detail::wait_for_lock, nullptr);
}

QUICCHAT_DECL void Writer::close() {
    if (failure_) return;
    checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3_db_config(database_->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    const auto written = files_ ? files_->written() : std::nullopt;
    if (!written || !is_settled()) return;
    const std::string path = database_->path();
    const KnownRooms known = tables_->rooms.leave();
    tables_.reset();
    database_.reset();
    write_start_file(path, *written, files_->sums().all(), known);
}

QUICCHAT_DECL bool Writer::is_settled() const {
    // It is another one once another connection has committed.
    const auto version = read_number(*database_, "PRAGMA data_version");
    if (!version || *version != data_version_) return false;
    // What is to be deleted is found again by the next start.
    const auto is_trim = [](const Operation& o) { return std::holds_alternative<TrimRoom>(o); };
    if (failure_ || !std::ranges::all_of(postponed_, is_trim)) return false;
    const auto page = read_number(*database_, "PRAGMA page_size");
    return page && static_cast<std::size_t>(*page) % PageSums::block_bytes == 0;
}

QUICCHAT_DECL Writer::Writer(Database database, Durability durability)
    : database_(std::make_unique<Database>(std::move(database))) {
    sqlite3_wal_hook(database_->handle(), note_wal_pages, wal_pages_.get());
    tables_ = std::make_unique<Tables>(*database_, durability);
}

QUICCHAT_DECL int Writer::note_wal_pages(void* noted, sqlite3*, const char*, int pages) noexcept {
    *static_cast<int*>(noted) = pages;
    return SQLITE_OK;
}

QUICCHAT_DECL std::optional<StorageError> Writer::load(std::optional<KnownRooms> known) {
    if (auto error = detail::set_cache(*database_, detail::cache_kib_of_start)) return error;
    const auto version = read_number(*database_, "PRAGMA data_version");
    if (!version) return version.error();
    data_version_ = *version;
    // What was committed before that reading is in the file or in the WAL.
    const auto written = files_ ? files_->written() : std::nullopt;
    if (!written || !is_as_written(database_->path(), *written)) known.reset();
    if (const int code = tables_->rooms.load(std::move(known))) return database_->error(code);
    if (auto error = detail::set_cache(*database_, detail::cache_kib)) return error;
    for (const auto& [key, room] : rooms()) {
        if (room.first > 1) postponed_.push_back(TrimRoom{key, room.first});
    }
    return std::nullopt;
}

QUICCHAT_DECL void Writer::begin() {
    begun_ = true;
    code_ = database_->run("BEGIN IMMEDIATE");
    is_locked_ = (code_ & 0xff) == SQLITE_BUSY;
    for (const Operation& operation : postponed_) {
        if (code_ == SQLITE_OK) code_ = apply(operation);
    }
}

QUICCHAT_DECL int Writer::finish() {
    const int code = tables_->rooms.finish();
    return code == SQLITE_OK ? database_->run("COMMIT") : code;
}

QUICCHAT_DECL void Writer::accept() {
    if (answers_.empty()) {
        const std::size_t count = done_.size();
        answers_.swap(done_);
        done_.reserve(count);  // there will be about as many again
    } else {
        answers_.insert(answers_.end(), std::make_move_iterator(done_.begin()),
                        std::make_move_iterator(done_.end()));
        done_.clear();
    }
    saved_ = applied_ticket_;
    tables_->rooms.accept();
    trouble_.reset();
}

QUICCHAT_DECL void Writer::roll_back() {
    // SQLite has done it itself after some errors.
    if (database_->in_transaction()) database_->run("ROLLBACK");
    tables_->rooms.roll_back();
    applied_ticket_ = saved_;
    done_.clear();
}

QUICCHAT_DECL void Writer::note_failure() {
    const StorageError error = database_->error(code_);
    roll_back();
    const bool may_go_on = is_locked_ || errc_of(code_) == Errc::storage_full;
    (may_go_on ? trouble_ : failure_) = error;
}

QUICCHAT_DECL void Writer::end_badly() {
    note_failure();
    if (failure_) return;
    for (std::size_t i = 0; i < batch_.size() && !failure_; ++i) {
        if (const auto* append = std::get_if<AppendRecord>(&batch_[i])) {
            append_alone(*append);
        } else {
            postpone(std::move(batch_[i]));
        }
    }
    if (!failure_ && !is_locked_ && !postponed_.empty()) transact(nullptr);
}

QUICCHAT_DECL void Writer::postpone(Operation operation) {
    auto* const change = std::get_if<StoreState>(&operation);
    if (const auto* drop = std::get_if<DropOld>(&operation)) {
        std::erase_if(postponed_, [&](const Operation& waiting) {
            const auto* earlier = std::get_if<DropOld>(&waiting);
            return earlier != nullptr && earlier->room == drop->room;
        });
    }
    for (Operation& waiting : postponed_) {
        auto* const earlier = std::get_if<StoreState>(&waiting);
        if (change == nullptr || earlier == nullptr || earlier->room != change->room) continue;
        return earlier->add(std::move(*change));
    }
    postponed_.push_back(std::move(operation));
}

QUICCHAT_DECL void Writer::append_alone(const AppendRecord& append) {
    if (rooms().contains(append.room)) {  // a duplicate needs no room on the disk
        std::optional<WriteDone> known;
        if (tables_->rooms.find_duplicate(append, known) != SQLITE_OK) {
            failure_ = database_->error();
            return;
        }
        if (known) return answers_.push_back(*std::move(known));
    }
    if (append.only_look_up) {
        return answers_.push_back(tables_->rooms.answer(append, Errc::no_such_message));
    }
    const int code = is_locked_ ? SQLITE_BUSY : transact(&append);
    if (code == SQLITE_OK || failure_) return;
    answers_.push_back(tables_->rooms.answer(append, Errc::storage_full));
}

QUICCHAT_DECL int Writer::transact(const AppendRecord* append) {
    begin();
    std::optional<Operation> operation;  // until it is in its row
    if (append != nullptr) operation = *append;
    if (code_ == SQLITE_OK && operation) code_ = apply(*operation);
    if (code_ == SQLITE_OK) code_ = finish();
    if (code_ == SQLITE_OK) {
        postponed_.clear();
        accept();
        return SQLITE_OK;
    }
    note_failure();
    return code_;
}

QUICCHAT_DECL void Writer::refuse_rest() {
    auto answered = std::ranges::count_if(answers_, &WriteDone::is_append);
    for (const Operation& operation : batch_) {
        const auto* append = std::get_if<AppendRecord>(&operation);
        if (append == nullptr) continue;
        if (answered > 0) {
            --answered;
            continue;
        }
        answers_.push_back(tables_->rooms.answer(*append, failure_->errc));
    }
}

QUICCHAT_DECL void Writer::hand_over_records(std::vector<WriteDone>& answers) {
    auto done = answers.begin();
    for (Operation& operation : batch_) {
        auto* append = std::get_if<AppendRecord>(&operation);
        if (append == nullptr) continue;
        while (!done->is_append()) ++done;
        LogNews& news = done++->news;
        if (news.error == Errc{} && !news.duplicate) news.record = std::move(append->record);
    }
}

QUICCHAT_DECL int Writer::apply(const Operation& operation) {
    return match(
        operation,
        [&](const AppendRecord& o) {
            const int code = tables_->rooms.append(o, done_.emplace_back());
            if (code != SQLITE_OK) done_.pop_back();
            return code;
        },
        [&](const DropOld& o) {
            const int code = tables_->rooms.drop_old(o, done_.emplace_back());
            if (code != SQLITE_OK) done_.pop_back();
            return code;
        },
        [&](const ChangeDevices& o) {
            applied_ticket_ = o.ticket;
            return tables_->devices.apply(o);
        },
        [&](const auto& o) { return tables_->rooms.apply(o); });
}

QUICCHAT_DECL void Writer::checkpoint(int mode) {
    const int code =
        sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, mode, nullptr, nullptr);
    *wal_pages_ = 0;  // until the next commit tells
    // With a reader or a full disk the WAL stays for now, and nothing is lost.
    const int kind = code & 0xff;
    if (kind == SQLITE_OK || kind == SQLITE_BUSY || kind == SQLITE_LOCKED) return;
    if (errc_of(code) != Errc::storage_full) failure_ = database_->error();
}

}  // namespace quicchat::sqlite

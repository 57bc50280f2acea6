#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "quicchat/base/match.hpp"
#include "quicchat/sqlite/account_table.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/room_writer.hpp"
#include "quicchat/sqlite/schema.hpp"

namespace quicchat::sqlite {

/// The one that writes records and devices: several operations per transaction, in their order.
/// Without a thread of its own; belongs to one thread at a time.
///
/// A full disk refuses appends and leaves the rest for later, and so does another program that has
/// locked the file for longer than one waits for it: nothing was written then. Any other failure is
/// final: after an error of a write or a sync nobody knows what is on the disk, and a second sync
/// may report success for pages that were lost. Then everything fails until the program starts
/// anew.
class Writer {
public:
    static StorageResult<Writer> create(Database database, Durability durability) {
        Writer writer{std::move(database), durability};
        if (auto error = writer.load()) return *error;
        return writer;
    }

    /// The rooms of the database, as they were last committed.
    const std::map<RoomKey, StoredRoom>& rooms() const { return tables_->rooms.rooms(); }

    /// Takes an operation into the transaction that `commit` will end, and begins it if need be.
    void add(Operation operation) {
        if (std::holds_alternative<AppendRecord>(operation)) ++appends_;
        if (!failure_ && !begun_) begin();
        if (code_ == SQLITE_OK && !failure_) code_ = apply(operation);
        batch_.push_back(std::move(operation));
    }

    /// Appends in the transaction.
    std::size_t appends() const { return appends_; }

    /// Ends the transaction, and the appends in it: committed, or each with its error. In order.
    std::vector<AppendDone> commit() {
        if (!failure_ && !begun_ && !postponed_.empty()) begin();
        if (begun_ && code_ == SQLITE_OK) code_ = finish();
        if (begun_ && code_ == SQLITE_OK) {
            postponed_.clear();
            accept();
        } else if (begun_) {
            end_badly();
        }
        if (failure_) refuse_rest();
        std::vector<AppendDone> answers = std::exchange(answers_, {});
        batch_.clear();
        appends_ = 0;
        begun_ = false;
        code_ = SQLITE_OK;
        return answers;
    }

    /// True if something waits for room on the disk, or for the lock: call `commit` again after a
    /// while.
    bool has_postponed() const { return !failure_ && !postponed_.empty(); }

    /// The newest change of devices that is committed with all before it.
    SaveTicket saved() const { return saved_; }

    /// Why nothing can be written any more, until the program starts anew.
    const std::optional<StorageError>& failure() const { return failure_; }

    /// Why something was refused and may be stored later. Nothing again once something was stored.
    const std::optional<StorageError>& trouble() const { return trouble_; }

    /// Between transactions: moves the WAL into the file if it has more pages than that, and gives
    /// its room back if it has far more, as after somebody read for long. Readers are not
    /// disturbed, nor waited for.
    void checkpoint_above(int pages) {
        if (failure_ || *wal_pages_ <= pages) return;
        const bool is_long = *wal_pages_ > 2 * pages;
        sqlite3_busy_handler(database_->handle(), nullptr, nullptr);
        checkpoint(is_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE);
        sqlite3_busy_handler(database_->handle(), detail::wait_for_lock, nullptr);
    }

    /// At the end: leaves one file and no WAL, if nobody else has the database open.
    void close() {
        if (failure_) return;
        checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
        sqlite3_db_config(database_->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    }

private:
    struct Tables {
        Tables(Database& database, Durability durability)
            : rooms(database, durability), devices(database) {}
        RoomWriter rooms;
        detail::DeviceTable devices;
    };

    Writer(Database database, Durability durability)
        : database_(std::make_unique<Database>(std::move(database))) {
        sqlite3_wal_hook(database_->handle(), note_wal_pages, wal_pages_.get());
        tables_ = std::make_unique<Tables>(*database_, durability);
    }

    static int note_wal_pages(void* noted, sqlite3*, const char*, int pages) noexcept {
        *static_cast<int*>(noted) = pages;
        return SQLITE_OK;
    }

    /// What a crash left between dropping records and trimming them is trimmed with the first
    /// batch, and not here: the disk may be full, and then it can still be read.
    std::optional<StorageError> load() {
        if (tables_->rooms.load() != SQLITE_OK) return database_->error();
        for (const auto& [key, room] : rooms()) {
            if (room.first > 1) postponed_.push_back(TrimRoom{key, room.first});
        }
        return std::nullopt;
    }

    void begin() {
        begun_ = true;
        code_ = database_->run("BEGIN IMMEDIATE");
        is_locked_ = (code_ & 0xff) == SQLITE_BUSY;
        for (const Operation& operation : postponed_) {
            if (code_ == SQLITE_OK) code_ = apply(operation);
        }
    }

    int finish() {
        const int code = tables_->rooms.finish();
        return code == SQLITE_OK ? database_->run("COMMIT") : code;
    }

    /// The transaction is on disk: what was found out in it may be told.
    void accept() {
        answers_.insert(answers_.end(), std::make_move_iterator(done_.begin()),
                        std::make_move_iterator(done_.end()));
        done_.clear();
        saved_ = applied_ticket_;
        tables_->rooms.accept();
        trouble_.reset();
    }

    void roll_back() {
        // SQLite has done it itself after some errors.
        if (database_->in_transaction()) database_->run("ROLLBACK");
        tables_->rooms.roll_back();
        applied_ticket_ = saved_;
        done_.clear();
    }

    /// After a transaction that failed: it is the end, or not for now.
    void note_failure() {
        const StorageError error = database_->error();
        roll_back();
        const bool may_go_on = is_locked_ || errc_of(code_) == Errc::storage_full;
        (may_go_on ? trouble_ : failure_) = error;
    }

    /// The transaction failed. If only the disk is full, a part of it may fit.
    void end_badly() {
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

    /// However long the disk is full, no room has more than one change of its state waiting.
    void postpone(Operation operation) {
        auto* const change = std::get_if<StoreState>(&operation);
        for (Operation& waiting : postponed_) {
            auto* const earlier = std::get_if<StoreState>(&waiting);
            if (change == nullptr || earlier == nullptr || earlier->room != change->room) continue;
            return earlier->add(std::move(*change));
        }
        postponed_.push_back(std::move(operation));
    }

    void append_alone(const AppendRecord& append) {
        if (rooms().contains(append.room)) {  // a duplicate needs no room on the disk
            std::optional<AppendDone> known;
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

    /// A transaction of what was postponed and of one append.
    int transact(const AppendRecord* append) {
        begin();
        if (code_ == SQLITE_OK && append != nullptr) code_ = apply(Operation{*append});
        if (code_ == SQLITE_OK) code_ = finish();
        if (code_ == SQLITE_OK) {
            postponed_.clear();
            accept();
            return SQLITE_OK;
        }
        note_failure();
        return code_;
    }

    /// Every append without an answer fails. The answers are those of the first appends.
    void refuse_rest() {
        std::size_t answered = answers_.size();
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

    int apply(const Operation& operation) {
        return match(
            operation,
            [&](const AppendRecord& o) {
                AppendDone done;
                const int code = tables_->rooms.append(o, done);
                if (code == SQLITE_OK) done_.push_back(std::move(done));
                return code;
            },
            [&](const ChangeDevices& o) {
                applied_ticket_ = o.ticket;
                return tables_->devices.apply(o);
            },
            [&](const auto& o) { return tables_->rooms.apply(o); });
    }

    void checkpoint(int mode) {
        const int code =
            sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, mode, nullptr, nullptr);
        *wal_pages_ = 0;  // until the next commit tells
        // With a reader or a full disk the WAL stays for now, and nothing is lost.
        const int kind = code & 0xff;
        if (kind == SQLITE_OK || kind == SQLITE_BUSY || kind == SQLITE_LOCKED) return;
        if (errc_of(code) != Errc::storage_full) failure_ = database_->error();
    }

    std::unique_ptr<int> wal_pages_ = std::make_unique<int>(0);  ///< Its address is stable.
    std::unique_ptr<Database> database_;
    std::unique_ptr<Tables> tables_;  ///< Ends before the database.

    std::vector<Operation> batch_;
    std::size_t appends_ = 0;
    bool begun_ = false;
    int code_ = SQLITE_OK;
    bool is_locked_ = false;           ///< The last transaction could not begin.
    std::vector<AppendDone> done_;     ///< Of the open transaction.
    std::vector<AppendDone> answers_;  ///< Of transactions that are over.
    std::vector<Operation> postponed_;
    SaveTicket applied_ticket_ = 0;
    SaveTicket saved_ = 0;
    std::optional<StorageError> trouble_;
    std::optional<StorageError> failure_;
};

}  // namespace quicchat::sqlite

#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "quicchat/sqlite/account_table.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/operation.hpp"
#include "quicchat/sqlite/room_writer.hpp"
#include "quicchat/sqlite/start_file.hpp"
#include "quicchat/sqlite/summing_vfs.hpp"

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
    /// Reads what the database has. The answers to appends say `durability`.
    ///
    /// With what an earlier end has left of the rooms, which is read from the records otherwise.
    /// With the files of the database the end leaves it for the next start.
    static StorageResult<Writer> create(Database database, Durability durability,
                                        std::optional<KnownRooms> known = std::nullopt,
                                        std::shared_ptr<SummingVfs> files = nullptr);

    /// The rooms of the database, as they were last committed.
    const std::map<RoomKey, StoredRoom>& rooms() const { return tables_->rooms.rooms(); }

    /// Takes an operation into the transaction that `commit` will end, and begins it if need be.
    void add(Operation&& operation);

    /// The operations of the transaction. Whoever puts some at its end calls `add_rest`.
    std::vector<Operation>& batch() { return batch_; }

    /// Takes those at the end of the batch into the transaction.
    void add_rest();

    /// Appends in the transaction.
    std::size_t appends() const { return appends_; }

    /// Ends the transaction, and the appends in it: committed, or each with its error. In order.
    std::vector<WriteDone> commit();

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
    void checkpoint_above(int pages);

    /// At the end: leaves a file without a WAL, if nobody else has the database open, and what the
    /// next start may know. Nothing else may be called after it.
    void close();

private:
    struct Tables {
        Tables(Database& database, Durability durability)
            : rooms(database, durability), devices(database) {}
        RoomWriter rooms;
        detail::DeviceTable devices;
    };

    Writer(Database database, Durability durability);

    static int note_wal_pages(void* noted, sqlite3*, const char*, int pages) noexcept;

    /// What a crash left between dropping records and trimming them is trimmed with the first
    /// batch, and not here: the disk may be full, and then it can still be read.
    std::optional<StorageError> load(std::optional<KnownRooms> known);

    /// Whether nothing waits, nobody else has committed anything, and pages are such as have sums:
    /// then what is known of the rooms is what is in the file.
    bool is_settled() const;

    void begin();

    int finish();

    /// The transaction is on disk: what was found out in it may be told.
    void accept();

    void roll_back();

    /// After a transaction that failed: it is the end, or not for now.
    void note_failure();

    /// The transaction failed. If only the disk is full, a part of it may fit.
    void end_badly();

    /// However long the disk is full, no room has more than one change of its state waiting.
    void postpone(Operation operation);

    void append_alone(const AppendRecord& append);

    /// A transaction of what was postponed and of one append.
    int transact(const AppendRecord* append);

    /// Every append without an answer fails. The answers are those of the first appends.
    void refuse_rest();

    /// What was committed comes with its news. There is an answer for each append.
    void hand_over_records(std::vector<WriteDone>& answers);

    int apply(const Operation& operation);

    void checkpoint(int mode);

    std::unique_ptr<int> wal_pages_ = std::make_unique<int>(0);  ///< Its address is stable.
    std::shared_ptr<SummingVfs> files_;  ///< nullptr: the end leaves nothing of it.
    std::unique_ptr<Database> database_;
    std::unique_ptr<Tables> tables_;  ///< Ends before the database.

    std::vector<Operation> batch_;
    std::size_t added_ = 0;  ///< So many of the batch are in the transaction.
    std::size_t appends_ = 0;
    bool begun_ = false;
    int code_ = SQLITE_OK;
    bool is_locked_ = false;          ///< The last transaction could not begin.
    std::vector<WriteDone> done_;     ///< Of the open transaction.
    std::vector<WriteDone> answers_;  ///< Of transactions that are over.
    std::vector<Operation> postponed_;
    SaveTicket applied_ticket_ = 0;
    SaveTicket saved_ = 0;
    std::int64_t data_version_ = 0;  ///< Of the database, before anything was read.
    std::optional<StorageError> trouble_;
    std::optional<StorageError> failure_;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/writer.ipp"
#endif

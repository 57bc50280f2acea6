#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/sqlite/file_stamp.hpp"
#include "quicchat/sqlite/page_sums.hpp"

namespace quicchat::sqlite {

/// A VFS of SQLite that does what another one does, and keeps the sums of a database file's pages.
/// A page that is read and is not as it was written is SQLITE_CORRUPT, unless another program has
/// written the file: then nothing is known of it any more. For one database; it must outlive the
/// connections to it, which any threads may have.
class SummingVfs {
public:
    /// Over the VFS of that name; empty for the ordinary one.
    explicit SummingVfs(const std::string& base);
    SummingVfs(const SummingVfs&) = delete;
    SummingVfs& operator=(const SummingVfs&) = delete;
    ~SummingVfs();

    /// By which SQLite knows it.
    const std::string& name() const { return name_; }

    /// Of the database file alone.
    PageSums& sums() { return sums_; }

    /// Before the file is opened: its sums when it had that stamp.
    void restore(std::vector<std::uint64_t> sums, const FileStamp& stamp);

    /// The stamp of the file as we have written it and synced. Nothing: that is still to come, or
    /// another program has written it.
    std::optional<FileStamp> written() const;

private:
    struct File;

    static SummingVfs& of(sqlite3_vfs* vfs);
    static File& of(sqlite3_file* file);

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* given);
    static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 from);
    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 to);
    static int truncate(sqlite3_file* file, sqlite3_int64 size);
    static int sync(sqlite3_file* file, int flags);

    void begin_to_write(const char* name);
    void end_of_writes(const char* name);

    /// Something is not as it was written. True: another program wrote the file.
    bool is_written_by_others(const char* name);

    /// Needs the lock, and a stamp: if another one wrote the file since, no sum is known any more.
    void compare_stamps(const char* name);

    static const sqlite3_io_methods* methods();

    sqlite3_vfs* base_;
    std::string name_;
    sqlite3_vfs vfs_{};
    PageSums sums_;
    mutable std::mutex mutex_;          ///< Guards what follows.
    std::optional<FileStamp> stamp_{};  ///< Nothing: what is written now is ours.
    bool is_open_ = false;
    bool is_sole_writer_ = true;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/summing_vfs.ipp"
#endif

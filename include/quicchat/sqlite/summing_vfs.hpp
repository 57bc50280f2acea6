#pragma once

#include <sqlite3.h>

#include <string>

#include "quicchat/base/config.hpp"
#include "quicchat/sqlite/page_sums.hpp"

namespace quicchat::sqlite {

/// A VFS of SQLite that does what another one does, and keeps the sums of a database file's pages.
/// A page that is read and is not as it was written is SQLITE_CORRUPT. For one database, of which
/// no other process writes the file itself; it must outlive the connections to it.
class SummingVfs {
public:
    /// Over the VFS of that name; empty for the ordinary one.
    explicit SummingVfs(const std::string& base);
    SummingVfs(const SummingVfs&) = delete;
    SummingVfs& operator=(const SummingVfs&) = delete;
    ~SummingVfs();

    /// By which SQLite knows it.
    const std::string& name() const { return name_; }

    PageSums& sums() { return sums_; }

private:
    struct File;

    static SummingVfs& of(sqlite3_vfs* vfs);
    static File& of(sqlite3_file* file);

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* given);
    static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 from);
    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 to);
    static int truncate(sqlite3_file* file, sqlite3_int64 size);

    static const sqlite3_io_methods* methods();

    sqlite3_vfs* base_;
    std::string name_;
    sqlite3_vfs vfs_{};
    PageSums sums_;
};

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/summing_vfs.ipp"
#endif

#pragma once

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/storage_error.hpp"

// The C interface of SQLite with owners. Functions that can fail return SQLite's result code; the
// text for it is asked from the Database.

namespace quicchat::sqlite {

/// What may be done with the file.
enum class OpenMode : std::uint8_t { read_only, read_write };

/// A connection to a database file. Belongs to one thread at a time.
class Database {
public:
    /// Opens a file that exists; an empty one is an empty database. `vfs` names one that was
    /// registered with SQLite; empty for the ordinary one.
    static StorageResult<Database> open(const std::string& path, OpenMode mode,
                                        const std::string& vfs = {});

    /// Runs statements that give no rows, or whose rows do not matter.
    int run(const char* sql);
    /// The same.
    int run(const std::string& sql) { return run(sql.c_str()); }

    /// What the last call that failed failed with.
    StorageError error() const;

    /// The same for a result code that may be ours, about what stands in the file.
    StorageError error(int code) const;

    /// True between BEGIN and its end.
    bool in_transaction() const;

    /// Rows that the last statement inserted, changed or deleted.
    int changes() const;

    /// Of the C interface. It stays this object's.
    sqlite3* handle() const { return handle_.get(); }
    /// As it was given to `open`.
    const std::string& path() const { return path_; }

private:
    struct Close {
        void operator()(sqlite3* database) const;
    };

    Database(sqlite3* opened, std::string path);

    std::unique_ptr<sqlite3, Close> handle_;
    std::string path_;
};

class Statement;

/// The rows of a running statement, which it ends. Belongs to the thread of its database.
class Rows {
public:
    /// For Statement, which binds the values. `code`: what that gave.
    explicit Rows(sqlite3_stmt* statement, int code) : statement_(statement), code_(code) {}
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    ~Rows();

    /// Goes to the next row. False: there is none, or reading failed, see `code`.
    bool next();

    /// SQLITE_OK, unless reading failed.
    int code() const { return code_ == SQLITE_ROW || code_ == SQLITE_DONE ? SQLITE_OK : code_; }

    /// Of the row that `next` went to, by the column's number from 0. NULL reads as 0, or as
    /// nothing. Bytes are good until the next row.
    /// @{
    std::int64_t number(int column) const;
    bool is_null(int column) const;

    /// Until the next row.
    std::string_view text(int column) const { return as_text(bytes(column)); }
    BytesView bytes(int column) const;
    /// @}

    /// As many bytes as both have; the rest of `out` stays.
    template <std::size_t N>
    void copy_to(int column, std::array<std::byte, N>& out) const {
        const BytesView found = bytes(column);
        for (std::size_t i = 0; i < N && i < found.size(); ++i) out[i] = found[i];
    }

private:
    sqlite3_stmt* statement_;
    int code_;
};

/// A statement that is compiled once. Belongs to the thread of its database, and must not be used
/// after it.
class Statement {
public:
    /// Compiles it. What is wrong with it is told by the first `run` or `query`.
    Statement(Database& database, const char* sql);

    /// Runs it with these values for ?1, ?2 and so on, for its effect.
    template <class... Values>
    int run(const Values&... values) {
        Rows rows = bind_all(SQLITE_STATIC, values...);  // they outlive this call
        while (rows.next()) {
        }
        return rows.code();
    }

    /// The same in steps, for statements with many values: binds these from ?place on, and `place`
    /// is the next one then. They must outlive `run_bound`.
    template <class... Values>
    int bind_next(int& place, const Values&... values) {
        if (handle_ == nullptr) return code_;
        int code = SQLITE_OK;
        ((code = code == SQLITE_OK ? bind(place++, values, SQLITE_STATIC) : code), ...);
        return code;
    }

    /// Runs it with what was bound.
    int run_bound() { return run(); }

    /// Begins to read. One at a time per statement.
    template <class... Values>
    Rows query(const Values&... values) {
        return bind_all(SQLITE_TRANSIENT, values...);
    }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    /// Whether SQLite has to copy texts and blobs.
    using Lifetime = sqlite3_destructor_type;

    template <class... Values>
    Rows bind_all([[maybe_unused]] Lifetime lifetime, const Values&... values) {
        if (handle_ == nullptr) return Rows{nullptr, code_};
        int code = SQLITE_OK;
        int place = 0;
        ((code = code == SQLITE_OK ? bind(++place, values, lifetime) : code), ...);
        return Rows{handle_.get(), code};
    }

    template <class Value>
    requires std::is_integral_v<Value> || std::is_enum_v<Value>
    int bind(int place, Value value, Lifetime) {
        return sqlite3_bind_int64(handle_.get(), place, static_cast<sqlite3_int64>(value));
    }
    int bind(int place, std::string_view text, Lifetime lifetime);
    int bind(int place, BytesView bytes, Lifetime lifetime);
    int bind(int place, const std::optional<Buffer>& bytes, Lifetime lifetime);

    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    int code_ = SQLITE_OK;
};

/// Writes that happen together or not at all. Ends by `commit`, or else undoes what it did.
class Transaction {
public:
    /// Begins at once, as a writer: it waits for others that write.
    explicit Transaction(Database& database)
        : database_(&database), code_(database.run("BEGIN IMMEDIATE")) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();

    /// SQLITE_OK if it has begun.
    int code() const { return code_; }
    /// Gives the result code of SQLite. Not SQLITE_OK: the end undoes what was written.
    int commit() { return database_->run("COMMIT"); }

private:
    Database* database_;
    int code_;
};

/// The first column of the first row.
QUICCHAT_DECL StorageResult<std::int64_t> read_number(Database& database, const char* sql);

/// The same, as text.
QUICCHAT_DECL StorageResult<std::string> read_text(Database& database, const char* sql);

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/database.ipp"
#endif

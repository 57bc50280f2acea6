#pragma once

#include "quicchat/sqlite/database.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/sqlite/error.hpp"

namespace quicchat::sqlite {

QUICCHAT_DECL StorageResult<Database> Database::open(const std::string& path, OpenMode mode,
                                                     const std::string& vfs) {
    sqlite3* opened = nullptr;
    const int access = mode == OpenMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    const int code =
        sqlite3_open_v2(path.c_str(), &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        vfs.empty() ? nullptr : vfs.c_str());
    Database database{opened, path};
    if (code != SQLITE_OK) return database.error();
    // SQLite quietly opens a file read-only that it may not write.
    if (mode == OpenMode::read_write && sqlite3_db_readonly(opened, "main") != 0) {
        return describe_failure(SQLITE_READONLY, path, "opened read-only");
    }
    return database;
}

QUICCHAT_DECL int Database::run(const char* sql) {
    return sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
}

QUICCHAT_DECL StorageError Database::error() const {
    if (!handle_) return describe_failure(SQLITE_NOMEM, path_, "out of memory");
    return describe_failure(sqlite3_extended_errcode(handle()), path_, sqlite3_errmsg(handle()));
}

QUICCHAT_DECL StorageError Database::error(int code) const {
    const int last = sqlite3_errcode(handle()) & 0xff;
    if (last != SQLITE_OK && last != SQLITE_ROW && last != SQLITE_DONE) return error();
    return describe_failure(code, path_, sqlite3_errstr(code));
}

QUICCHAT_DECL bool Database::in_transaction() const {
    return sqlite3_get_autocommit(handle()) == 0;
}

QUICCHAT_DECL int Database::changes() const { return sqlite3_changes(handle()); }

QUICCHAT_DECL void Database::Close::operator()(sqlite3* database) const {
    sqlite3_close_v2(database);
}

QUICCHAT_DECL Database::Database(sqlite3* opened, std::string path)
    : handle_(opened), path_(std::move(path)) {}

QUICCHAT_DECL Rows::~Rows() {
    if (statement_ != nullptr) sqlite3_reset(statement_);
}

QUICCHAT_DECL bool Rows::next() {
    if (code_ != SQLITE_OK && code_ != SQLITE_ROW) return false;
    code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
}

QUICCHAT_DECL std::int64_t Rows::number(int column) const {
    return sqlite3_column_int64(statement_, column);
}

QUICCHAT_DECL bool Rows::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

QUICCHAT_DECL BytesView Rows::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    if (data == nullptr) return {};
    return {static_cast<const std::byte*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

QUICCHAT_DECL Statement::Statement(Database& database, const char* sql) {
    sqlite3_stmt* compiled = nullptr;
    code_ = sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &compiled,
                               nullptr);
    handle_.reset(compiled);
}

QUICCHAT_DECL void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

QUICCHAT_DECL int Statement::bind(int place, std::string_view text, Lifetime lifetime) {
    return sqlite3_bind_text64(handle_.get(), place, text.data() ? text.data() : "", text.size(),
                               lifetime, SQLITE_UTF8);
}

QUICCHAT_DECL int Statement::bind(int place, BytesView bytes, Lifetime lifetime) {
    // A null pointer would bind NULL.
    const void* data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
    return sqlite3_bind_blob64(handle_.get(), place, data, bytes.size(), lifetime);
}

QUICCHAT_DECL int Statement::bind(int place, const std::optional<Buffer>& bytes,
                                  Lifetime lifetime) {
    return bytes ? bind(place, BytesView{*bytes}, lifetime)
                 : sqlite3_bind_null(handle_.get(), place);
}

QUICCHAT_DECL Transaction::~Transaction() {
    if (database_->in_transaction()) database_->run("ROLLBACK");
}

QUICCHAT_DECL StorageResult<std::int64_t> read_number(Database& database, const char* sql) {
    Statement statement{database, sql};
    Rows rows = statement.query();
    if (!rows.next()) return database.error();
    return rows.number(0);
}

QUICCHAT_DECL StorageResult<std::string> read_text(Database& database, const char* sql) {
    Statement statement{database, sql};
    Rows rows = statement.query();
    if (!rows.next()) return database.error();
    return std::string{rows.text(0)};
}

}  // namespace quicchat::sqlite

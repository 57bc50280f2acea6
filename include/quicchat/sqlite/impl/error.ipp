#pragma once

#include "quicchat/sqlite/error.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::sqlite::detail {

QUICCHAT_DECL std::string_view explain(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return "the disk is full; make room on it";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "another program has locked it; stop that program, or choose another file";
        case SQLITE_READONLY:
            return "it cannot be written; give this user the right to write the file and its "
                   "folder";
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return "access was denied; give this user the right to read and write it";
        case SQLITE_CANTOPEN:
            return "it cannot be opened; give this user the right to read and write the file and "
                   "its folder";
        case SQLITE_CORRUPT:
            return "it is damaged; restore it from a backup";
        case SQLITE_NOTADB:
            return "it is not an SQLite database; choose another file";
        case SQLITE_IOERR:
            return "the disk reports an error; look at the system's log";
        case SQLITE_NOMEM:
            return "there is no memory left";
        default:
            return "SQLite failed";
    }
}

}  // namespace quicchat::sqlite::detail

namespace quicchat::sqlite {

QUICCHAT_DECL StorageError describe_failure(int code, const std::string& path,
                                            std::string_view note) {
    std::string text = "database '" + path + "': " + std::string{detail::explain(code)} + " (";
    text.append(note);
    text += ", SQLite code " + std::to_string(code) + ")";
    return {errc_of(code), std::move(text)};
}

QUICCHAT_DECL StorageError storage_failure(const std::string& path, std::string_view what) {
    return {Errc::storage_failed, "database '" + path + "': " + std::string{what}};
}

}  // namespace quicchat::sqlite

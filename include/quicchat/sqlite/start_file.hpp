#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/storage_error.hpp"
#include "quicchat/log/authors.hpp"
#include "quicchat/log/name_table.hpp"
#include "quicchat/sqlite/file_stamp.hpp"
#include "quicchat/sqlite/operation.hpp"

// What a server that ends in order leaves beside its database, so that the next start need not read
// all records: the file FILE.start. It is a copy of what the database says, and may be removed.

namespace quicchat::sqlite {

/// What is known of the records of a room by looking at all of them.
struct KnownRoom {
    NameTable names;  ///< The offsets by the hashes of the records' names.
    Authors authors;  ///< Without ids whose records are gone.
};
/// Of all rooms.
using KnownRooms = std::map<RoomKey, KnownRoom>;

/// What was known when the server ended, and the sums of the file's pages then.
struct StartFile {
    FileStamp stamp{};                  ///< Of the database file then.
    std::vector<std::uint64_t> sums{};  ///< As `PageSums::all` has them.
    KnownRooms rooms{};                 ///< Of all rooms in that file.
};

/// Whether nobody has written into the database since its file had that stamp, nor into a WAL.
QUICCHAT_DECL bool is_as_written(const std::string& database, const FileStamp& written);

/// What belongs to the database file as it is: nothing was written into it since, and there is no
/// WAL. Nothing: there is none, or it is about another state, or damaged.
QUICCHAT_DECL std::optional<StartFile> read_start_file(const std::string& database);

/// Call when the database is closed, with the sums of what was written into it, and the stamp that
/// it had then. If something is in the way, or another has written it since, there will be none.
QUICCHAT_DECL void write_start_file(const std::string& database, const FileStamp& written,
                                    std::span<const std::uint64_t> sums, const KnownRooms& rooms);

/// Call before anything is written into the database file: after a power failure it must not be
/// there again. Nothing: there is none any more.
QUICCHAT_DECL std::optional<StorageError> remove_start_file(const std::string& database);

}  // namespace quicchat::sqlite

#ifndef QUICCHAT_COMPILED
#include "quicchat/sqlite/impl/start_file.ipp"
#endif

#pragma once

#include "quicchat/sqlite/start_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/sqlite/file_lock.hpp"
#include "quicchat/sqlite/file_stamp.hpp"
#include "quicchat/sqlite/page_sums.hpp"
#include "quicchat/sqlite/record_table.hpp"
#include "quicchat/sqlite/schema.hpp"

namespace quicchat::sqlite {

namespace detail {

// The file is a list of pieces: how many words, their sum, the words. First the head, then the sums
// of the pages, then for each room who wrote what, and its table of names.

using Words = std::vector<std::uint64_t>;

/// "qcstart" and a number that grows when what follows, a table of names or a sum, is another one.
inline constexpr std::uint64_t start_file_magic = 0x71637374'61727401;

/// Of one with other tables nothing is believed: they will be changed.
inline constexpr auto schema_version = static_cast<std::uint64_t>(std::end(migrations)[-1].version);

QUICCHAT_DECL std::string start_file_of(const std::string& database) { return database + ".start"; }

QUICCHAT_DECL bool is_there(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && found.st_size > 0;
}

/// Something is to go into the database that is not in its file yet.
QUICCHAT_DECL bool has_journal(const std::string& database) {
    return is_there(database + "-wal") || is_there(database + "-journal");
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

QUICCHAT_DECL OpenFile open_file(const std::string& path, int flags, const char* mode) {
    const int fd = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
    std::FILE* const file = fd < 0 ? nullptr : ::fdopen(fd, mode);
    if (fd >= 0 && file == nullptr) ::close(fd);
    return OpenFile{file};
}

QUICCHAT_DECL bool write_words(std::FILE* file, std::span<const std::uint64_t> words) {
    return std::fwrite(words.data(), sizeof(std::uint64_t), words.size(), file) == words.size();
}

QUICCHAT_DECL bool write_piece(std::FILE* file, std::span<const std::uint64_t> words) {
    const std::uint64_t head[] = {words.size(), sum_of(std::as_bytes(words))};
    return write_words(file, head) && write_words(file, words);
}

/// Takes no more memory than the file has bytes.
QUICCHAT_DECL bool read_piece(std::FILE* file, Words& words) {
    std::uint64_t head[2] = {};
    if (std::fread(head, sizeof head, 1, file) != 1) return false;
    struct stat found {};
    if (::fstat(::fileno(file), &found) != 0 ||
        head[0] > static_cast<std::uint64_t>(found.st_size) / sizeof(std::uint64_t)) {
        return false;
    }
    words.resize(static_cast<std::size_t>(head[0]));
    return std::fread(words.data(), sizeof(std::uint64_t), words.size(), file) == words.size() &&
           sum_of(std::as_bytes(std::span{words})) == head[1];
}

/// Reads words one after the other. After the last one it gives 0, and `ok` is false.
class WordReader {
public:
    explicit WordReader(std::span<const std::uint64_t> words) : words_(words) {}

    bool ok() const { return ok_; }
    bool is_at_end() const { return words_.empty(); }

    std::uint64_t number() {
        ok_ = ok_ && !words_.empty();
        if (!ok_) return 0;
        const std::uint64_t word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }

    /// How many things follow, of which each takes a word at least.
    std::size_t count() {
        const std::uint64_t count = number();
        ok_ = ok_ && count <= words_.size();
        return ok_ ? static_cast<std::size_t>(count) : 0;
    }

    std::string text() {
        const std::uint64_t size = number();
        ok_ = ok_ && size <= 8 * words_.size();
        if (!ok_) return {};
        const auto bytes = std::as_bytes(words_).first(static_cast<std::size_t>(size));
        words_ = words_.subspan((bytes.size() + 7) / 8);
        return to_string(bytes);
    }

private:
    std::span<const std::uint64_t> words_;
    bool ok_ = true;
};

QUICCHAT_DECL void put_text(Words& words, std::string_view text) {
    words.push_back(text.size());
    const std::size_t begin = words.size();
    words.resize(begin + (text.size() + 7) / 8);
    if (!text.empty()) std::memcpy(&words[begin], text.data(), text.size());
}

QUICCHAT_DECL Words write_room(RoomKey key, const Authors& authors) {
    Words words{static_cast<std::uint64_t>(key)};
    const std::vector<Authors::Share> shares = authors.shares();
    words.push_back(shares.size());
    for (const Authors::Share& share : shares) {
        put_text(words, share.author);
        for (const std::int64_t number :
             {share.bytes, share.recent.hour, share.recent.now.first, share.recent.now.second,
              share.recent.before.first, share.recent.before.second}) {
            words.push_back(static_cast<std::uint64_t>(number));
        }
        words.push_back(share.live.size());
        for (const auto& [device, records] : share.live) {
            put_text(words, as_text(device.bytes));
            words.push_back(records);
        }
    }
    return words;
}

QUICCHAT_DECL bool read_room(std::span<const std::uint64_t> words, RoomKey& key, Authors& authors) {
    WordReader reader{words};
    const auto signed_number = [&] { return static_cast<std::int64_t>(reader.number()); };
    key = RoomKey{signed_number()};
    for (std::size_t shares = reader.count(); reader.ok() && shares > 0; --shares) {
        Authors::Share share;
        share.author = reader.text();
        for (std::int64_t* const number :
             {&share.bytes, &share.recent.hour, &share.recent.now.first, &share.recent.now.second,
              &share.recent.before.first, &share.recent.before.second}) {
            *number = signed_number();
            // More, or less, is in no room: sums of it could overflow.
            if (*number > room_bytes_max || *number < -room_bytes_max) return false;
        }
        for (std::size_t devices = reader.count(); reader.ok() && devices > 0; --devices) {
            const std::string id = reader.text();
            DeviceId device;
            if (id.size() != device.bytes.size()) return false;
            std::memcpy(device.bytes.data(), id.data(), id.size());
            share.live[device] = static_cast<std::size_t>(reader.number());
        }
        if (reader.ok()) authors.load(share);
    }
    return reader.ok() && reader.is_at_end();
}

QUICCHAT_DECL bool read_rooms(std::FILE* file, std::uint64_t count, KnownRooms& rooms) {
    Words words;
    for (; count > 0; --count) {
        RoomKey key{};
        Authors authors;
        if (!read_piece(file, words) || !read_room(words, key, authors)) return false;
        Words slots;
        if (!read_piece(file, slots)) return false;
        auto names = NameTable::restore(std::move(slots));
        if (!names) return false;
        rooms[key] = {*std::move(names), std::move(authors)};
    }
    return true;
}

/// Sees that what is written into the database from now on is known by its time, which may be as
/// coarse as some milliseconds.
QUICCHAT_DECL bool outlive_stamp(std::FILE* file, const FileStamp& stamp) {
    constexpr int tries = 50;
    if (std::fflush(file) != 0) return false;
    for (int i = 0; i < tries; ++i) {
        const auto own = stamp_of(::fileno(file));
        if (!own) return false;
        if (change_of(*own) > change_of(stamp)) return true;
        ::usleep(1000);
        if (::futimens(::fileno(file), nullptr) != 0) return false;
    }
    return false;
}

QUICCHAT_DECL bool write_all(std::FILE* file, const std::string& database, const FileStamp& written,
                             std::span<const std::uint64_t> sums, const KnownRooms& rooms) {
    const auto stamp = stamp_of(database.c_str());
    if (!stamp || !is_as_written(database, written)) return false;
    Words head{start_file_magic, schema_version, rooms.size()};
    head.insert(head.end(), stamp->begin(), stamp->end());
    if (!write_piece(file, head) || !write_piece(file, sums)) return false;
    for (const auto& [key, room] : rooms) {
        if (!write_piece(file, write_room(key, room.authors))) return false;
        if (!write_piece(file, room.names.slots())) return false;
    }
    return outlive_stamp(file, *stamp) && stamp_of(database.c_str()) == stamp;
}

}  // namespace detail

QUICCHAT_DECL bool is_as_written(const std::string& database, const FileStamp& written) {
    const auto stamp = stamp_of(database.c_str());
    return stamp && has_same_content(*stamp, written) && !detail::has_journal(database);
}

QUICCHAT_DECL std::optional<StartFile> read_start_file(const std::string& database) {
    const auto file = detail::open_file(detail::start_file_of(database), O_RDONLY, "r");
    const auto stamp = stamp_of(database.c_str());
    if (!file || !stamp || detail::has_journal(database)) return std::nullopt;
    detail::Words head;
    if (!detail::read_piece(file.get(), head) || head.size() != 3 + stamp->size()) {
        return std::nullopt;
    }
    if (head[0] != detail::start_file_magic || head[1] != detail::schema_version) {
        return std::nullopt;
    }
    if (!std::equal(stamp->begin(), stamp->end(), head.begin() + 3)) return std::nullopt;
    StartFile found{.stamp = *stamp};
    if (!detail::read_piece(file.get(), found.sums)) return std::nullopt;
    if (!detail::read_rooms(file.get(), head[2], found.rooms)) return std::nullopt;
    return found;
}

QUICCHAT_DECL void write_start_file(const std::string& database, const FileStamp& written,
                                    std::span<const std::uint64_t> sums, const KnownRooms& rooms) {
    const std::string name = detail::start_file_of(database);
    const std::string made = name + ".part";
    ::unlink(made.c_str());
    auto file = detail::open_file(made, O_RDWR | O_CREAT | O_EXCL, "w+");
    if (!file) return;
    const bool is_good = detail::write_all(file.get(), database, written, sums, rooms);
    const bool is_closed = std::fclose(file.release()) == 0;
    if (is_good && is_closed && ::rename(made.c_str(), name.c_str()) == 0) return;
    ::unlink(made.c_str());
}

QUICCHAT_DECL std::optional<StorageError> remove_start_file(const std::string& database) {
    const std::string name = detail::start_file_of(database);
    if (::unlink(name.c_str()) != 0) {
        if (errno == ENOENT) return std::nullopt;
        return detail::system_failure(database, "cannot remove the file '" + name + "'", errno);
    }
    const OwnedFd folder{
        ::open(detail::folder_of(database).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.is_open() && ::fsync(folder.fd()) == 0) return std::nullopt;
    return detail::system_failure(database, "cannot remove the file '" + name + "' for good",
                                  errno);
}

}  // namespace quicchat::sqlite

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/server/files/file_index.hpp"
#include "sim/chaos_disk.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// What a store of files may do wrong on purpose, to see whether the judge notices.
enum class FileFault {
    none,
    ack_before_sync,         ///< A file is called safe that a crash takes.
    removal_does_nothing,    ///< What is deleted stays, and is read.
    lost_bytes_are_claimed,  ///< What a crash took of a file that was begun is said to be there.
    full_disk_says_yes,      ///< A full disk takes bytes and does not keep them.
    full_disk_keeps_begun,   ///< What a full disk has no room for takes room all the same.
    compares_nothing,        ///< Another file than the one that was announced is good.
    reads_other_bytes,       ///< A read that is not from the beginning is one off.
    start_forgets_a_file,    ///< A file that is to be kept goes at the start.
    start_keeps_all,         ///< Files that nobody knows of stay.
    begun_stays_for_good,    ///< What was begun does not go, however old it is.
};

inline constexpr FileFault last_file_fault = FileFault::begun_stays_for_good;

/// A simulated disk with files: what is complete survives a crash, of what was begun the beginning.
struct FileDisk {
    struct File {
        Buffer bytes{};
        std::size_t claimed = 0;  ///< What a crash took and is claimed to be there.
        bool complete = false;
        bool is_synced = false;
        TimePoint touched{};
    };
    struct Asked {
        enum class Kind { begin, write, finish, read, remove, keep, drop };
        Kind kind{};
        FileToken token = 0;
        std::string key{};
        std::uint64_t number = 0;  ///< A size, or an offset.
        std::size_t count = 0;
        Buffer bytes{};
        std::vector<std::string> keys{};
        Duration age_max{};
        bool is_gone = false;  ///< The record that announced it had gone before that.
        TimePoint due{};
    };

    FileDisk(std::uint64_t seed, const Disk& log) : random(Entropy::seeded(seed)), records(&log) {}

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random.draw_number() % (high - low + 1);
    }

    /// The machine loses its power.
    void crash() {
        ++changes;
        found_at_start = 0;
        for (std::uint64_t arrived = draw(0, 2); arrived > 0 && !pending.empty(); --arrived) {
            (void)apply(pending.front());
            pending.pop_front();
        }
        pending.clear();
        for (auto file = files.begin(); file != files.end();) {
            File& f = file->second;
            if (!f.is_synced && !f.complete) {
                const std::size_t before = f.bytes.size();
                f.bytes.resize(draw(0, 1) == 0 ? before : draw(0, before));
                if (fault == FileFault::lost_bytes_are_claimed) f.claimed = before;
            }
            file = f.complete && !f.is_synced ? files.erase(file) : std::next(file);
        }
    }

    std::optional<FileDone> apply(Asked& asked) {
        ++changes;
        const auto found = files.find(asked.key);
        const bool is_there = found != files.end();
        switch (asked.kind) {
            case Asked::Kind::begin:
                return begin(asked);
            case Asked::Kind::write:
                return is_there ? write(found->second, asked) : none(asked);
            case Asked::Kind::finish:
                return is_there ? finish(found->second, asked) : none(asked);
            case Asked::Kind::read:
                return is_there && found->second.complete ? read(found->second, asked)
                                                          : none(asked);
            case Asked::Kind::remove:
                if (fault != FileFault::removal_does_nothing) files.erase(asked.key);
                return std::nullopt;
            case Asked::Kind::keep:
            case Asked::Kind::drop:
                return keep(asked);
        }
        return std::nullopt;
    }

    FileFault fault = FileFault::none;
    Entropy random;
    const Disk* records;
    TimePoint now{};
    Duration wait_max = std::chrono::milliseconds{8};  ///< For a request to be done.
    bool full = false;
    bool was_full = false;  ///< Ever.
    bool gave_what_is_gone = false;
    std::map<std::string, File> files;
    std::deque<Asked> pending;
    std::uint64_t changes = 0;                   ///< Grows with each.
    std::map<std::string, std::uint64_t> sizes;  ///< Of those that were ever begun, when whole.
    std::uint64_t found_at_start = 0;  ///< Bytes of what was begun that the server was told of.

private:
    static FileDone none(const Asked& asked) { return {asked.token, Errc::no_such_file}; }

    FileDone begin(const Asked& asked) {
        File& file = files[asked.key];
        file.touched = now;
        if (file.bytes.size() > asked.number) file = {};
        // What is claimed and not there is a hole.
        file.bytes.resize(std::max(file.bytes.size(), std::exchange(file.claimed, 0)));
        return {.token = asked.token, .size = file.bytes.size(), .complete = file.complete};
    }

    FileDone write(File& file, const Asked& asked) {
        if (file.complete || asked.number > file.bytes.size()) {
            return {asked.token, Errc::file_mismatch};
        }
        Buffer bytes = asked.bytes;
        if (full && fault == FileFault::full_disk_says_yes) {
            std::ranges::fill(bytes, std::byte{});
        } else if (full) {
            if (fault != FileFault::full_disk_keeps_begun) files.erase(asked.key);
            return {asked.token, Errc::storage_full};
        }
        file.touched = now;
        const auto from = static_cast<std::size_t>(asked.number);
        file.bytes.resize(std::max(file.bytes.size(), from + bytes.size()));
        std::ranges::copy(bytes, file.bytes.begin() + static_cast<std::ptrdiff_t>(from));
        return {.token = asked.token};
    }

    FileDone finish(File& file, const Asked& asked) {
        const Digest digest = ReferenceCrypto::sha256(file.bytes);
        const bool fits =
            file.bytes.size() == asked.number && std::ranges::equal(digest, asked.bytes);
        if (!fits && fault != FileFault::compares_nothing) {
            files.erase(asked.key);
            return {asked.token, Errc::file_mismatch};
        }
        file.complete = true;
        file.is_synced = fault != FileFault::ack_before_sync;
        return {.token = asked.token};
    }

    FileDone read(const File& file, const Asked& asked) {
        gave_what_is_gone |= asked.is_gone;
        const BytesView all{file.bytes};
        std::size_t from = std::min<std::size_t>(asked.number, all.size());
        if (fault == FileFault::reads_other_bytes && from > 0) --from;
        const BytesView part = all.subspan(from, std::min(asked.count, all.size() - from));
        return {.token = asked.token, .bytes = Bytes::copy_of(part)};
    }

    FileDone keep(const Asked& asked) {
        std::uint64_t begun = 0;
        for (auto file = files.begin(); file != files.end();) {
            const File& f = file->second;
            const bool is_known = std::ranges::find(asked.keys, file->first) != asked.keys.end();
            const bool is_old = now >= f.touched + asked.age_max;
            const bool drops = asked.kind == Asked::Kind::drop;
            bool goes = f.complete ? !drops && !is_known && fault != FileFault::start_keeps_all
                                   : is_old && fault != FileFault::begun_stays_for_good;
            if (fault == FileFault::start_forgets_a_file) goes |= is_known && draw(0, 3) == 0;
            if (!f.complete && !goes) begun += f.bytes.size();
            file = goes ? files.erase(file) : std::next(file);
        }
        found_at_start = begun;
        return {.token = asked.token, .size = begun};
    }
};

/// A store of files on a simulated disk.
class ChaosFiles : public FileStore {
public:
    explicit ChaosFiles(std::shared_ptr<FileDisk> disk) : disk_(std::move(disk)) {}

    bool is_offered() const override { return true; }
    void begin(FileToken token, const std::string& key, std::uint64_t size) override {
        ask({.kind = Kind::begin, .token = token, .key = key, .number = size});
    }
    void write(FileToken token, const std::string& key, std::uint64_t offset,
               Bytes bytes) override {
        ask({.kind = Kind::write,
             .token = token,
             .key = key,
             .number = offset,
             .bytes = copy(bytes.view())});
    }
    void finish(FileToken token, const std::string& key, std::uint64_t size,
                BytesView digest) override {
        ask({.kind = Kind::finish,
             .token = token,
             .key = key,
             .number = size,
             .bytes = copy(digest)});
    }
    void read(FileToken token, const std::string& key, std::uint64_t offset,
              std::size_t count) override {
        ask({.kind = Kind::read,
             .token = token,
             .key = key,
             .number = offset,
             .count = count,
             .is_gone = !is_announced(key)});
    }
    void remove(const std::string& key) override { ask({.kind = Kind::remove, .key = key}); }
    void keep_only(std::vector<std::string> keys, Duration age_max) override {
        ask({.kind = Kind::keep,
             .token = kept_files_token,
             .keys = std::move(keys),
             .age_max = age_max});
    }
    void drop_begun(Duration age_max) override {
        ask({.kind = Kind::drop, .token = dropped_files_token, .age_max = age_max});
    }
    std::optional<FileDone> poll_done() override {
        std::deque<FileDisk::Asked>& pending = disk_->pending;
        while (!pending.empty() && pending.front().due <= disk_->now) {
            FileDisk::Asked asked = std::move(pending.front());
            pending.pop_front();
            if (std::optional<FileDone> done = disk_->apply(asked)) return done;
        }
        return std::nullopt;
    }

private:
    using Kind = FileDisk::Asked::Kind;

    static Buffer copy(BytesView view) { return Buffer(view.begin(), view.end()); }

    void ask(FileDisk::Asked asked) {
        asked.due = disk_->now +
                    Duration{disk_->draw(0, static_cast<std::uint64_t>(disk_->wait_max.count()))};
        if (!disk_->pending.empty()) asked.due = std::max(asked.due, disk_->pending.back().due);
        ++disk_->changes;
        if (asked.kind == Kind::begin) disk_->sizes[asked.key] = asked.number;
        disk_->pending.push_back(std::move(asked));
    }

    bool is_announced(const std::string& key) const {
        for (const auto& [name, room] : disk_->records->rooms) {
            if (!key.starts_with(name + "/")) continue;
            for (Offset offset = room.first; offset <= room.head(); ++offset) {
                const Record& r = room.records[offset - 1];
                if (r.act.kind != Act::Kind::file) continue;
                if (file_key(name, room.epoch, r) == key) return true;
            }
        }
        return false;
    }

    std::shared_ptr<FileDisk> disk_;
};

}  // namespace quicchat::test

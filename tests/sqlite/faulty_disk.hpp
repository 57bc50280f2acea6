#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace quicchat::test {

/// One change of a disk, in the order in which SQLite asked for it.
struct DiskOperation {
    /// `lose`: a sync that failed. What was to be synced is not on the disk, and no later sync will
    /// bring it there: the system takes it for written.
    enum class Kind : std::uint8_t { create, write, truncate, sync, lose, remove };
    Kind kind{};
    std::string file{};
    std::size_t offset = 0;  ///< For `truncate` the new size.
    std::vector<char> bytes{};
    bool durable = false;  ///< Of `remove`: the folder was synced as well.
};

using DiskFiles = std::map<std::string, std::vector<char>>;

/// A disk in memory, as a VFS of SQLite under the name `vfs()`. It writes down what is done to it,
/// and fails when it is told to. Several connections, also of several threads, may use it.
class FaultyDisk {
public:
    explicit FaultyDisk(const DiskFiles& files = {}) {
        for (const auto& [name, bytes] : files) files_[name] = std::make_shared<File>(File{bytes});
        static std::uint64_t made = 0;
        name_ = "quicchat-test-" + std::to_string(++made);
        vfs_.iVersion = 2;
        vfs_.szOsFile = static_cast<int>(sizeof(OpenFile));
        vfs_.mxPathname = 512;
        vfs_.zName = name_.c_str();
        vfs_.pAppData = this;
        vfs_.xOpen = open;
        vfs_.xDelete = remove;
        vfs_.xAccess = access;
        vfs_.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
            sqlite3_snprintf(size, out, "%s", name);
            return SQLITE_OK;
        };
        vfs_.xRandomness = [](sqlite3_vfs*, int size, char* out) {
            std::memset(out, 42, static_cast<std::size_t>(size));  // the same on every run
            return size;
        };
        vfs_.xSleep = [](sqlite3_vfs*, int microseconds) { return sqlite3_sleep(0), microseconds; };
        vfs_.xCurrentTime = [](sqlite3_vfs*, double* days) { return *days = 2'460'000, SQLITE_OK; };
        vfs_.xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; };
        vfs_.xCurrentTimeInt64 = [](sqlite3_vfs*, sqlite3_int64* ms) {
            return *ms = 212'500'000'000'000, SQLITE_OK;
        };
        sqlite3_vfs_register(&vfs_, 0);
    }
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;
    ~FaultyDisk() { sqlite3_vfs_unregister(&vfs_); }

    const std::string& vfs() const { return name_; }

    /// What was done since the disk was made.
    const std::vector<DiskOperation>& operations() const { return operations_; }

    /// The `count`-th write or sync from now on fails with this code of SQLite, and writes only a
    /// part. `SQLITE_FULL` fails writes only. With `for_good` all that follow fail as well.
    void fail_after(std::size_t count, int code, bool for_good) {
        const std::lock_guard lock{mutex_};
        countdown_ = count;
        failure_ = code;
        for_good_ = for_good;
        failed_ = false;
    }

    /// True if a write or sync has failed.
    bool has_failed() const {
        const std::lock_guard lock{mutex_};
        return failed_;
    }

    /// What is written, whether synced or not: after a crash of the process.
    DiskFiles files() const {
        const std::lock_guard lock{mutex_};
        DiskFiles all;
        for (const auto& [name, file] : files_) all[name] = file->bytes;
        return all;
    }

    /// Changes a byte of a file, which nobody has written.
    void decay(const std::string& file, std::size_t at) {
        const std::lock_guard lock{mutex_};
        char& byte = files_.at(file)->bytes.at(at);
        byte = static_cast<char>(byte ^ 0x10);
    }

private:
    struct Slot {
        int shared = 0;
        const void* exclusive = nullptr;
    };

    struct File {
        std::vector<char> bytes{};
        std::map<const void*, int> locks{};  ///< By the connection that has them.
        std::vector<std::unique_ptr<std::vector<char>>> shared_memory{};
        std::array<Slot, SQLITE_SHM_NLOCK> slots{};
        int mappings = 0;
    };

    struct OpenFile : sqlite3_file {
        FaultyDisk* disk = nullptr;
        std::string name{};
        std::shared_ptr<File> file{};
        std::array<bool, SQLITE_SHM_NLOCK> shared{};
        bool is_mapped = false;
    };

    using Kind = DiskOperation::Kind;

    static OpenFile& of(sqlite3_file* file) { return *static_cast<OpenFile*>(file); }
    static FaultyDisk& of(sqlite3_vfs* vfs) { return *static_cast<FaultyDisk*>(vfs->pAppData); }

    /// Counts down. Needs the lock.
    bool fails(Kind kind) {
        if (failure_ == SQLITE_OK || (failure_ == SQLITE_FULL && kind != Kind::write)) return false;
        if (failed_ && for_good_) return true;
        if (countdown_ == 0 || --countdown_ > 0) return false;
        failed_ = true;
        return true;
    }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* given) {
        FaultyDisk& disk = of(vfs);
        const std::lock_guard lock{disk.mutex_};
        OpenFile* opened = new (out) OpenFile{};
        opened->pMethods = nullptr;
        opened->disk = &disk;
        opened->name = name != nullptr ? name : "temporary";
        auto& file = disk.files_[opened->name];
        if (!file) {
            if ((flags & SQLITE_OPEN_CREATE) == 0) {
                disk.files_.erase(opened->name);
                opened->~OpenFile();
                return SQLITE_CANTOPEN;
            }
            file = std::make_shared<File>();
            disk.operations_.push_back({.kind = Kind::create, .file = opened->name});
        }
        opened->file = file;
        opened->pMethods = methods();
        if (given != nullptr) *given = flags;
        return SQLITE_OK;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int sync) {
        FaultyDisk& disk = of(vfs);
        const std::lock_guard lock{disk.mutex_};
        if (disk.files_.erase(name) == 0) return SQLITE_IOERR_DELETE_NOENT;
        disk.operations_.push_back({.kind = Kind::remove, .file = name, .durable = sync != 0});
        return SQLITE_OK;
    }

    static int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
        FaultyDisk& disk = of(vfs);
        const std::lock_guard lock{disk.mutex_};
        const auto found = disk.files_.find(name);
        *out = found != disk.files_.end();
        // SQLite takes an empty journal for none.
        if (flags == SQLITE_ACCESS_EXISTS && *out != 0) *out = !found->second->bytes.empty();
        return SQLITE_OK;
    }

    static int close(sqlite3_file* file) {
        const std::lock_guard lock{of(file).disk->mutex_};
        of(file).file->locks.erase(file);
        of(file).~OpenFile();
        return SQLITE_OK;
    }

    static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 from) {
        const std::lock_guard lock{of(file).disk->mutex_};
        const std::vector<char>& bytes = of(file).file->bytes;
        const auto want = static_cast<std::size_t>(size);
        const std::size_t begin = std::min(static_cast<std::size_t>(from), bytes.size());
        const std::size_t have = std::min(want, bytes.size() - begin);
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), have,
                    static_cast<char*>(out));
        std::memset(static_cast<char*>(out) + have, 0, want - have);
        return have == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
    }

    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 to) {
        FaultyDisk& disk = *of(file).disk;
        const std::lock_guard lock{disk.mutex_};
        auto count = static_cast<std::size_t>(size);
        const bool fails = disk.fails(Kind::write);
        if (fails) count /= 2;
        const auto begin = static_cast<std::size_t>(to);
        const char* from = static_cast<const char*>(data);
        std::vector<char>& bytes = of(file).file->bytes;
        if (bytes.size() < begin + count) bytes.resize(begin + count);
        std::copy_n(from, count, bytes.begin() + static_cast<std::ptrdiff_t>(begin));
        disk.operations_.push_back({Kind::write, of(file).name, begin, {from, from + count}});
        if (!fails) return SQLITE_OK;
        return disk.failure_ == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }

    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        FaultyDisk& disk = *of(file).disk;
        const std::lock_guard lock{disk.mutex_};
        of(file).file->bytes.resize(static_cast<std::size_t>(size));
        disk.operations_.push_back({.kind = Kind::truncate,
                                    .file = of(file).name,
                                    .offset = static_cast<std::size_t>(size)});
        return SQLITE_OK;
    }

    static int sync(sqlite3_file* file, int) {
        FaultyDisk& disk = *of(file).disk;
        const std::lock_guard lock{disk.mutex_};
        const bool fails = disk.fails(Kind::sync);
        disk.operations_.push_back(
            {.kind = fails ? Kind::lose : Kind::sync, .file = of(file).name});
        return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    }

    static int file_size(sqlite3_file* file, sqlite3_int64* out) {
        const std::lock_guard lock{of(file).disk->mutex_};
        *out = static_cast<sqlite3_int64>(of(file).file->bytes.size());
        return SQLITE_OK;
    }

    static int lock_file(sqlite3_file* file, int level) {
        const std::lock_guard lock{of(file).disk->mutex_};
        auto& locks = of(file).file->locks;
        for (const auto& [other, theirs] : locks) {
            if (other == file) continue;
            if (theirs >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
            if (level >= SQLITE_LOCK_RESERVED && theirs >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY;
            if (level == SQLITE_LOCK_EXCLUSIVE && theirs >= SQLITE_LOCK_SHARED) return SQLITE_BUSY;
        }
        locks[file] = std::max(locks[file], level);
        return SQLITE_OK;
    }

    static int unlock_file(sqlite3_file* file, int level) {
        const std::lock_guard lock{of(file).disk->mutex_};
        of(file).file->locks[file] = level;
        return SQLITE_OK;
    }

    static int check_reserved(sqlite3_file* file, int* out) {
        const std::lock_guard lock{of(file).disk->mutex_};
        *out = 0;
        for (const auto& [other, level] : of(file).file->locks) {
            *out = *out || level >= SQLITE_LOCK_RESERVED;
        }
        return SQLITE_OK;
    }

    static int map(sqlite3_file* file, int index, int size, int extend, void volatile** out) {
        const std::lock_guard lock{of(file).disk->mutex_};
        File& f = *of(file).file;
        if (!std::exchange(of(file).is_mapped, true)) ++f.mappings;
        const auto wanted = static_cast<std::size_t>(index);
        while (extend != 0 && f.shared_memory.size() <= wanted) {
            f.shared_memory.push_back(
                std::make_unique<std::vector<char>>(static_cast<std::size_t>(size)));
        }
        *out = wanted < f.shared_memory.size() ? f.shared_memory[wanted]->data() : nullptr;
        return SQLITE_OK;
    }

    static int lock_map(sqlite3_file* file, int from, int count, int flags) {
        const std::lock_guard lock{of(file).disk->mutex_};
        OpenFile& opened = of(file);
        const auto slots = [&](const auto& visit) {
            for (int i = from; i < from + count; ++i) {
                const auto at = static_cast<std::size_t>(i);
                if (!visit(opened.file->slots[at], opened.shared[at])) return false;
            }
            return true;
        };
        const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
        if ((flags & SQLITE_SHM_UNLOCK) != 0) {
            slots([&](Slot& slot, bool& shared) {
                if (slot.exclusive == file) slot.exclusive = nullptr;
                if (std::exchange(shared, false)) --slot.shared;
                return true;
            });
            return SQLITE_OK;
        }
        const bool free = slots([&](Slot& slot, bool& shared) {
            const bool mine_only = slot.shared == (shared ? 1 : 0);
            return (slot.exclusive == nullptr || slot.exclusive == file) &&
                   (!exclusive || mine_only);
        });
        if (!free) return SQLITE_BUSY;
        slots([&](Slot& slot, bool& shared) {
            if (exclusive) slot.exclusive = file;
            if (!exclusive && !std::exchange(shared, true)) ++slot.shared;
            return true;
        });
        return SQLITE_OK;
    }

    static int unmap(sqlite3_file* file, int) {
        const std::lock_guard lock{of(file).disk->mutex_};
        File& f = *of(file).file;
        if (std::exchange(of(file).is_mapped, false) && --f.mappings == 0) {
            f.shared_memory.clear();
        }
        return SQLITE_OK;
    }

    static const sqlite3_io_methods* methods() {
        static const sqlite3_io_methods table = {
            2, close, read, write, truncate, sync, file_size, lock_file, unlock_file,
            check_reserved, [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; },
            [](sqlite3_file*) { return 4096; },
            // As the system's files: a write changes no byte beside it.
            [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }, map, lock_map,
            [](sqlite3_file* file) { const std::lock_guard lock{of(file).disk->mutex_}; }, unmap,
            nullptr, nullptr};
        return &table;
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<File>> files_;
    std::vector<DiskOperation> operations_;
    std::size_t countdown_ = 0;
    int failure_ = SQLITE_OK;
    bool for_good_ = false;
    bool failed_ = false;
    std::string name_;
    sqlite3_vfs vfs_{};
};

}  // namespace quicchat::test

#pragma once

#include "quicchat/sqlite/summing_vfs.hpp"

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat::sqlite {

/// The main file of a database; the one of the VFS below lies behind it.
struct SummingVfs::File : sqlite3_file {
    SummingVfs* owner = nullptr;
    const char* name = nullptr;

    sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    const sqlite3_io_methods& calls() { return *below()->pMethods; }
};

QUICCHAT_DECL SummingVfs::SummingVfs(const std::string& base)
    : base_(sqlite3_vfs_find(base.empty() ? nullptr : base.c_str())), name_(base) {
    if (base_ == nullptr) return;  // SQLite says so when a database is opened
    // By its address: no other object of the process has that name.
    name_ = "quicchat-sums-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
    vfs_.iVersion = base_->iVersion < 2 ? 1 : 2;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
    vfs_.mxPathname = base_->mxPathname;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int sync) {
        return of(vfs).base_->xDelete(of(vfs).base_, name, sync);
    };
    vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* out) {
        return of(vfs).base_->xAccess(of(vfs).base_, name, flags, out);
    };
    vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* out) {
        return of(vfs).base_->xFullPathname(of(vfs).base_, name, size, out);
    };
    vfs_.xRandomness = [](sqlite3_vfs* vfs, int size, char* out) {
        return of(vfs).base_->xRandomness(of(vfs).base_, size, out);
    };
    vfs_.xSleep = [](sqlite3_vfs* vfs, int microseconds) {
        return of(vfs).base_->xSleep(of(vfs).base_, microseconds);
    };
    vfs_.xCurrentTime = [](sqlite3_vfs* vfs, double* days) {
        return of(vfs).base_->xCurrentTime(of(vfs).base_, days);
    };
    vfs_.xGetLastError = [](sqlite3_vfs* vfs, int size, char* out) {
        return of(vfs).base_->xGetLastError(of(vfs).base_, size, out);
    };
    vfs_.xCurrentTimeInt64 = [](sqlite3_vfs* vfs, sqlite3_int64* ms) {
        return of(vfs).base_->xCurrentTimeInt64(of(vfs).base_, ms);
    };
    sqlite3_vfs_register(&vfs_, 0);
}

QUICCHAT_DECL SummingVfs::~SummingVfs() {
    if (base_ != nullptr) sqlite3_vfs_unregister(&vfs_);
}

QUICCHAT_DECL void SummingVfs::restore(std::vector<std::uint64_t> sums, const FileStamp& stamp) {
    sums_.restore(std::move(sums));
    stamp_ = stamp;
    is_open_ = true;
}

QUICCHAT_DECL SummingVfs& SummingVfs::of(sqlite3_vfs* vfs) {
    return *static_cast<SummingVfs*>(vfs->pAppData);
}

QUICCHAT_DECL SummingVfs::File& SummingVfs::of(sqlite3_file* file) {
    return *static_cast<File*>(file);
}

QUICCHAT_DECL int SummingVfs::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags,
                                   int* given) {
    SummingVfs& self = of(vfs);
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0) {
        return self.base_->xOpen(self.base_, name, out, flags, given);
    }
    File* const file = new (out) File{};
    file->pMethods = nullptr;  // not open yet
    file->owner = &self;
    file->name = name;  // SQLite keeps it as long as the file is open
    file->below()->pMethods = nullptr;
    const int code = self.base_->xOpen(self.base_, name, file->below(), flags, given);
    if (file->below()->pMethods != nullptr) file->pMethods = methods();
    if (code == SQLITE_OK && name != nullptr) {
        const std::lock_guard lock{self.mutex_};
        if (!std::exchange(self.is_open_, true)) self.stamp_ = stamp_of(name);
    }
    return code;
}

QUICCHAT_DECL int SummingVfs::read(sqlite3_file* file, void* out, int size, sqlite3_int64 from) {
    File& f = of(file);
    const int code = f.calls().xRead(f.below(), out, size, from);
    if (code != SQLITE_OK) return code;
    const BytesView bytes{static_cast<const std::byte*>(out), static_cast<std::size_t>(size)};
    SummingVfs& owner = *f.owner;
    try {
        if (owner.sums_.check_read(static_cast<std::uint64_t>(from), bytes)) return SQLITE_OK;
    } catch (const std::bad_alloc&) {  // which must not pass through SQLite
        return SQLITE_IOERR_NOMEM;
    }
    return owner.is_written_by_others(f.name) ? SQLITE_OK : SQLITE_CORRUPT;
}

QUICCHAT_DECL int SummingVfs::write(sqlite3_file* file, const void* data, int size,
                                    sqlite3_int64 to) {
    File& f = of(file);
    const auto at = static_cast<std::uint64_t>(to);
    const BytesView bytes{static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
    f.owner->begin_to_write(f.name);
    try {
        f.owner->sums_.note_write(at, bytes);
    } catch (const std::bad_alloc&) {
        f.owner->sums_.forget(at, bytes.size());
        return SQLITE_IOERR_NOMEM;
    }
    const int code = f.calls().xWrite(f.below(), data, size, to);
    if (code != SQLITE_OK) f.owner->sums_.forget(at, bytes.size());
    return code;
}

QUICCHAT_DECL int SummingVfs::truncate(sqlite3_file* file, sqlite3_int64 size) {
    File& f = of(file);
    f.owner->begin_to_write(f.name);
    f.owner->sums_.truncate(static_cast<std::uint64_t>(size));
    return f.calls().xTruncate(f.below(), size);
}

QUICCHAT_DECL int SummingVfs::sync(sqlite3_file* file, int flags) {
    File& f = of(file);
    const int code = f.calls().xSync(f.below(), flags);
    if (code == SQLITE_OK) f.owner->end_of_writes(f.name);
    return code;
}

QUICCHAT_DECL std::optional<FileStamp> SummingVfs::written() const {
    const std::lock_guard lock{mutex_};
    return is_sole_writer_ ? stamp_ : std::nullopt;
}

QUICCHAT_DECL void SummingVfs::begin_to_write(const char* name) {
    const std::lock_guard lock{mutex_};
    if (!stamp_) return;
    compare_stamps(name);
    stamp_.reset();
}

QUICCHAT_DECL void SummingVfs::end_of_writes(const char* name) {
    const std::lock_guard lock{mutex_};
    if (!stamp_) stamp_ = stamp_of(name);
}

QUICCHAT_DECL bool SummingVfs::is_written_by_others(const char* name) {
    const std::lock_guard lock{mutex_};
    if (stamp_) compare_stamps(name);
    return !is_sole_writer_;
}

QUICCHAT_DECL void SummingVfs::compare_stamps(const char* name) {
    const auto found = stamp_of(name);
    if (found && has_same_content(*found, *stamp_)) return;
    is_sole_writer_ = false;
    sums_.forget_all();
}

QUICCHAT_DECL const sqlite3_io_methods* SummingVfs::methods() {
    using File_ = sqlite3_file;
    static const sqlite3_io_methods table = {
        2,
        [](File_* f) { return of(f).calls().xClose(of(f).below()); },
        read,
        write,
        truncate,
        sync,
        [](File_* f, sqlite3_int64* size) { return of(f).calls().xFileSize(of(f).below(), size); },
        [](File_* f, int level) { return of(f).calls().xLock(of(f).below(), level); },
        [](File_* f, int level) { return of(f).calls().xUnlock(of(f).below(), level); },
        [](File_* f, int* out) { return of(f).calls().xCheckReservedLock(of(f).below(), out); },
        [](File_* f, int order, void* argument) {
            return of(f).calls().xFileControl(of(f).below(), order, argument);
        },
        [](File_* f) { return of(f).calls().xSectorSize(of(f).below()); },
        [](File_* f) { return of(f).calls().xDeviceCharacteristics(of(f).below()); },
        [](File_* f, int index, int size, int extend, void volatile** out) {
            return of(f).calls().xShmMap(of(f).below(), index, size, extend, out);
        },
        [](File_* f, int from, int count, int flags) {
            return of(f).calls().xShmLock(of(f).below(), from, count, flags);
        },
        [](File_* f) { of(f).calls().xShmBarrier(of(f).below()); },
        [](File_* f, int remove) { return of(f).calls().xShmUnmap(of(f).below(), remove); },
        nullptr,  // nothing is mapped: it would be read without being seen here
        nullptr,
    };
    return &table;
}

}  // namespace quicchat::sqlite

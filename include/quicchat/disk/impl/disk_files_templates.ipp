#pragma once

#include "quicchat/disk/disk_files.hpp"

namespace quicchat {

template <disk::FileCrypto Crypto>
auto DiskFiles<Crypto>::open(const std::string& path, BytesView secret,
                             const disk::FolderConfig& config) -> StorageResult<DiskFiles> {
    auto folder = disk::open_folder(path);
    if (!folder) return folder.error();
    WakeFd wake;
    if (!wake.is_open()) return disk::folder_failure(path, "eventfd", errno);
    return DiskFiles{std::make_shared<Thread>(
        disk::FileWorker<Crypto>{*std::move(folder), secret, config}, std::move(wake))};
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::begin(FileToken token, const std::string& key, std::uint64_t size) {
    thread_->push(disk::BeginFile{token, key, size});
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::write(FileToken token, const std::string& key, std::uint64_t offset,
                              Bytes bytes) {
    thread_->push(disk::WriteFile{token, key, offset, std::move(bytes)});
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::finish(FileToken token, const std::string& key, std::uint64_t size,
                               BytesView digest) {
    thread_->push(disk::FinishFile{token, key, size, Buffer(digest.begin(), digest.end())});
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::read(FileToken token, const std::string& key, std::uint64_t offset,
                             std::size_t count) {
    thread_->push(disk::ReadFile{token, key, offset, count});
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::keep_only(std::vector<std::string> keys, Duration age_max) {
    thread_->push(disk::KeepOnly{std::move(keys), age_max});
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::drop_begun(Duration age_max) {
    thread_->push(disk::DropBegun{age_max});
}

template <disk::FileCrypto Crypto>
std::optional<FileDone> DiskFiles<Crypto>::poll_done() {
    if (done_.empty()) done_ = thread_->take();
    return pop_front(done_);
}

template <disk::FileCrypto Crypto>
DiskFiles<Crypto>::Thread::Thread(disk::FileWorker<Crypto> worker, WakeFd wake)
    : worker_(std::move(worker)), thread_(std::move(wake)) {
    thread_.start([this] { work(); });
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::Thread::push(disk::FileOrder order) {
    thread_.push(std::move(order));
}

template <disk::FileCrypto Crypto>
std::deque<FileDone> DiskFiles<Crypto>::Thread::take() {
    return thread_.take_answers();
}

template <disk::FileCrypto Crypto>
int DiskFiles<Crypto>::Thread::wake_fd() const {
    return thread_.wake_fd();
}

template <disk::FileCrypto Crypto>
void DiskFiles<Crypto>::Thread::work() {
    const auto weight = [](const disk::FileOrder&) -> std::size_t { return 1; };
    while (thread_.wait()) {
        for (const disk::FileOrder& order : thread_.take_orders(1, weight)) {
            if (auto done = apply(order)) thread_.answer({*std::move(done)});
        }
    }
}

template <disk::FileCrypto Crypto>
std::optional<FileDone> DiskFiles<Crypto>::Thread::apply(const disk::FileOrder& order) {
    using Done = std::optional<FileDone>;
    return match(
        order,
        [&](const disk::BeginFile& o) -> Done { return worker_.begin(o.token, o.key, o.size); },
        [&](const disk::WriteFile& o) -> Done {
            return worker_.write(o.token, o.key, o.offset, o.bytes.view());
        },
        [&](const disk::FinishFile& o) -> Done {
            return worker_.finish(o.token, o.key, o.size, o.digest);
        },
        [&](const disk::ReadFile& o) -> Done {
            return worker_.read(o.token, o.key, o.offset, o.count);
        },
        [&](const disk::RemoveFile& o) -> Done {
            worker_.remove(o.key);
            return std::nullopt;
        },
        [&](const disk::KeepOnly& o) -> Done { return worker_.keep_only(o.keys, o.age_max); },
        [&](const disk::DropBegun& o) -> Done { return worker_.drop_begun(o.age_max); });
}

}  // namespace quicchat

#pragma once

#include "quicchat/quic/qlog_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>
#include <vector>

#include "quicchat/quic/known_servers_file.hpp"
#include "quicchat/quic/run.hpp"

namespace quicchat::quic {

/// The file of one connection. It is opened for each piece: a server may have more connections than
/// descriptors.
class QlogFolder::File final : public QlogWriter {
public:
    File(std::shared_ptr<QlogFolder> folder, std::string name)
        : folder_(std::move(folder)), kept_(std::make_shared<Kept>(Kept{std::move(name)})) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() override { flush(); }

    void write(std::string_view bytes) noexcept override {
        if (is_over_) return;
        waiting_ += bytes;
        if (waiting_.size() >= buffer_bytes) flush();
    }

private:
    void flush() {
        if (waiting_.empty()) return;
        is_over_ = !folder_->append(kept_, waiting_);
        waiting_.clear();
    }

    std::shared_ptr<QlogFolder> folder_;
    std::shared_ptr<Kept> kept_;
    std::string waiting_;
    bool is_over_ = false;
};

QUICCHAT_RARE_DECL Result<std::shared_ptr<QlogFolder>> QlogFolder::open(
    const QlogFolderConfig& config) {
    if (config.bytes_max < bytes_max_min) return Errc::invalid_request;
    OwnedFd directory{::open(config.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory.is_open()) return detail::file_error();
    std::shared_ptr<QlogFolder> folder{new QlogFolder{std::move(directory), config.bytes_max}};
    if (const auto error = folder->find_files()) return error;
    if (const auto error = folder->try_to_write()) return error;
    return folder;
}

QUICCHAT_RARE_DECL QlogFolder::QlogFolder(OwnedFd directory, std::uint64_t bytes_max)
    : directory_(std::move(directory)), bytes_max_(bytes_max) {}

QUICCHAT_RARE_DECL std::unique_ptr<QlogWriter> QlogFolder::begin(std::string_view id,
                                                                 bool is_server) noexcept {
    const WallTime now = read_clock().wall;
    const std::int64_t milliseconds = now.time_since_epoch().count();
    const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm calendar{};
    gmtime_r(&seconds, &calendar);
    std::array<char, 32> day{};
    std::array<char, 16> rest{};
    std::strftime(day.data(), day.size(), "%Y%m%dT%H%M%S", &calendar);
    std::snprintf(rest.data(), rest.size(), ".%03dZ-", static_cast<int>(milliseconds % 1000));
    std::string name = std::string{day.data()} + rest.data();
    name += id;
    name += is_server ? "-server.sqlog" : "-client.sqlog";
    return std::make_unique<File>(shared_from_this(), std::move(name));
}

QUICCHAT_RARE_DECL std::uint64_t QlogFolder::blocks(std::uint64_t bytes) {
    return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

QUICCHAT_RARE_DECL bool QlogFolder::is_ours(std::string_view name) {
    constexpr std::string_view example = "20261128T164134.123Z-";
    if (name.size() <= example.size()) return false;
    for (std::size_t i = 0; i < example.size(); ++i) {
        const bool digit = name[i] >= '0' && name[i] <= '9';
        const bool wanted = example[i] >= '0' && example[i] <= '9';
        if (wanted ? !digit : name[i] != example[i]) return false;
    }
    return name.ends_with("-server.sqlog") || name.ends_with("-client.sqlog");
}

/// A whole block, so that a full disk is noticed.
QUICCHAT_RARE_DECL std::error_code QlogFolder::try_to_write() const {
    const std::string name = ".quicchat-qlog-" + std::to_string(::getpid());
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    const OwnedFd file{::openat(directory_.fd(), name.c_str(), flags, 0600)};
    if (!file.is_open()) return detail::file_error();
    const std::error_code error =
        detail::write_whole_file(file.fd(), std::string(block_bytes, '\n'));
    ::unlinkat(directory_.fd(), name.c_str(), 0);
    return error;
}

QUICCHAT_RARE_DECL std::error_code QlogFolder::find_files() {
    // A descriptor of its own, since closedir closes it.
    const int copy = ::openat(directory_.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::DIR* const entries = copy >= 0 ? ::fdopendir(copy) : nullptr;
    if (entries == nullptr) return detail::file_error();
    std::vector<std::string> names;
    while (const ::dirent* entry = ::readdir(entries)) {
        if (is_ours(entry->d_name)) names.emplace_back(entry->d_name);
    }
    ::closedir(entries);
    std::sort(names.begin(), names.end());  // by their times
    for (std::string& name : names) {
        struct stat status {};
        if (::fstatat(directory_.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(status.st_mode)) continue;
        const auto bytes = static_cast<std::uint64_t>(status.st_size);
        const auto file = std::make_shared<Kept>(Kept{std::move(name), bytes});
        file->place = files_.insert(files_.end(), file);
        bytes_ += blocks(bytes);
    }
    while (bytes_ > bytes_max_) remove_oldest();
    return {};
}

QUICCHAT_RARE_DECL bool QlogFolder::append(const std::shared_ptr<Kept>& file,
                                           std::string_view bytes) {
    const std::lock_guard lock{mutex_};
    if (file->is_gone || file->bytes + bytes.size() > bytes_max_ / 4) return false;
    const bool is_new = file->bytes == 0;
    if (is_new) {
        file->place = files_.insert(files_.end(), file);
    } else {
        files_.splice(files_.end(), files_, file->place);
    }
    const std::uint64_t before = blocks(file->bytes);
    file->bytes += bytes.size();
    bytes_ += blocks(file->bytes) - before;
    while (bytes_ > bytes_max_) remove_oldest();  // not this one, which has a quarter at most

    const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
    const OwnedFd open{::openat(directory_.fd(), file->name.c_str(),
                                is_new ? flags | O_CREAT | O_EXCL : flags, 0600)};
    if (open.is_open()) return !detail::write_whole_file(open.fd(), bytes);
    file->is_gone = true;
    bytes_ -= blocks(file->bytes);
    files_.erase(file->place);
    return false;
}

QUICCHAT_RARE_DECL void QlogFolder::remove_oldest() {
    const std::shared_ptr<Kept> file = files_.front();
    files_.pop_front();
    file->is_gone = true;
    bytes_ -= blocks(file->bytes);
    ::unlinkat(directory_.fd(), file->name.c_str(), 0);
}

}  // namespace quicchat::quic

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/disk/disk_files.hpp"
#include "quicchat/file/memory_files.hpp"
#include "quicchat/quic/wolf_crypto.hpp"

namespace quicchat::python {

/// Files in a folder, in memory, or none, as the configuration says. One type, so that the server
/// is compiled once.
class AnyFiles {
public:
    using Disk = DiskFiles<quic::WolfCrypto>;
    using Memory = MemoryFiles<quic::WolfCrypto>;

    AnyFiles() = default;
    explicit AnyFiles(Disk files) : files_(std::move(files)) {}
    explicit AnyFiles(Memory files) : files_(std::move(files)) {}

    bool is_offered() const {
        return std::visit([](const auto& files) { return files.is_offered(); }, files_);
    }
    void begin(FileToken token, const std::string& key, std::uint64_t size) {
        std::visit([&](auto& files) { files.begin(token, key, size); }, files_);
    }
    void write(FileToken token, const std::string& key, std::uint64_t offset, const Bytes& bytes) {
        std::visit([&](auto& files) { files.write(token, key, offset, bytes); }, files_);
    }
    void finish(FileToken token, const std::string& key, std::uint64_t size, BytesView digest) {
        std::visit([&](auto& files) { files.finish(token, key, size, digest); }, files_);
    }
    void read(FileToken token, const std::string& key, std::uint64_t offset, std::size_t count) {
        std::visit([&](auto& files) { files.read(token, key, offset, count); }, files_);
    }
    void remove(const std::string& key) {
        std::visit([&](auto& files) { files.remove(key); }, files_);
    }
    void keep_only(const std::vector<std::string>& keys, Duration age_max) {
        std::visit([&](auto& files) { files.keep_only(keys, age_max); }, files_);
    }
    std::optional<FileDone> poll_done() {
        return std::visit([](auto& files) { return files.poll_done(); }, files_);
    }

    /// Nothing for files in memory: they answer at once.
    std::optional<int> wake_fd() const {
        const auto* files = std::get_if<Disk>(&files_);
        return files != nullptr ? std::optional{files->wake_fd()} : std::nullopt;
    }

private:
    std::variant<NoFiles, Memory, Disk> files_;
};

static_assert(FileStore<AnyFiles>);

}  // namespace quicchat::python

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>

#include "quicchat/base/config.hpp"
#include "quicchat/base/owned_fd.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/quic/qlog.hpp"

namespace quicchat::quic {

/// Where records of connections go, and how much room they may take.
struct QlogFolderConfig {
    std::string directory;  ///< It must exist.
    /// Of all files. Each counts for whole blocks of 4 KiB, and may have a quarter of it.
    std::uint64_t bytes_max = 64 * 1024 * 1024;
};

/// A folder with a file for each connection, `20261128T164134.123Z-<id>-server.sqlog`, for its
/// owner only. When there are too many bytes, the file goes that was not written to for longest;
/// those of earlier runs count. Other files are left alone. What cannot be written is lost, and
/// nobody is told: a full disk is no reason to end a connection. Thread-safe, as shards need it.
///
/// A file is complete once its connection has ended; before that its last 8 KiB are missing.
class QlogFolder : public QlogSink, public std::enable_shared_from_this<QlogFolder> {
public:
    /// A folder with less would hold nothing of use.
    static constexpr std::uint64_t bytes_max_min = 64 * 1024;

    /// Fails with the system's error if there is no such folder, or nothing can be written there,
    /// and with `invalid_request` if `bytes_max` is less than `bytes_max_min`.
    static Result<std::shared_ptr<QlogFolder>> open(const QlogFolderConfig& config);

    std::unique_ptr<QlogWriter> begin(std::string_view id, bool is_server) noexcept override;

    /// What the files have, in whole blocks.
    std::uint64_t bytes() const { return bytes_; }

private:
    static constexpr std::uint64_t block_bytes = 4096;
    static constexpr std::size_t buffer_bytes = 8192;

    struct Kept {
        std::string name;
        std::uint64_t bytes = 0;
        bool is_gone = false;  ///< Removed, perhaps while its connection goes on.
        std::list<std::shared_ptr<Kept>>::iterator place{};  ///< In the list, once it has bytes.
    };

    class File;

    QlogFolder(OwnedFd directory, std::uint64_t bytes_max);

    static std::uint64_t blocks(std::uint64_t bytes);
    static bool is_ours(std::string_view name);

    std::error_code try_to_write() const;
    std::error_code find_files();
    /// False if the file is to have no more.
    bool append(const std::shared_ptr<Kept>& file, std::string_view bytes);
    void remove_oldest();

    OwnedFd directory_;
    std::uint64_t bytes_max_;
    std::uint64_t bytes_ = 0;
    std::mutex mutex_;                        ///< Guards what was written and is kept.
    std::list<std::shared_ptr<Kept>> files_;  ///< That not written to for longest is first.
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/qlog_folder.ipp"
#endif

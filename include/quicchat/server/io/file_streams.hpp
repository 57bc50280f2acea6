#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "quicchat/file/file_store.hpp"
#include "quicchat/server/files/downloads.hpp"
#include "quicchat/server/files/program_files.hpp"
#include "quicchat/server/files/uploads.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/peers.hpp"
#include "quicchat/server/io/unsent_bytes.hpp"

namespace quicchat {

/// Carries files between streams and the store of files.
template <Transport T>
class FileStreams {
public:
    /// What it refers to outlives it. Has the store drop old files that no record announces.
    FileStreams(Owned<FileStore> files, Hub& hub, Peers<T>& peers, RateLimits& rates,
                const Limits& limits, UnsentBytes<T>& unsent)
        : files_(std::move(files)),
          hub_(&hub),
          peers_(&peers),
          unsent_(&unsent),
          uploads_(*files_, hub, rates, limits),
          downloads_(*files_, hub, rates, limits, unsent.of_files()),
          program_(*files_, hub, uploads_, limits) {
        files_->keep_only(hub.files().keys(), limits.upload_expiry);
    }
    FileStreams(const FileStreams&) = delete;  // its parts refer to the files in here
    FileStreams& operator=(const FileStreams&) = delete;

    // What comes on streams. An error of `offer` and `open` refuses the request, one of `data`
    // closes the connection.

    /// As Uploads and Downloads have them.
    /// @{
    Errc offer(const Caller& caller, StreamId stream, wire::FileOffer m, TimePoint now);
    Errc data(ConnectionId id, StreamId stream, wire::FileData m, TimePoint now);
    Errc open(const Caller& caller, StreamId stream, const wire::FileRequest& m);
    /// @}

    /// The client has sent all of a file, or will not send the rest.
    void finish(ConnectionId id, StreamId stream) { uploads_.finish(id, stream); }

    /// A stream, or all of a connection, is gone: what is done for it ends.
    /// @{
    void abandon(ConnectionId id, StreamId stream);
    void abandon(ConnectionId id);
    /// @}

    /// As Uploads has it.
    bool is_busy(ConnectionId id, StreamId stream) const { return uploads_.is_busy(id, stream); }

    /// Takes in what the log and the store of files have done. `moved` becomes true if more was
    /// asked of the log. An error means that the store cannot be trusted any more.
    Errc settle(TimePoint now, bool& moved);

    /// Serves who fetches files, until the streams are full.
    void send(TimePoint now);

    /// A stream has room again.
    void resume(const Writable& writable);

    /// A stream that was busy and is not any more: read on.
    std::optional<std::pair<ConnectionId, StreamId>> poll_freed();

    /// Does what is due for those who send and fetch.
    void handle_timeout(TimePoint now);
    /// When `handle_timeout` is to be called next.
    std::optional<TimePoint> next_deadline() const;

    /// Those of the server's program.
    ProgramFiles& program() { return program_; }

    /// To look at only: its wake-up descriptor, for who waits.
    const FileStore& store() const { return *files_; }
    /// Under way, in both directions.
    std::size_t transfers() const { return uploads_.size() + downloads_.size(); }

private:
    void say(UploadFrame out);

    Owned<FileStore> files_;
    Hub* hub_;
    Peers<T>* peers_;
    UnsentBytes<T>* unsent_;
    Uploads uploads_;
    Downloads downloads_;
    ProgramFiles program_;
};

}  // namespace quicchat

#include "quicchat/server/io/impl/file_streams.ipp"

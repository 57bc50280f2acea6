#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "quicchat/file/file_store.hpp"
#include "quicchat/server/files/downloads.hpp"
#include "quicchat/server/files/uploads.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/peers.hpp"

namespace quicchat {

/// Carries files between streams and the store of files.
template <Transport T>
class FileStreams {
public:
    FileStreams(Owned<FileStore> files, Hub& hub, Peers<T>& peers, RateLimits& rates,
                const Limits& limits)
        : files_(std::move(files)),
          hub_(&hub),
          peers_(&peers),
          uploads_(*files_, hub, rates, limits),
          downloads_(*files_, hub, rates, limits) {
        files_->keep_only(hub.files().keys(), limits.upload_expiry);
    }
    FileStreams(const FileStreams&) = delete;  // its parts refer to the files in here
    FileStreams& operator=(const FileStreams&) = delete;

    // What comes on streams. An error of `offer` and `open` refuses the request, one of `data`
    // closes the connection.

    Errc offer(const Caller& caller, StreamId stream, wire::FileOffer m, TimePoint now) {
        return uploads_.offer(caller, stream, std::move(m), now);
    }
    Errc data(ConnectionId id, StreamId stream, wire::FileData m, TimePoint now) {
        return uploads_.data(id, stream, std::move(m), now);
    }
    Errc open(const Caller& caller, StreamId stream, const wire::FileRequest& m) {
        return downloads_.open(caller, stream, m);
    }

    /// The client has sent all of a file, or will not send the rest.
    void finish(ConnectionId id, StreamId stream) { uploads_.finish(id, stream); }

    void abandon(ConnectionId id, StreamId stream) {
        uploads_.abandon(id, stream);
        downloads_.close(id, stream);
    }
    void abandon(ConnectionId id) {
        uploads_.abandon(id);
        downloads_.close(id);
    }

    bool is_busy(ConnectionId id, StreamId stream) const { return uploads_.is_busy(id, stream); }

    /// Takes in what the log and the store of files have done. `moved` becomes true if more was
    /// asked of the log. An error means that the store cannot be trusted any more.
    Errc settle(TimePoint now, bool& moved) {
        bool again = true;
        while (std::exchange(again, false)) {
            while (auto outcome = hub_->poll_file_outcome()) uploads_.handle(*std::move(outcome));
            while (const auto done = files_->poll_done()) {
                if (done->error == Errc::storage_failed) return done->error;
                if (!uploads_.handle(*done, now)) downloads_.handle(*done);
                again = true;
            }
            const bool asked = uploads_.step();
            moved |= asked;
        }
        while (const auto key = hub_->files().poll_unwanted()) files_->remove(*key);
        while (std::optional<UploadFrame> frame = uploads_.poll_frame()) say(*std::move(frame));
        return Errc{};
    }

    /// Serves who fetches files, until the streams are full.
    void send(TimePoint now) {
        const auto write = [&](ConnectionId id, StreamId stream, Bytes frame) {
            return peers_->write(id, stream, std::move(frame));
        };
        downloads_.send(now, write, [&](ConnectionId id, StreamId stream) {
            (void)peers_->transport().write(id, stream, {}, true);
        });
    }

    /// A stream has room again.
    void resume(const Writable& writable) {
        downloads_.handle_writable(writable.connection, writable.stream);
    }

    /// A stream that was busy and is not any more: read on.
    std::optional<std::pair<ConnectionId, StreamId>> poll_freed() { return uploads_.poll_freed(); }

    void handle_timeout(TimePoint now) {
        uploads_.handle_timeout(now);
        downloads_.handle_timeout(now);
    }
    std::optional<TimePoint> next_deadline() const {
        return earlier(uploads_.next_deadline(), downloads_.next_deadline());
    }

    const FileStore& store() const { return *files_; }
    /// Under way, in both directions.
    std::size_t transfers() const { return uploads_.size() + downloads_.size(); }

private:
    void say(UploadFrame out) {
        if (out.last) {
            std::deque<Bytes> frames;
            if (!out.frame.empty()) frames.push_back(std::move(out.frame));
            peers_->end_stream(out.connection, out.stream, std::move(frames));
        } else {
            (void)peers_->transport().write(out.connection, out.stream, std::move(out.frame),
                                            false);
        }
    }

    Owned<FileStore> files_;
    Hub* hub_;
    Peers<T>* peers_;
    Uploads uploads_;
    Downloads downloads_;
};

}  // namespace quicchat

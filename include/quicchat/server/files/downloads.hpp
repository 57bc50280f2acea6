#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/rate_limits.hpp"

namespace quicchat {

/// Hands out files of rooms, each on a stream of its own (PROTOCOL.md §6.16). A slow reader costs a
/// few pieces of its file. Who fetches more than `Limits::file_bytes_per_account` waits in between.
class Downloads {
public:
    Downloads(FileStore& files, Hub& hub, RateLimits& rates, const Limits& limits)
        : files_(&files), hub_(&hub), rates_(&rates), limits_(&limits) {}

    /// A stream begins with a request. An error is the answer to it.
    Errc open(const Caller& caller, StreamId stream, const wire::FileRequest& m) {
        if (!files_->is_offered()) return Errc::unsupported;
        const auto own = downloads_.lower_bound({caller.connection, StreamId{}});
        const auto count = std::count_if(own, downloads_.end(), [&](const auto& entry) {
            return entry.first.first == caller.connection;
        });
        if (static_cast<std::size_t>(count) >= limits_->transfers_per_connection_max) {
            return Errc::queue_full;
        }
        const auto by_account = std::ranges::count_if(downloads_, [&](const auto& entry) {
            return is_same_name(entry.second.user, caller.user);
        });
        if (static_cast<std::size_t>(by_account) >= limits_->downloads_per_account_max) {
            return Errc::queue_full;
        }
        const Result<StoredFile> file = hub_->find_file(caller, m);
        if (!file) return to_errc(file.error());
        if (m.from > file->size) return Errc::invalid_request;
        Download download{.user = std::string{caller.user},
                          .room = m.room,
                          .key = file->key,
                          .request = m.request,
                          .size = file->size,
                          .next = m.from};
        download.frames.push_back(Bytes{
            encode(wire::FileHead{m.request, file->epoch, file->name, file->size, file->digest})});
        const Place place{caller.connection, stream};
        downloads_.insert_or_assign(place, std::move(download));
        waiting_.insert(place);
        return Errc{};
    }

    void close(ConnectionId connection, StreamId stream) {
        downloads_.erase({connection, stream});
        waiting_.erase({connection, stream});
        paused_.erase({connection, stream});
    }
    void close(ConnectionId connection) {
        auto own = downloads_.lower_bound({connection, StreamId{}});
        while (own != downloads_.end() && own->first.first == connection) {
            waiting_.erase(own->first);
            paused_.erase(own->first);
            own = downloads_.erase(own);
        }
    }

    void handle_writable(ConnectionId connection, StreamId stream) {
        if (downloads_.count({connection, stream}) != 0) waiting_.insert({connection, stream});
    }

    /// The store of files has answered one of our requests. False: it was not ours.
    bool handle(const FileDone& done) {
        const auto asked = asked_.extract(done.token);
        if (asked.empty()) return false;
        const auto found = downloads_.find(asked.mapped());
        if (found == downloads_.end()) return true;
        Download& download = found->second;
        download.reading = false;
        waiting_.insert(found->first);
        if (done.error != Errc{} || done.bytes.empty()) {
            fail(download, done.error == Errc{} ? Errc::no_such_file : done.error);
            return true;
        }
        download.next += done.bytes.size();
        const BytesView all = done.bytes.view();
        for (std::size_t from = 0; from < all.size(); from += limits_->file_chunk_bytes_max) {
            const std::size_t count = std::min(limits_->file_chunk_bytes_max, all.size() - from);
            const BytesView part = all.subspan(from, count);
            download.frames.push_back(
                Bytes{encode(wire::FileData{Buffer(part.begin(), part.end())})});
        }
        return true;
    }

    /// Hands `write` frame after frame until it says that the stream is full; then
    /// `handle_writable` says when it is not. `finish` ends the stream behind the last one.
    template <class Write, class Finish>
    void send(TimePoint now, const Write& write, const Finish& finish) {
        while (!waiting_.empty()) {
            const Place place = waiting_.extract(waiting_.begin()).value();
            const auto found = downloads_.find(place);
            if (found == downloads_.end()) continue;
            Download& download = found->second;
            bool is_full = false;
            while (!is_full) {
                std::optional<Bytes> frame = pop_front(download.frames);
                if (!frame) break;
                is_full = !write(place.first, place.second, *std::move(frame));
            }
            read_on(place, download, now);
            if (!download.frames.empty() || download.reading || download.next < download.size) {
                continue;
            }
            finish(place.first, place.second);
            downloads_.erase(found);
        }
    }

    /// Goes on with those who had to wait because they fetched much.
    void handle_timeout(TimePoint now) {
        while (const auto place = paused_.take_due(now)) waiting_.insert(*place);
    }
    std::optional<TimePoint> next_deadline() const { return paused_.next(); }

    std::size_t size() const { return downloads_.size(); }

private:
    using Place = std::pair<ConnectionId, StreamId>;

    struct Download {
        std::string user;
        std::string room;  ///< As the user calls it.
        std::string key;
        RequestId request = 0;
        std::uint64_t size = 0;
        std::uint64_t next = 0;  ///< To be read from the store.
        bool reading = false;
        std::deque<Bytes> frames{};
    };

    /// Reads a little ahead of what the stream takes, if the user may still have it.
    void read_on(const Place& place, Download& download, TimePoint now) {
        const bool enough = download.frames.size() >= frames_ahead;
        if (download.reading || enough || download.next >= download.size) return;
        if (paused_.contains(place)) return;
        if (!hub_->may_read(download.user, download.room)) {
            waiting_.insert(place);
            return fail(download, Errc::no_such_room);
        }
        const std::size_t bytes_max = limits_->file_chunk_bytes_max * frames_ahead;
        const Duration wait = rates_->hand_out(
            download.user, std::min<std::uint64_t>(download.size - download.next, bytes_max), now);
        if (wait > Duration{}) {
            paused_.set(place, now + wait);
            return;
        }
        download.reading = true;
        newest_ += 2;
        asked_.emplace(newest_, place);
        files_->read(newest_, download.key, download.next, bytes_max);
    }

    void fail(Download& download, Errc errc) {
        download.frames.push_back(encode_refusal(download.request, errc));
        download.next = download.size;
    }

    static constexpr std::size_t frames_ahead = 4;

    FileStore* files_;
    Hub* hub_;
    RateLimits* rates_;
    const Limits* limits_;
    std::map<Place, Download> downloads_;
    DeadlineQueue<Place> paused_;  ///< Those that wait for their account's rate.
    std::set<Place> waiting_;
    std::map<FileToken, Place> asked_;
    FileToken newest_ = 1;  ///< Odd; Uploads has the others.
};

}  // namespace quicchat

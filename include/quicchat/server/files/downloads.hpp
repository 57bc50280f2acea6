#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "quicchat/base/deadline_queue.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/server/byte_counts.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/rate_limits.hpp"
#include "quicchat/server/place.hpp"

namespace quicchat {

/// Hands out files of rooms, each on a stream of its own (PROTOCOL.md §6.16). A slow reader costs a
/// few pieces of its file. Who fetches more than `Limits::file_bytes_per_account` waits in between,
/// and who has had his share of a turn until the next one.
class Downloads {
public:
    /// `held`: where the pieces are counted that wait for their stream, or are being read.
    Downloads(FileStore& files, Hub& hub, RateLimits& rates, const Limits& limits,
              ByteCounts& held);

    /// A stream begins with a request. An error is the answer to it.
    Errc open(const Caller& caller, StreamId stream, const wire::FileRequest& m);

    /// The stream is gone, or is to have no more of its file.
    void close(ConnectionId connection, StreamId stream);
    /// The same for all streams of a connection.
    void close(ConnectionId connection);

    /// The stream has room again.
    void handle_writable(ConnectionId connection, StreamId stream);

    /// The store of files has answered one of our requests. False: it was not ours.
    bool handle(const FileDone& done);

    /// Hands `write` frame after frame until it says that the stream is full; then
    /// `handle_writable` says when it is not. Files are read on for who `may_read_on` only;
    /// `handle_writable` says for the others when they may. `finish` ends the stream behind the
    /// last frame.
    template <class MayReadOn, class Write, class Finish>
    void send(TimePoint now, const MayReadOn& may_read_on, const Write& write,
              const Finish& finish) {
        while (const std::optional<Place> next = take_next()) {
            const Place place = *next;
            const auto found = downloads_.find(place);
            if (found == downloads_.end()) continue;
            Download& download = found->second;
            bool is_full = false;
            while (!is_full) {
                std::optional<Bytes> frame = pop_front(download.frames);
                if (!frame) break;
                is_full = !write(place.first, place.second, *std::move(frame));
            }
            count(place, download);
            if (wants_more(place, download) && may_read_on(place.first, place.second)) {
                read_on(place, download, now);
            }
            if (!download.frames.empty() || download.reading || download.next < download.size) {
                continue;
            }
            finish(place.first, place.second);
            drop(found);
        }
    }

    /// Goes on with those who had to wait because they fetched much. Call at the begin of each
    /// turn.
    void handle_timeout(TimePoint now);
    /// When somebody who waits may have more; nothing: nobody waits for that.
    std::optional<TimePoint> next_deadline() const;

    /// Files that are being handed out.
    std::size_t size() const { return downloads_.size(); }

private:
    struct Download {
        std::string user;
        std::string room;  ///< As the user calls it.
        std::string key;
        RequestId request = 0;
        std::uint64_t size = 0;
        std::uint64_t next = 0;  ///< To be read from the store.
        bool reading = false;
        Queue<Bytes> frames{};
        std::size_t counted = 0;  ///< Of its bytes, in `held`.
    };
    using Map = std::map<Place, Download>;

    std::optional<Place> take_next();

    bool wants_more(const Place& place, const Download& download) const;

    /// Reads a little ahead of what the stream takes, if the user may still have it.
    void read_on(const Place& place, Download& download, TimePoint now);

    void fail(Download& download, Errc errc);

    std::size_t piece_bytes() const { return limits_->file_chunk_bytes_max * frames_ahead; }

    /// Brings up to date what is counted of it.
    void count(const Place& place, Download& download);

    Map::iterator drop(Map::iterator download);

    static constexpr std::size_t frames_ahead = 4;

    FileStore* files_;
    Hub* hub_;
    RateLimits* rates_;
    const Limits* limits_;
    ByteCounts* held_;
    Map downloads_;
    std::map<std::string, std::size_t> by_account_;  ///< How many of each.
    DeadlineQueue<Place> paused_;                    ///< Those that wait for their account's rate.
    std::set<Place> waiting_;
    std::set<Place> postponed_;  ///< Those whose account has had its share of this turn,
    std::set<Place> first_;      ///< and of the one before: they come before the others.
    std::map<FileToken, Place> asked_;
    FileToken newest_ = 1;  ///< Odd; Uploads has the others.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/files/impl/downloads.ipp"
#endif

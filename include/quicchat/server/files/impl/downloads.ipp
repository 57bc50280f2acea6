#pragma once

#include "quicchat/server/files/downloads.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/deliver/frames.hpp"

namespace quicchat {

QUICCHAT_DECL Downloads::Downloads(FileStore& files, Hub& hub, RateLimits& rates,
                                   const Limits& limits)
    : files_(&files), hub_(&hub), rates_(&rates), limits_(&limits) {}

QUICCHAT_DECL Errc Downloads::open(const Caller& caller, StreamId stream,
                                   const wire::FileRequest& m) {
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

QUICCHAT_DECL void Downloads::close(ConnectionId connection, StreamId stream) {
    downloads_.erase({connection, stream});
    waiting_.erase({connection, stream});
    paused_.erase({connection, stream});
}

QUICCHAT_DECL void Downloads::close(ConnectionId connection) {
    auto own = downloads_.lower_bound({connection, StreamId{}});
    while (own != downloads_.end() && own->first.first == connection) {
        waiting_.erase(own->first);
        paused_.erase(own->first);
        own = downloads_.erase(own);
    }
}

QUICCHAT_DECL void Downloads::handle_writable(ConnectionId connection, StreamId stream) {
    if (downloads_.count({connection, stream}) != 0) waiting_.insert({connection, stream});
}

QUICCHAT_DECL bool Downloads::handle(const FileDone& done) {
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
        download.frames.push_back(Bytes{encode(wire::FileData{Buffer(part.begin(), part.end())})});
    }
    return true;
}

QUICCHAT_DECL void Downloads::handle_timeout(TimePoint now) {
    while (const auto place = paused_.take_due(now)) waiting_.insert(*place);
}

QUICCHAT_DECL std::optional<TimePoint> Downloads::next_deadline() const { return paused_.next(); }

QUICCHAT_DECL void Downloads::read_on(const Place& place, Download& download, TimePoint now) {
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

QUICCHAT_DECL void Downloads::fail(Download& download, Errc errc) {
    download.frames.push_back(encode_refusal(download.request, errc));
    download.next = download.size;
}

}  // namespace quicchat

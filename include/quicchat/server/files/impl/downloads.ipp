#pragma once

#include "quicchat/server/files/downloads.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/deliver/frames.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Downloads::Downloads(FileStore& files, Hub& hub, RateLimits& rates,
                                        const Limits& limits, ByteCounts& held)
    : files_(&files), hub_(&hub), rates_(&rates), limits_(&limits), held_(&held) {}

QUICCHAT_RARE_DECL Errc Downloads::open(const Caller& caller, StreamId stream,
                                        const wire::FileRequest& m) {
    if (!files_->is_offered()) return Errc::unsupported;
    const std::string account = canonical_name(caller.user);
    const auto by_account = by_account_.find(account);
    const std::size_t count = by_account == by_account_.end() ? 0 : by_account->second;
    if (count >= limits_->downloads_per_account_max ||
        count_of(downloads_, caller.connection) >= limits_->transfers_per_connection_max) {
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
    downloads_.emplace(place, std::move(download));
    ++by_account_[account];
    waiting_.insert(place);
    return Errc{};
}

QUICCHAT_RARE_DECL void Downloads::close(ConnectionId connection, StreamId stream) {
    const auto found = downloads_.find({connection, stream});
    if (found != downloads_.end()) drop(found);
}

QUICCHAT_RARE_DECL void Downloads::close(ConnectionId connection) {
    auto own = downloads_.lower_bound({connection, StreamId{}});
    while (own != downloads_.end() && own->first.first == connection) own = drop(own);
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
        return count(found->first, download), true;
    }
    download.next += done.bytes.size();
    const BytesView all = done.bytes.view();
    for (std::size_t from = 0; from < all.size(); from += limits_->file_chunk_bytes_max) {
        const std::size_t count = std::min(limits_->file_chunk_bytes_max, all.size() - from);
        const BytesView part = all.subspan(from, count);
        download.frames.push_back(Bytes{encode(wire::FileData{Buffer(part.begin(), part.end())})});
    }
    count(found->first, download);
    return true;
}

QUICCHAT_DECL void Downloads::handle_timeout(TimePoint now) {
    while (const auto place = paused_.take_due(now)) waiting_.insert(*place);
    first_.merge(std::exchange(postponed_, {}));
}

QUICCHAT_DECL std::optional<Place> Downloads::take_next() {
    std::set<Place>& places = first_.empty() ? waiting_ : first_;
    if (places.empty()) return std::nullopt;
    return std::move(places.extract(places.begin()).value());
}

QUICCHAT_DECL std::optional<TimePoint> Downloads::next_deadline() const { return paused_.next(); }

QUICCHAT_DECL bool Downloads::wants_more(const Place& place, const Download& download) const {
    const bool enough = download.frames.size() >= frames_ahead;
    return !download.reading && !enough && download.next < download.size &&
           !paused_.contains(place);
}

QUICCHAT_DECL void Downloads::read_on(const Place& place, Download& download, TimePoint now) {
    if (!hub_->may_read(download.user, download.room)) {
        waiting_.insert(place);
        return fail(download, Errc::no_such_room);
    }
    const std::size_t bytes_max = piece_bytes();
    if (hub_->work().must_wait(download.user)) {
        postponed_.insert(place);
        return;
    }
    const std::uint64_t bytes = std::min<std::uint64_t>(download.size - download.next, bytes_max);
    const Duration wait = rates_->hand_out(download.user, bytes, now);
    if (wait > Duration{}) {
        paused_.set(place, now + wait);
        return;
    }
    hub_->work().count(download.user, static_cast<std::size_t>(bytes));
    download.reading = true;
    newest_ += 2;
    asked_.emplace(newest_, place);
    files_->read(newest_, download.key, download.next, static_cast<std::size_t>(bytes));
    count(place, download);
}

QUICCHAT_RARE_DECL void Downloads::fail(Download& download, Errc errc) {
    hub_->refusals().add(errc);
    download.frames.push_back(encode_refusal(download.request, errc));
    download.next = download.size;
}

QUICCHAT_DECL void Downloads::count(const Place& place, Download& download) {
    std::size_t bytes = download.reading ? piece_bytes() : 0;
    for (const Bytes& frame : download.frames) bytes += frame.size();
    held_->add(place.first, bytes);
    held_->subtract(place.first, std::exchange(download.counted, bytes));
}

QUICCHAT_RARE_DECL Downloads::Map::iterator Downloads::drop(Map::iterator download) {
    const Place place = download->first;
    held_->subtract(place.first, download->second.counted);
    const auto by_account = by_account_.find(canonical_name(download->second.user));
    if (--by_account->second == 0) by_account_.erase(by_account);
    waiting_.erase(place);
    first_.erase(place);
    postponed_.erase(place);
    paused_.erase(place);
    return downloads_.erase(download);
}

}  // namespace quicchat

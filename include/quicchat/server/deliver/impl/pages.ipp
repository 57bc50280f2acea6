#pragma once

#include "quicchat/server/deliver/pages.hpp"

#include <algorithm>
#include <cstddef>

#include "quicchat/base/config.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL Pages::Pages(RoomStore& room_store, EventFrames& frames, const Limits& limits,
                           TurnWork& work)
    : room_store_(&room_store), frames_(&frames), limits_(&limits), work_(&work) {}

QUICCHAT_DECL Errc Pages::open(const Caller& caller, StreamId stream, const Room& room,
                               const wire::HistoryRequest& m) {
    if (is_full(caller.connection)) return Errc::queue_full;
    const LogHead log = room_store_->log().head(room.key());
    const Offset middle = std::clamp(m.offset, log.first, room.head() + 1);
    const Offset before = std::min<Offset>(m.before, limits_->page_records_max);
    const Offset after = std::min<Offset>(m.after, limits_->page_records_max - before);
    Page page{.account = std::string{caller.user},
              .room = room.key(),
              .number = m.request,
              .epoch = room.epoch()};
    page.next = middle - std::min(before, middle - log.first);
    page.last = middle + std::min(after, room.head() + 1 - middle) - 1;
    page.reaches_start = page.next == log.first;
    page.reaches_head = page.last == room.head();
    const Place place{caller.connection, stream};
    pages_.insert_or_assign(place, std::move(page));
    waiting_.insert(place);
    return Errc{};
}

QUICCHAT_DECL Errc Pages::open(const Caller& caller, StreamId stream, const Room& room,
                               const wire::SearchRequest& m) {
    if (is_full(caller.connection)) return Errc::queue_full;
    const Place place{caller.connection, stream};
    pages_.insert_or_assign(place, Search{std::string{caller.user}, room, m, *limits_});
    search_on(std::string{caller.user}, place);
    return Errc{};
}

QUICCHAT_DECL void Pages::close(ConnectionId connection, StreamId stream) {
    if (const auto entry = pages_.find({connection, stream}); entry != pages_.end()) erase(entry);
}

QUICCHAT_DECL void Pages::close(ConnectionId connection) {
    for (auto entry = pages_.lower_bound({connection, StreamId{}});
         entry != pages_.end() && entry->first.first == connection;) {
        erase(entry++);
    }
}

QUICCHAT_DECL void Pages::forget(const Room& room) {
    for (auto& [place, entry] : pages_) {
        const bool ends = std::visit([&](auto& page) { return page.key() == room.key(); }, entry);
        if (ends) std::visit([](auto& page) { page.forget(); }, entry);
    }
}

QUICCHAT_DECL void Pages::handle_writable(ConnectionId connection, StreamId stream) {
    if (pages_.count({connection, stream}) != 0) waiting_.insert({connection, stream});
}

QUICCHAT_DECL void Pages::look() {
    SearchEffort effort;
    auto left = std::exchange(searching_, {});  // each search looks once in a turn
    while (!left.empty() && !effort.is_over()) {
        auto next = left.upper_bound(looked_);
        if (next == left.end()) next = left.begin();
        looked_ = next->first;
        const Place place = *pop_front(next->second);
        if (next->second.empty()) left.erase(next);
        look(place, effort);
    }
    for (auto& [account, searches] : left) {  // those that did not come to it are the first then
        Searches& later = searching_[account];
        later.insert(later.begin(), searches.begin(), searches.end());
    }
}

QUICCHAT_DECL void Pages::look(Place place, SearchEffort& effort) {
    auto& search = std::get<Search>(pages_.at(place));
    const Errc errc = search.look(room_store_->log(), limits_->catch_up_records_max, effort);
    if (errc != Errc{}) failure_ = errc;
    if (search.wants_look()) {
        search_on(search.user(), place);
    } else {
        waiting_.insert(place);
    }
}

QUICCHAT_DECL Errc Pages::take_failure() { return std::exchange(failure_, Errc{}); }

QUICCHAT_DECL void Pages::Page::forget() {
    last = next - 1;
    reaches_start = reaches_head = false;
}

QUICCHAT_DECL bool Pages::is_full(ConnectionId connection) const {
    return count_of(pages_, connection) >= limits_->pages_per_connection_max;
}

QUICCHAT_DECL void Pages::search_on(const std::string& account, Place place) {
    searching_[account].push_back(place);
}

QUICCHAT_DECL void Pages::erase(std::map<Place, Entry>::iterator entry) {
    const Place place = entry->first;
    waiting_.erase(place);
    const std::string& account = std::visit(
        [](const auto& page) -> const std::string& { return page.user(); }, entry->second);
    if (const auto searches = searching_.find(account); searches != searching_.end()) {
        std::erase(searches->second, place);
        if (searches->second.empty()) searching_.erase(searches);
    }
    pages_.erase(entry);
}

QUICCHAT_DECL std::optional<Bytes> Pages::next_frame(Search& search) {
    Result<std::optional<Bytes>> frame = search.next_frame(room_store_->log());
    if (frame) {
        if (*frame) work_->count(search.user(), (*frame)->size());
        return *std::move(frame);
    }
    failure_ = to_errc(frame.error());
    return std::nullopt;
}

QUICCHAT_DECL std::optional<Bytes> Pages::next_frame(Page& page) {
    const Room* room = room_store_->directory().find(page.room);
    while (room != nullptr && page.next <= page.last) {
        if (auto frame = frames_->get(*room, page.next++, page.account)) return frame;
        // Dropped meanwhile: the rest is where the log begins now.
        page.next = std::max(page.next, room_store_->log().head(page.room).first);
    }
    page.ended = true;
    return Bytes{
        encode(wire::HistoryEnd{page.number, page.epoch, page.reaches_start, page.reaches_head})};
}

}  // namespace quicchat

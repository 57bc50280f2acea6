#pragma once

#include "quicchat/server/deliver/pages.hpp"

#include <algorithm>
#include <cstddef>

#include "quicchat/base/config.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_DECL Pages::Pages(RoomStore& room_store, EventFrames& frames, const Limits& limits)
    : room_store_(&room_store), frames_(&frames), limits_(&limits) {}

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
    searching_.insert(place);
    return Errc{};
}

QUICCHAT_DECL void Pages::close(ConnectionId connection, StreamId stream) {
    pages_.erase({connection, stream});
    waiting_.erase({connection, stream});
    searching_.erase({connection, stream});
}

QUICCHAT_DECL void Pages::close(ConnectionId connection) {
    const auto is_own = [&](const Place& place) { return place.first == connection; };
    std::erase_if(pages_, [&](const auto& entry) { return is_own(entry.first); });
    std::erase_if(waiting_, is_own);
    std::erase_if(searching_, is_own);
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
    for (std::size_t left = searching_.size(); left > 0 && !effort.is_over(); --left) {
        auto place = searching_.upper_bound(looked_);
        if (place == searching_.end()) place = searching_.begin();
        looked_ = *place;
        auto& search = std::get<Search>(pages_.at(looked_));
        const Errc errc = search.look(room_store_->log(), limits_->catch_up_records_max, effort);
        if (errc != Errc{}) failure_ = errc;
        if (search.wants_look()) continue;
        searching_.erase(place);
        waiting_.insert(looked_);
    }
}

QUICCHAT_DECL Errc Pages::take_failure() { return std::exchange(failure_, Errc{}); }

QUICCHAT_DECL void Pages::Page::forget() {
    last = next - 1;
    reaches_start = reaches_head = false;
}

QUICCHAT_DECL bool Pages::is_full(ConnectionId connection) const {
    const auto own = pages_.lower_bound(Place{connection, StreamId{}});
    const auto count = std::count_if(
        own, pages_.end(), [&](const auto& entry) { return entry.first.first == connection; });
    return static_cast<std::size_t>(count) >= limits_->pages_per_connection_max;
}

QUICCHAT_DECL std::optional<Bytes> Pages::next_frame(Search& search) {
    Result<std::optional<Bytes>> frame = search.next_frame(room_store_->log());
    if (frame) return *std::move(frame);
    failure_ = to_errc(frame.error());
    return std::nullopt;
}

QUICCHAT_DECL std::optional<Bytes> Pages::next_frame(Page& page) {
    const Room* room = room_store_->directory().find(page.room);
    while (room != nullptr && page.next <= page.last) {
        if (auto frame = frames_->get(*room, page.next++)) return frame;
        // Dropped meanwhile: the rest is where the log begins now.
        page.next = std::max(page.next, room_store_->log().head(page.room).first);
    }
    page.ended = true;
    return Bytes{
        encode(wire::HistoryEnd{page.number, page.epoch, page.reaches_start, page.reaches_head})};
}

}  // namespace quicchat

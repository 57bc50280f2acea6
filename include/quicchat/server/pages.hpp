#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/concept.hpp"
#include "quicchat/server/events.hpp"
#include "quicchat/server/room.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Hands over pages of history, each on a stream of its own (PROTOCOL.md §6.12). A slow reader
/// costs a cursor only.
template <RoomLog Log>
class Pages {
public:
    Pages(const Log& log, const Limits& limits) : log_(&log), limits_(&limits) {}

    Errc open(ConnectionId connection, StreamId stream, const Room& room,
              const wire::HistoryRequest& m) {
        const Place place{connection, stream};
        const auto own = pages_.lower_bound(Place{connection, StreamId{}});
        const auto count = std::count_if(
            own, pages_.end(), [&](const auto& entry) { return entry.first.first == connection; });
        if (static_cast<std::size_t>(count) >= limits_->pages_per_connection_max) {
            return Errc::queue_full;
        }
        const LogHead log = log_->head(room.key());
        const Offset middle = std::clamp(m.offset, log.first, room.head() + 1);
        const Offset before = std::min<Offset>(m.before, limits_->page_records_max);
        const Offset after = std::min<Offset>(m.after, limits_->page_records_max - before);
        Page page{.key = room.key(), .request = m.request, .epoch = room.epoch()};
        page.next = middle - std::min(before, middle - log.first);
        page.last = middle + std::min(after, room.head() + 1 - middle) - 1;
        page.reaches_start = page.next == log.first;
        page.reaches_head = page.last == room.head();
        pages_.insert_or_assign(place, std::move(page));
        waiting_.insert(place);
        return Errc{};
    }

    void close(ConnectionId connection, StreamId stream) {
        pages_.erase({connection, stream});
        waiting_.erase({connection, stream});
    }

    void close(ConnectionId connection) {
        const auto is_own = [&](const Place& place) { return place.first == connection; };
        std::erase_if(pages_, [&](const auto& entry) { return is_own(entry.first); });
        std::erase_if(waiting_, is_own);
    }

    /// The room is about to go: its pages end with what was read of it.
    void forget(const Room& room) {
        for (auto& [place, page] : pages_) {
            if (page.key != room.key()) continue;
            page.last = page.next - 1;
            page.reaches_start = page.reaches_head = false;
        }
    }

    void handle_writable(ConnectionId connection, StreamId stream) {
        if (pages_.count({connection, stream}) != 0) waiting_.insert({connection, stream});
    }

    /// Hands `write` frame after frame until it says that the stream is full; then
    /// `handle_writable` says when it is not. `finish` ends the stream of a page that is complete.
    template <class Write, class Finish>
    void send(const Write& write, const Finish& finish) {
        for (const Place& place : std::exchange(waiting_, {})) {
            const auto found = pages_.find(place);
            bool is_full = false;
            while (!is_full && !found->second.ended) {
                is_full = !write(place.first, place.second, next_frame(found->second));
            }
            if (!found->second.ended) continue;
            finish(place.first, place.second);
            pages_.erase(found);
        }
    }

    Errc take_failure() { return std::exchange(failure_, Errc{}); }

private:
    using Place = std::pair<ConnectionId, StreamId>;

    struct Page {
        std::string key;
        RequestId request = 0;
        Epoch epoch{};
        Offset next = 0;
        Offset last = 0;
        bool reaches_start = false;
        bool reaches_head = false;
        bool ended = false;
        std::deque<Bytes> frames{};
    };

    Bytes next_frame(Page& page) {
        if (page.frames.empty() && page.next <= page.last) fill(page);
        if (std::optional<Bytes> frame = pop_front(page.frames)) return *std::move(frame);
        page.ended = true;
        return Bytes{encode(
            wire::HistoryEnd{page.request, page.epoch, page.reaches_start, page.reaches_head})};
    }

    void fill(Page& page) {
        const std::size_t count =
            std::min<Offset>(limits_->catch_up_records_max, page.last - page.next + 1);
        const auto records = log_->read(page.key, page.next - 1, count);
        if (!records) failure_ = to_errc(records.error());
        if (!records || records->empty()) return;
        for (const LoggedRecord& r : *records) {
            if (r.offset <= page.last) page.frames.push_back(encode_event(r));
        }
        page.next = records->back().offset + 1;
    }

    const Log* log_;
    const Limits* limits_;
    std::map<Place, Page> pages_;
    std::set<Place> waiting_;
    Errc failure_{};
};

}  // namespace quicchat

#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/deliver/search.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Hands over pages of history and what searches find, each on a stream of its own (PROTOCOL.md
/// §6.12 and §6.15). A slow reader costs a cursor only. Searches look at the log a little in each
/// turn, one after the other, so that they hold up nobody.
class Pages {
public:
    Pages(const RoomLog& log, const Limits& limits) : log_(&log), limits_(&limits) {}

    Errc open(ConnectionId connection, StreamId stream, const Room& room,
              const wire::HistoryRequest& m) {
        if (is_full(connection)) return Errc::queue_full;
        const LogHead log = log_->head(room.key());
        const Offset middle = std::clamp(m.offset, log.first, room.head() + 1);
        const Offset before = std::min<Offset>(m.before, limits_->page_records_max);
        const Offset after = std::min<Offset>(m.after, limits_->page_records_max - before);
        Page page{.room = room.key(), .request = m.request, .epoch = room.epoch()};
        page.next = middle - std::min(before, middle - log.first);
        page.last = middle + std::min(after, room.head() + 1 - middle) - 1;
        page.reaches_start = page.next == log.first;
        page.reaches_head = page.last == room.head();
        pages_.insert_or_assign(Place{connection, stream}, std::move(page));
        waiting_.insert({connection, stream});
        return Errc{};
    }

    Errc open(ConnectionId connection, StreamId stream, const Room& room,
              const wire::SearchRequest& m) {
        if (is_full(connection)) return Errc::queue_full;
        pages_.insert_or_assign(Place{connection, stream}, Search{room, m, *limits_});
        searching_.insert({connection, stream});
        return Errc{};
    }

    void close(ConnectionId connection, StreamId stream) {
        pages_.erase({connection, stream});
        waiting_.erase({connection, stream});
        searching_.erase({connection, stream});
    }

    void close(ConnectionId connection) {
        const auto is_own = [&](const Place& place) { return place.first == connection; };
        std::erase_if(pages_, [&](const auto& entry) { return is_own(entry.first); });
        std::erase_if(waiting_, is_own);
        std::erase_if(searching_, is_own);
    }

    /// The room is about to go: its pages end with what was read of it.
    void forget(const Room& room) {
        for (auto& [place, entry] : pages_) {
            const bool ends =
                std::visit([&](auto& page) { return page.key() == room.key(); }, entry);
            if (ends) std::visit([](auto& page) { page.forget(); }, entry);
        }
    }

    void handle_writable(ConnectionId connection, StreamId stream) {
        if (pages_.count({connection, stream}) != 0) waiting_.insert({connection, stream});
    }

    /// Lets searches look at the log, for so long as they may in one turn.
    void look() {
        SearchEffort effort;
        for (std::size_t left = searching_.size(); left > 0 && !effort.is_over(); --left) {
            auto place = searching_.upper_bound(looked_);
            if (place == searching_.end()) place = searching_.begin();
            looked_ = *place;
            auto& search = std::get<Search>(pages_.at(looked_));
            const Errc errc = search.look(*log_, limits_->catch_up_records_max, effort);
            if (errc != Errc{}) failure_ = errc;
            if (search.wants_look()) continue;
            searching_.erase(place);
            waiting_.insert(looked_);
        }
    }

    /// True if `look` has more to do at once.
    bool is_searching() const { return !searching_.empty(); }

    /// Hands `write` frame after frame until it says that the stream is full; then
    /// `handle_writable` says when it is not. `finish` ends the stream of a page that is complete.
    template <class Write, class Finish>
    void send(const Write& write, const Finish& finish) {
        for (const Place& place : std::exchange(waiting_, {})) {
            const auto found = pages_.find(place);
            const bool ended = std::visit(
                [&](auto& page) {
                    bool is_full = false;
                    while (!is_full && !page.ended) {
                        std::optional<Bytes> frame = next_frame(page);
                        if (!frame) return searching_.insert(place), false;
                        is_full = !write(place.first, place.second, *std::move(frame));
                    }
                    return page.ended;
                },
                found->second);
            if (!ended) continue;
            finish(place.first, place.second);
            pages_.erase(found);
        }
    }

    Errc take_failure() { return std::exchange(failure_, Errc{}); }

private:
    using Place = std::pair<ConnectionId, StreamId>;

    /// A page of history.
    struct Page {
        std::string room;
        RequestId request = 0;
        Epoch epoch{};
        Offset next = 0;
        Offset last = 0;
        bool reaches_start = false;
        bool reaches_head = false;
        bool ended = false;
        std::deque<Bytes> frames{};

        const std::string& key() const { return room; }
        void forget() {
            last = next - 1;
            reaches_start = reaches_head = false;
        }
    };

    bool is_full(ConnectionId connection) const {
        const auto own = pages_.lower_bound(Place{connection, StreamId{}});
        const auto count = std::count_if(
            own, pages_.end(), [&](const auto& entry) { return entry.first.first == connection; });
        return static_cast<std::size_t>(count) >= limits_->pages_per_connection_max;
    }

    static std::optional<Bytes> next_frame(Search& search) { return search.next_frame(); }

    std::optional<Bytes> next_frame(Page& page) {
        if (page.frames.empty() && page.next <= page.last) fill(page);
        if (std::optional<Bytes> frame = pop_front(page.frames)) return frame;
        page.ended = true;
        return Bytes{encode(
            wire::HistoryEnd{page.request, page.epoch, page.reaches_start, page.reaches_head})};
    }

    void fill(Page& page) {
        const std::size_t count =
            std::min<Offset>(limits_->catch_up_records_max, page.last - page.next + 1);
        const auto records = log_->read(page.room, page.next - 1, count);
        if (!records) failure_ = to_errc(records.error());
        if (!records || records->empty()) return;
        for (const LoggedRecord& r : *records) {
            if (r.offset <= page.last) page.frames.push_back(encode_event(r));
        }
        page.next = records->back().offset + 1;
    }

    const RoomLog* log_;
    const Limits* limits_;
    std::map<Place, std::variant<Page, Search>> pages_;
    std::set<Place> waiting_;
    std::set<Place> searching_;  ///< Searches that want to look at the log.
    Place looked_{};             ///< The last of them that did.
    Errc failure_{};
};

}  // namespace quicchat

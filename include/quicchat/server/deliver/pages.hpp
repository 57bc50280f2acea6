#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/event_frames.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/deliver/search.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Hands over pages of history and what searches find, each on a stream of its own (PROTOCOL.md
/// §6.12 and §6.15). A slow reader costs a cursor only, and gets nothing more once he may not read
/// the room any more. Searches look at the log a little in each turn, one after the other, so that
/// they hold up nobody.
class Pages {
public:
    Pages(RoomStore& room_store, EventFrames& frames, const Limits& limits)
        : room_store_(&room_store), frames_(&frames), limits_(&limits) {}

    Errc open(const Caller& caller, StreamId stream, const Room& room,
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

    Errc open(const Caller& caller, StreamId stream, const Room& room,
              const wire::SearchRequest& m) {
        if (is_full(caller.connection)) return Errc::queue_full;
        const Place place{caller.connection, stream};
        pages_.insert_or_assign(place, Search{std::string{caller.user}, room, m, *limits_});
        searching_.insert(place);
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
            const Errc errc =
                search.look(room_store_->log(), limits_->catch_up_records_max, effort);
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
    void send(WallTime now, const Write& write, const Finish& finish) {
        for (const Place& place : std::exchange(waiting_, {})) {
            const auto found = pages_.find(place);
            const bool ended = std::visit(
                [&](auto& page) {
                    if (!may_read(page, now)) {
                        (void)write(place.first, place.second,
                                    encode_refusal(page.request(), Errc::no_such_room));
                        return true;
                    }
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
            pages_.erase(place);
            searching_.erase(place);
        }
    }

    Errc take_failure() { return std::exchange(failure_, Errc{}); }

private:
    using Place = std::pair<ConnectionId, StreamId>;

    /// A page of history.
    struct Page {
        std::string account;
        std::string room;
        RequestId number = 0;
        Epoch epoch{};
        Offset next = 0;
        Offset last = 0;
        bool reaches_start = false;
        bool reaches_head = false;
        bool ended = false;

        const std::string& user() const { return account; }
        const std::string& key() const { return room; }
        RequestId request() const { return number; }
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

    /// A room that is gone ends its pages by itself; see `forget`.
    bool may_read(const auto& page, WallTime now) const {
        const Directory& directory = std::as_const(*room_store_).directory();
        const Room* room = directory.find(page.key());
        return room == nullptr || directory.may(*room, page.user(), Action::read, now);
    }

    std::optional<Bytes> next_frame(Search& search) {
        Result<std::optional<Bytes>> frame = search.next_frame(room_store_->log());
        if (frame) return *std::move(frame);
        failure_ = to_errc(frame.error());
        return std::nullopt;
    }

    std::optional<Bytes> next_frame(Page& page) {
        const Room* room = room_store_->directory().find(page.room);
        while (room != nullptr && page.next <= page.last) {
            if (auto frame = frames_->get(*room, page.next++)) return frame;
            // Dropped meanwhile: the rest is where the log begins now.
            page.next = std::max(page.next, room_store_->log().head(page.room).first);
        }
        page.ended = true;
        return Bytes{encode(
            wire::HistoryEnd{page.number, page.epoch, page.reaches_start, page.reaches_head})};
    }

    RoomStore* room_store_;
    EventFrames* frames_;
    const Limits* limits_;
    std::map<Place, std::variant<Page, Search>> pages_;
    std::set<Place> waiting_;
    std::set<Place> searching_;  ///< Searches that want to look at the log.
    Place looked_{};             ///< The last of them that did.
    Errc failure_{};
};

}  // namespace quicchat

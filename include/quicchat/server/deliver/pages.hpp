#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/event_frames.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/deliver/search.hpp"
#include "quicchat/server/place.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn_work.hpp"

namespace quicchat {

/// Hands over pages of history and what searches find, each on a stream of its own (PROTOCOL.md
/// §6.12 and §6.15). A slow reader costs a cursor only, and gets nothing more once he may not read
/// the room any more. Searches look at the log a little in each turn, one account after the other,
/// so that they hold up nobody.
class Pages {
public:
    /// What it is given outlives it.
    Pages(RoomStore& room_store, EventFrames& frames, const Limits& limits, TurnWork& work);

    /// A stream asks for one page or one search: `ServerStream::takes` sees to that.
    Errc open(const Caller& caller, StreamId stream, const Room& room,
              const wire::HistoryRequest& m);

    /// The same for a search, whose form was checked.
    Errc open(const Caller& caller, StreamId stream, const Room& room,
              const wire::SearchRequest& m);

    /// The stream is gone or has its answer. Nothing is done if there is no page on it.
    void close(ConnectionId connection, StreamId stream);

    /// The same for all streams of a connection.
    void close(ConnectionId connection);

    /// The room is about to go: its pages end with what was read of it.
    void forget(const Room& room);

    /// The stream has room again.
    void handle_writable(ConnectionId connection, StreamId stream);

    /// Lets searches look at the log, for so long as they may in one turn.
    void look();

    /// True if `look` has more to do at once.
    bool is_searching() const { return !searching_.empty(); }

    /// Hands `write` frame after frame for each stream that `may_write`, until it says that the
    /// stream is full; then `handle_writable` says when it is not. `finish` ends the stream of a
    /// page that is complete.
    template <class Write, class Finish, class MayWrite = Always>
    void send(WallTime now, const Write& write, const Finish& finish,
              const MayWrite& may_write = {}) {
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
                        if (work_->must_wait(page.user())) return waiting_.insert(place), false;
                        if (!may_write(place.first, place.second)) break;
                        std::optional<Bytes> frame = next_frame(page);
                        if (!frame) return search_on(page.user(), place), false;
                        is_full = !write(place.first, place.second, *std::move(frame));
                    }
                    return page.ended;
                },
                found->second);
            if (!ended) continue;
            finish(place.first, place.second);
            close(place.first, place.second);
        }
    }

    /// Why the log could not be read, once; `Errc{}`: it could.
    Errc take_failure();

private:
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
        void forget();
    };

    using Entry = std::variant<Page, Search>;

    /// Those of one account; the first one is next.
    using Searches = std::deque<Place>;

    bool is_full(ConnectionId connection) const;

    /// Lets one search look at a slice of the log.
    void look(Place place, SearchEffort& effort);

    void search_on(const std::string& account, Place place);

    void erase(std::map<Place, Entry>::iterator entry);

    /// A room that is gone ends its pages by itself; see `forget`.
    bool may_read(const auto& page, WallTime now) const {
        const Directory& directory = std::as_const(*room_store_).directory();
        const Room* room = directory.find(page.key());
        return room == nullptr || directory.may(*room, page.user(), Action::read, now);
    }

    std::optional<Bytes> next_frame(Search& search);

    std::optional<Bytes> next_frame(Page& page);

    RoomStore* room_store_;
    EventFrames* frames_;
    const Limits* limits_;
    std::map<Place, Entry> pages_;
    std::set<Place> waiting_;
    TurnWork* work_;
    /// Searches that want to look at the log, of each account.
    std::map<std::string, Searches> searching_;
    std::string looked_{};  ///< The last account that did.
    Errc failure_{};
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/deliver/impl/pages.ipp"
#endif

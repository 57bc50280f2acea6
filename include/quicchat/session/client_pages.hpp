#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// What a record says of a file, if it announces one.
QUICCHAT_DECL std::optional<FileInfo> to_file(const Act& act);

/// A record as applications see it.
QUICCHAT_DECL RoomRecord to_record(const std::string& room, Epoch epoch, wire::Event m);

/// The pages of history, and searches, that a client has asked for on this connection.
class ClientPages {
public:
    /// What the application has asked for: see `ClientSession::request_history` and
    /// `request_search`.
    struct Request {
        RequestId number = 0;  ///< By which its answer is known.
        std::string room;      ///< As the application spells it.
        /// The border: records below it, and from it on. Of a search: below it only.
        Offset offset = 0;
        std::size_t before = 0;  ///< So many records below the border, at most.
        std::size_t after = 0;   ///< So many from it on, at most. 0 in a search.
        std::string words{};     ///< Of a search: in the `before` newest that have them.

        /// A page has no words.
        bool is_search() const { return !words.empty(); }
    };

    /// It takes `pages_per_connection_max` of them.
    explicit ClientPages(const Limits& limits);

    /// Behind those that wait. The request has its number.
    void ask(Request request);

    /// The next request that may have a stream, or nullptr.
    const Request* next_waiting() const;

    /// Takes out what `next_waiting` gave: its answer comes on that stream.
    Request begin(StreamId stream);

    /// Whether a page or a search has that stream.
    bool contains(StreamId stream) const { return pages_.count(stream) != 0; }

    /// `unexpected_frame` for more records than asked for, or in another order than theirs.
    Errc add(StreamId stream, wire::Event m);

    /// All of a page has come.
    HistoryPage complete(StreamId stream, const wire::HistoryEnd& m);

    /// All that a search has found for now. `unexpected_frame` if it is to go on above what it has
    /// found, or where it began: it would never end.
    Result<SearchPage> complete(StreamId stream, const wire::SearchEnd& m);

    /// The stream is over. Returns the number of its request.
    RequestId end(StreamId stream);

    /// Forgets those that wait and those under way.
    void clear();

private:
    struct Page {
        Request request;
        Offset edge = 0;  ///< The next record is above it; of a search, below it.
        std::vector<wire::Event> records{};
    };

    static std::vector<RoomRecord> take_records(Page& page, Epoch epoch);

    std::size_t count_max_;
    std::deque<Request> waiting_;
    std::map<StreamId, Page> pages_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_pages.ipp"
#endif

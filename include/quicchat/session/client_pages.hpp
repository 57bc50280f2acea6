#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/wire/message.hpp"

namespace quicchat {

/// What a record says of a file, if it announces one.
inline std::optional<FileInfo> to_file(const Act& act) {
    if (act.kind != Act::Kind::file) return std::nullopt;
    return FileInfo{act.value, act.subject};
}

/// A record as applications see it.
inline RoomRecord to_record(const std::string& room, Epoch epoch, wire::Event m) {
    const bool deleted = m.act.kind == Act::Kind::tombstone;
    if (deleted || is_said(m.act.kind)) {
        return RoomMessage{.room = room,
                           .epoch = epoch,
                           .offset = m.offset,
                           .time = m.time,
                           .id = m.id,
                           .from = std::move(m.from),
                           .text = std::move(m.text),
                           .attributes = std::move(m.attributes),
                           .reply_to = m.act.target,
                           .changed_by = m.changed_by,
                           .deleted = deleted,
                           .file = to_file(m.act)};
    }
    return RoomAct{.room = room,
                   .epoch = epoch,
                   .offset = m.offset,
                   .time = m.time,
                   .id = m.id,
                   .from = std::move(m.from),
                   .act = std::move(m.act),
                   .text = std::move(m.text),
                   .attributes = std::move(m.attributes),
                   .changed_by = m.changed_by};
}

/// The pages of history, and searches, that a client has asked for on this connection.
class ClientPages {
public:
    struct Request {
        RequestId number = 0;
        std::string room;
        Offset offset = 0;
        std::size_t before = 0;
        std::size_t after = 0;
        std::string words{};  ///< Of a search: in the `before` newest that have them.

        bool is_search() const { return !words.empty(); }
    };

    explicit ClientPages(const Limits& limits) : count_max_(limits.pages_per_connection_max) {}

    void ask(Request request) { waiting_.push_back(std::move(request)); }

    /// The next request that may have a stream, or nullptr.
    const Request* next_waiting() const {
        return waiting_.empty() || pages_.size() >= count_max_ ? nullptr : &waiting_.front();
    }

    Request begin(StreamId stream) {
        Request request = std::move(waiting_.front());
        waiting_.pop_front();
        pages_[stream] = {.request = request, .edge = request.is_search() ? request.offset : 0};
        return request;
    }

    bool contains(StreamId stream) const { return pages_.count(stream) != 0; }

    /// `unexpected_frame` for more records than asked for, or in another order than theirs.
    Errc add(StreamId stream, wire::Event m) {
        Page& page = pages_.at(stream);
        const bool is_full = page.records.size() == page.request.before + page.request.after;
        const bool is_next =
            page.request.is_search() ? m.offset < page.edge && m.offset != 0 : m.offset > page.edge;
        if (is_full || !is_next) return Errc::unexpected_frame;
        page.edge = m.offset;
        page.records.push_back(std::move(m));
        return Errc{};
    }

    /// All of a page has come.
    HistoryPage complete(StreamId stream, const wire::HistoryEnd& m) {
        Page& page = pages_.at(stream);
        return {page.request.number,         page.request.room, m.epoch,
                take_records(page, m.epoch), m.reaches_start,   m.reaches_head};
    }

    /// All that a search has found for now. `unexpected_frame` if it is to go on above what it has
    /// found, or where it began: it would never end.
    Result<SearchPage> complete(StreamId stream, const wire::SearchEnd& m) {
        Page& page = pages_.at(stream);
        const bool goes_back = page.records.empty() ? m.next >= page.edge : m.next > page.edge;
        if (m.next != 0 && goes_back) return Errc::unexpected_frame;
        return SearchPage{page.request.number, page.request.room, m.epoch,
                          take_records(page, m.epoch), m.next};
    }

    /// The stream is over. Returns the number of its request.
    RequestId end(StreamId stream) { return pages_.extract(stream).mapped().request.number; }

    void clear() {
        waiting_.clear();
        pages_.clear();
    }

private:
    struct Page {
        Request request;
        Offset edge = 0;  ///< The next record is above it; of a search, below it.
        std::vector<wire::Event> records{};
    };

    static std::vector<RoomRecord> take_records(Page& page, Epoch epoch) {
        std::vector<RoomRecord> records;
        for (wire::Event& event : std::exchange(page.records, {})) {
            records.push_back(to_record(page.request.room, epoch, std::move(event)));
        }
        return records;
    }

    std::size_t count_max_;
    std::deque<Request> waiting_;
    std::map<StreamId, Page> pages_;
};

}  // namespace quicchat

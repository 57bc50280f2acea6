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

/// The pages of history that a client has asked for on this connection.
class ClientPages {
public:
    struct Request {
        RequestId number = 0;
        std::string room;
        Offset offset = 0;
        std::size_t before = 0;
        std::size_t after = 0;
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
        pages_[stream] = {.request = request};
        return request;
    }

    bool contains(StreamId stream) const { return pages_.count(stream) != 0; }

    /// `unexpected_frame` for more records than asked for, or in another order than theirs.
    Errc add(StreamId stream, wire::Event m) {
        Page& page = pages_.at(stream);
        const bool is_full = page.records.size() == page.request.before + page.request.after;
        if (is_full || m.offset <= page.newest) return Errc::unexpected_frame;
        page.newest = m.offset;
        page.records.push_back(std::move(m));
        return Errc{};
    }

    /// All of a page has come.
    HistoryPage complete(StreamId stream, const wire::HistoryEnd& m) {
        Page& page = pages_.at(stream);
        HistoryPage complete{page.request.number, page.request.room, m.epoch, {},
                             m.reaches_start,     m.reaches_head};
        for (wire::Event& event : std::exchange(page.records, {})) {
            complete.records.push_back(to_record(complete.room, m.epoch, std::move(event)));
        }
        return complete;
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
        Offset newest = 0;
        std::vector<wire::Event> records{};
    };

    std::size_t count_max_;
    std::deque<Request> waiting_;
    std::map<StreamId, Page> pages_;
};

}  // namespace quicchat

#pragma once

#include "quicchat/session/client_pages.hpp"

#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/session/act_form.hpp"

namespace quicchat {

QUICCHAT_DECL std::optional<FileInfo> to_file(const Act& act) {
    if (act.kind != Act::Kind::file) return std::nullopt;
    return FileInfo{act.value, act.subject};
}

QUICCHAT_DECL RoomRecord to_record(const std::string& room, Epoch epoch, wire::Event m) {
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

QUICCHAT_DECL ClientPages::ClientPages(const Limits& limits)
    : count_max_(limits.pages_per_connection_max) {}

QUICCHAT_DECL void ClientPages::ask(Request request) { waiting_.push_back(std::move(request)); }

QUICCHAT_DECL const ClientPages::Request* ClientPages::next_waiting() const {
    return waiting_.empty() || pages_.size() >= count_max_ ? nullptr : &waiting_.front();
}

QUICCHAT_DECL ClientPages::Request ClientPages::begin(StreamId stream) {
    Request request = std::move(waiting_.front());
    waiting_.pop_front();
    pages_[stream] = {.request = request, .edge = request.is_search() ? request.offset : 0};
    return request;
}

QUICCHAT_DECL Errc ClientPages::add(StreamId stream, wire::Event m) {
    Page& page = pages_.at(stream);
    const bool is_full = page.records.size() == page.request.before + page.request.after;
    const bool is_next =
        page.request.is_search() ? m.offset < page.edge && m.offset != 0 : m.offset > page.edge;
    if (is_full || !is_next) return Errc::unexpected_frame;
    page.edge = m.offset;
    page.records.push_back(std::move(m));
    return Errc{};
}

QUICCHAT_DECL HistoryPage ClientPages::complete(StreamId stream, const wire::HistoryEnd& m) {
    Page& page = pages_.at(stream);
    return {page.request.number,         page.request.room, m.epoch,
            take_records(page, m.epoch), m.reaches_start,   m.reaches_head};
}

QUICCHAT_DECL Result<SearchPage> ClientPages::complete(StreamId stream, const wire::SearchEnd& m) {
    Page& page = pages_.at(stream);
    const bool goes_back = page.records.empty() ? m.next >= page.edge : m.next > page.edge;
    if (m.next != 0 && goes_back) return Errc::unexpected_frame;
    return SearchPage{page.request.number, page.request.room, m.epoch, take_records(page, m.epoch),
                      m.next};
}

QUICCHAT_DECL RequestId ClientPages::end(StreamId stream) {
    const RequestId request = pages_.at(stream).request.number;
    pages_.erase(stream);
    return request;
}

QUICCHAT_DECL void ClientPages::clear() {
    waiting_.clear();
    pages_.clear();
}

QUICCHAT_DECL std::vector<RoomRecord> ClientPages::take_records(Page& page, Epoch epoch) {
    std::vector<RoomRecord> records;
    for (wire::Event& event : std::exchange(page.records, {})) {
        records.push_back(to_record(page.request.room, epoch, std::move(event)));
    }
    return records;
}

}  // namespace quicchat

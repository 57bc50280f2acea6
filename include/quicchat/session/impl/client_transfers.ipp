#pragma once

#include "quicchat/session/client_transfers.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/base/file_name.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/session/peer_checks.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

QUICCHAT_DECL ClientTransfers::ClientTransfers(const Limits& limits, const ClientStatus& status,
                                               Outbox& outbox, ClientOutput& output)
    : limits_(limits), status_(&status), outbox_(&outbox), output_(&output) {}

QUICCHAT_DECL Result<RequestId> ClientTransfers::send_file(std::string_view room,
                                                           const MessageId& id, FileToSend file) {
    if (status_->over) return Errc::not_ready;
    if (!is_any_room_name(room) || !is_file_name(file.name)) return Errc::invalid_name;
    if (file.digest.size() != digest_bytes_max || file.size > varint_max) {
        return Errc::invalid_request;
    }
    const Errc errc = status_->check({.target = file.reply_to}, file.name, file.attributes);
    if (errc != Errc{}) return errc;
    Transfer transfer{.sends = true, .room = std::string{room}};
    transfer.id = id;
    transfer.file = std::move(file);
    return add(std::move(transfer));
}

QUICCHAT_DECL Errc ClientTransfers::give_file(RequestId request, std::uint64_t offset,
                                              BytesView bytes) {
    const auto found = transfers_.find(request);
    if (found == transfers_.end() || !found->second.asked) return Errc::not_ready;
    Transfer& t = found->second;
    if (offset != t.next) return Errc::not_ready;
    if (bytes.empty() || bytes.size() > wanted_by(t)) return Errc::invalid_request;
    for (std::size_t from = 0; from < bytes.size(); from += limits_.file_chunk_bytes_max) {
        const auto part =
            bytes.subspan(from, std::min(limits_.file_chunk_bytes_max, bytes.size() - from));
        output_->send(*t.stream, wire::FileData{Buffer(part.begin(), part.end())});
    }
    t.next += bytes.size();
    t.asked = false;
    if (t.next == t.file.size) want(request, t);
    return Errc{};
}

QUICCHAT_DECL void ClientTransfers::want_more() {
    for (auto& [request, t] : transfers_) want(request, t);
}

QUICCHAT_DECL Result<RequestId> ClientTransfers::fetch_file(std::string_view room, Offset offset,
                                                            std::uint64_t from) {
    if (status_->over) return Errc::not_ready;
    if (!is_any_room_name(room)) return Errc::invalid_name;
    if (std::max(offset, from) > varint_max) return Errc::invalid_request;
    Transfer transfer{.sends = false, .room = std::string{room}};
    transfer.record = offset;
    transfer.next = from;
    return add(std::move(transfer));
}

QUICCHAT_DECL void ClientTransfers::cancel_file(RequestId request) {
    const auto found = transfers_.find(request);
    if (found == transfers_.end()) return;
    if (found->second.stream) {
        by_stream_[*found->second.stream] = 0;
        resets_.push_back(*found->second.stream);
    }
    outbox_->answers().end(found->second.wait);
    transfers_.erase(found);
}

QUICCHAT_DECL void ClientTransfers::begin_transfer_on(StreamId stream) {
    const auto& [request, waiting] = *next_waiting();
    Transfer& t = transfers_.at(request);
    t.stream = stream;
    by_stream_[stream] = request;
    t.wait = outbox_->answers().begin(request);
    if (t.sends) {
        return output_->send(
            stream, wire::FileOffer{request, t.id, t.room, t.file.name, t.file.size, t.file.digest,
                                    t.file.attributes, t.file.reply_to});
    }
    output_->send(stream, wire::FileRequest{request, t.room, t.record, t.next});
    output_->send_end(stream);
}

QUICCHAT_DECL std::optional<StreamId> ClientTransfers::poll_reset() { return pop_front(resets_); }

QUICCHAT_DECL void ClientTransfers::handle_backlog(StreamId stream, bool full) {
    Transfer* t = find_transfer(stream);
    if (t == nullptr || !t->sends) return;
    t->full = full;
    want(by_stream_.at(stream), *t);
}

QUICCHAT_DECL bool ClientTransfers::is_download(StreamId stream) {
    const Transfer* t = find_transfer(stream);
    return t != nullptr && !t->sends;
}

QUICCHAT_DECL void ClientTransfers::handle_taken(const ClientEvent& event) {
    const auto* chunk = std::get_if<FileChunk>(&event);
    if (chunk != nullptr && !holds_bytes_) release_bytes(chunk->bytes.size());
}

QUICCHAT_DECL void ClientTransfers::release_bytes(std::size_t bytes) {
    unread_bytes_ -= std::min(bytes, unread_bytes_);
}

QUICCHAT_DECL bool ClientTransfers::waits_for_server() const {
    return std::ranges::any_of(by_stream_, [&](const auto& entry) {
        const auto found = transfers_.find(entry.second);
        if (found == transfers_.end() || !found->second.ready) return false;
        const Transfer& t = found->second;
        return t.sends ? t.full : unread_bytes_ < limits_.file_backlog_bytes_max;
    });
}

QUICCHAT_DECL std::optional<NoAnswerYet> ClientTransfers::describe(RequestId request) const {
    const auto found = transfers_.find(request);
    if (found == transfers_.end()) return std::nullopt;
    const Transfer& t = found->second;
    const RequestKind kind = t.sends ? RequestKind::file_sent : RequestKind::file_fetched;
    return NoAnswerYet{.request = request, .kind = kind, .room = t.room};
}

QUICCHAT_DECL Errc ClientTransfers::handle_frame(StreamId stream, Message message) {
    Transfer* t = find_transfer(stream);
    if (t == nullptr) return Errc{};  // answered or cancelled; what still comes is of no use
    const RequestId request = by_stream_.at(stream);
    return match_some(
        std::move(message), Errc::unexpected_frame,
        [&](wire::FileReady&& m) { return on_ready(request, *t, m); },
        [&](wire::Ack&& m) { return on_stored(request, *t, m); },
        [&](wire::FileHead&& m) { return on_head(request, *t, std::move(m)); },
        [&](wire::FileData&& m) { return on_data(request, *t, std::move(m)); },
        [&](wire::Error&& m) { return on_refused(request, *t, std::move(m)); });
}

QUICCHAT_DECL Errc ClientTransfers::handle_stream_end(StreamId stream, bool at_boundary) {
    Transfer* t = find_transfer(stream);
    const RequestId request = by_stream_.at(stream);
    by_stream_.erase(stream);
    if (t == nullptr) return Errc{};
    if (!at_boundary) return Errc::malformed_frame;
    if (t->sends || !t->ready || t->next != t->file.size) return Errc::unexpected_frame;
    output_->report(FileFetched{request, t->room});
    transfers_.erase(request);
    return Errc{};
}

QUICCHAT_DECL void ClientTransfers::handle_disconnected() {
    by_stream_.clear();
    resets_.clear();
    for (auto& [request, t] : transfers_) {
        t.stream.reset();
        t.ready = t.asked = t.full = t.ended = false;
        t.wait = 0;
    }
}

QUICCHAT_DECL Result<RequestId> ClientTransfers::add(Transfer transfer) {
    if (transfers_.size() >= limits_.outbox_messages_max) return Errc::queue_full;
    const RequestId request = outbox_->draw_number();
    transfers_.emplace(request, std::move(transfer));
    return request;
}

QUICCHAT_DECL const ClientTransfers::Map::value_type* ClientTransfers::next_waiting() const {
    std::size_t active[2] = {0, 0};
    for (const auto& [request, t] : transfers_) active[t.sends] += t.stream ? 1 : 0;
    for (const auto& entry : transfers_) {
        const bool may = active[entry.second.sends] < limits_.transfers_per_connection_max;
        if (!entry.second.stream && may) return &entry;
    }
    return nullptr;
}

QUICCHAT_DECL ClientTransfers::Transfer* ClientTransfers::find_transfer(StreamId stream) {
    const auto request = by_stream_.find(stream);
    if (request == by_stream_.end()) return nullptr;
    const auto found = transfers_.find(request->second);
    return found == transfers_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL std::size_t ClientTransfers::wanted_by(const Transfer& t) const {
    constexpr std::size_t chunks = 4;
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(t.file.size - t.next, chunks * limits_.file_chunk_bytes_max));
}

QUICCHAT_DECL void ClientTransfers::want(RequestId request, Transfer& t) {
    if (!t.sends || !t.ready || t.asked) return;
    if (t.next == t.file.size) {
        t.ready = false;
        t.ended = true;
        t.wait = outbox_->answers().begin(request);
        return output_->send_end(*t.stream);
    }
    if (t.full) return;
    t.asked = true;
    output_->report(FileWanted{request, t.room, t.next, wanted_by(t)});
}

QUICCHAT_DECL Errc ClientTransfers::on_ready(RequestId request, Transfer& t,
                                             const wire::FileReady& m) {
    const bool fits = t.sends && !t.ready && !t.ended && m.request == request;
    if (!fits || m.offset > t.file.size) return Errc::unexpected_frame;
    t.next = m.offset;
    t.ready = true;
    outbox_->answers().end(t.wait);
    want(request, t);
    return Errc{};
}

QUICCHAT_DECL Errc ClientTransfers::on_stored(RequestId request, Transfer& t, const wire::Ack& m) {
    if (!t.sends || m.request != request) return Errc::unexpected_frame;
    output_->report(Acked{request, t.id, m.epoch, m.offset, m.durability, m.time});
    finish(request, t);
    return Errc{};
}

QUICCHAT_DECL Errc ClientTransfers::on_head(RequestId request, Transfer& t, wire::FileHead m) {
    if (t.sends || t.ready || m.request != request) return Errc::unexpected_frame;
    const bool is_bad = !is_file_name(m.name) || m.digest.size() != digest_bytes_max;
    if (is_bad || t.next > m.size) return Errc::malformed_frame;
    const bool same = t.file.size == m.size && t.file.digest == m.digest;
    if (t.known && !same) {
        return on_refused(request, t,
                          {request, wire_code(Errc::file_mismatch), 0, 0,
                           "the server has another file there now"});
    }
    t.ready = true;
    outbox_->answers().end(t.wait);
    if (std::exchange(t.known, true)) return Errc{};
    t.file.size = m.size;
    t.file.digest = m.digest;
    output_->report(FileBegun{request, t.room, m.epoch, t.record, std::move(m.name), m.size,
                              std::move(m.digest)});
    return Errc{};
}

QUICCHAT_DECL Errc ClientTransfers::on_data(RequestId request, Transfer& t, wire::FileData m) {
    if (t.sends || !t.ready || m.data.empty()) return Errc::unexpected_frame;
    if (m.data.size() > t.file.size - t.next) return Errc::unexpected_frame;
    const std::uint64_t offset = t.next;
    t.next += m.data.size();
    unread_bytes_ += m.data.size();
    output_->report(FileChunk{request, offset, Bytes{std::move(m.data)}});
    return Errc{};
}

QUICCHAT_DECL Errc ClientTransfers::on_refused(RequestId request, Transfer& t, wire::Error m) {
    if (m.request != request) return Errc::unexpected_frame;
    const Errc errc = output_->report_refused(t.room, std::move(m));
    if (errc == Errc{}) finish(request, t);
    return errc;
}

QUICCHAT_DECL void ClientTransfers::finish(RequestId request, Transfer& t) {
    outbox_->answers().end(t.wait);
    if (t.sends && !t.ended) output_->send_end(*t.stream);
    by_stream_[*t.stream] = 0;
    transfers_.erase(request);
}

}  // namespace quicchat

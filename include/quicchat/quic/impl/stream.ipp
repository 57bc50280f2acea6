#pragma once

#include "quicchat/quic/stream.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL bool Stream::wants_to_send() const {
    return !cut && !closed && (send.unsent() > 0 || (fin_queued && !fin_sent));
}

QUICCHAT_DECL bool Stream::is_spent() const {
    return closed && unconsumed == 0 && !data_noticed && !reset_noticed && !writable_noticed;
}

QUICCHAT_DECL std::vector<Streams::Numbered>::const_iterator Streams::place_of(
    StreamNumber number) const {
    return std::lower_bound(streams_.begin(), streams_.end(), number,
                            [](const Numbered& a, StreamNumber b) { return a.first < b; });
}

QUICCHAT_DECL Stream* Streams::find(StreamNumber number) const {
    const auto place = place_of(number);
    return place != streams_.end() && place->first == number ? place->second.get() : nullptr;
}

QUICCHAT_DECL Stream& Streams::handle_open(StreamNumber number) {
    const auto place = place_of(number);
    if (place != streams_.end() && place->first == number) return *place->second;
    return *streams_.insert(place, {number, std::make_unique<Stream>()})->second;
}

QUICCHAT_DECL void Streams::handle_data(StreamNumber number, BytesView bytes, bool fin) {
    Stream& stream = handle_open(number);
    stream.unconsumed += bytes.size();
    stream.fin_received |= fin;
    if (stream.cut) return;  // credited with the rest when StreamReset is fetched
    append(stream.received, bytes);
    if (std::exchange(stream.data_noticed, true)) return;
    notices_.push_back({Notice::Kind::data, number});
}

QUICCHAT_DECL void Streams::handle_reset(StreamNumber number, std::uint64_t code) {
    Stream* stream = find(number);
    if (stream == nullptr || stream->cut) return;
    stream->cut = true;
    stream->reset_code = code;
    stream->reset_noticed = true;
    notices_.push_back({Notice::Kind::reset, number});
    abandoned_.push_back(number);
}

QUICCHAT_DECL void Streams::hold(Stream& stream, Bytes bytes) {
    count_held(0, bytes.size());
    stream.send.append(std::move(bytes));
}

QUICCHAT_DECL void Streams::handle_sent(Stream& stream, std::size_t bytes, TimePoint now) {
    if (bytes == 0) return;
    stream.send.handle_sent(bytes);
    if (stream.unacknowledged == 0) stream.waits_since = now;
    stream.unacknowledged += bytes;
}

QUICCHAT_DECL void Streams::handle_acknowledged(StreamNumber number, std::uint64_t bytes,
                                                TimePoint now) {
    Stream* stream = find(number);
    if (stream == nullptr) return;
    const std::size_t before = stream->send.held();
    stream->send.handle_acknowledged(bytes);
    count_held(before, stream->send.held());
    stream->unacknowledged -= std::min(bytes, stream->unacknowledged);
    stream->waits_since = now;
}

QUICCHAT_DECL std::optional<TimePoint> Streams::waits_since() const {
    std::optional<TimePoint> since;
    for (const auto& [number, stream] : streams_) {
        const bool waits = stream->unacknowledged > 0 && !stream->cut && !stream->closed;
        if (waits) since = earlier(since, stream->waits_since);
    }
    return since;
}

QUICCHAT_DECL void Streams::handle_closed(StreamNumber number) {
    if (Stream* stream = find(number)) {
        stream->closed = true;
        count_held(stream->send.held(), 0);
        stream->send.clear();
        closed_.push_back(number);
    }
}

QUICCHAT_DECL void Streams::schedule(StreamNumber number, Stream& stream) {
    if (!stream.wants_to_send() || std::exchange(stream.scheduled, true)) return;
    sendable_.push_back(number);
}

QUICCHAT_DECL StreamNumber Streams::next_sendable() {
    while (!sendable_.empty()) {
        const StreamNumber number = sendable_.front();
        sendable_.pop_front();
        Stream* stream = find(number);
        if (stream == nullptr) continue;
        stream->scheduled = false;
        if (stream->wants_to_send()) return number;
    }
    return -1;
}

QUICCHAT_DECL std::size_t Streams::cut(Stream& stream) {
    stream.cut = true;
    stream.reset_noticed = false;
    stream.writable_noticed = false;
    stream.data_noticed = false;
    stream.received = {};
    return std::exchange(stream.unconsumed, 0);
}

QUICCHAT_DECL bool Streams::erase_if_spent(StreamNumber number) {
    const auto place = place_of(number);
    if (place == streams_.end() || place->first != number || !place->second->is_spent()) {
        return false;
    }
    streams_.erase(place);
    return true;
}

QUICCHAT_DECL void Streams::notice(Notice notice) { notices_.push_back(notice); }

QUICCHAT_DECL std::vector<StreamNumber> Streams::take_abandoned() {
    return std::exchange(abandoned_, {});
}

QUICCHAT_DECL std::vector<StreamNumber> Streams::take_closed() {
    return std::exchange(closed_, {});
}

QUICCHAT_DECL void Streams::count_held(std::size_t before, std::size_t after) {
    held_ = held_ - before + after;
    if (held_by_all_ != nullptr) *held_by_all_ = *held_by_all_ - before + after;
}

}  // namespace quicchat::quic

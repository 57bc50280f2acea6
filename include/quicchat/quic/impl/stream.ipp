#pragma once

#include "quicchat/quic/stream.hpp"

#include <algorithm>
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
    // A chat's streams are those that its client opens, one after the other, and most of them stay.
    const auto guess = static_cast<std::size_t>(number) / 4;
    if (guess < streams_.size() && streams_[guess].first == number) {
        return streams_.begin() + static_cast<std::ptrdiff_t>(guess);
    }
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
    auto stream = std::make_unique<Stream>();
    stream->number = number;
    return *streams_.insert(place, {number, std::move(stream)})->second;
}

QUICCHAT_DECL void Streams::handle_data(Stream& stream, BytesView bytes, bool fin) {
    stream.unconsumed += bytes.size();
    stream.fin_received |= fin;
    if (stream.cut) return;  // credited with the rest when StreamReset is fetched
    append(stream.received, bytes);
    if (std::exchange(stream.data_noticed, true)) return;
    notices_.push_back({Notice::Kind::data, stream.number});
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
    if (stream.waits_at == 0) begin_to_wait(stream, now);
    stream.unacknowledged += bytes;
}

QUICCHAT_DECL void Streams::handle_acknowledged(Stream& stream, std::uint64_t bytes,
                                                TimePoint now) {
    const std::size_t before = stream.send.held();
    stream.send.handle_acknowledged(bytes);
    count_held(before, stream.send.held());
    stream.unacknowledged -= std::min(bytes, stream.unacknowledged);
    stream.waits_since = now;
    if (stream.unacknowledged == 0) end_waiting(stream);
}

QUICCHAT_DECL std::optional<TimePoint> Streams::waits_since() const {
    std::optional<TimePoint> since;
    for (const Stream* stream : waiting_) {
        if (!stream->cut) since = earlier(since, stream->waits_since);
    }
    return since;
}

QUICCHAT_DECL void Streams::begin_to_wait(Stream& stream, TimePoint now) {
    stream.waits_since = now;
    waiting_.push_back(&stream);
    stream.waits_at = waiting_.size();
}

QUICCHAT_DECL void Streams::end_waiting(Stream& stream) {
    if (stream.waits_at == 0) return;
    Stream& last = *waiting_.back();
    waiting_[stream.waits_at - 1] = &last;
    last.waits_at = stream.waits_at;
    stream.waits_at = 0;
    waiting_.pop_back();
}

QUICCHAT_DECL void Streams::handle_closed(StreamNumber number) {
    if (Stream* stream = find(number)) {
        stream->closed = true;
        end_waiting(*stream);
        count_held(stream->send.held(), 0);
        stream->send.clear();
        closed_.push_back(number);
    }
}

QUICCHAT_DECL void Streams::schedule(Stream& stream) {
    if (!stream.wants_to_send() || std::exchange(stream.scheduled, true)) return;
    sendable_.push_back(&stream);
}

QUICCHAT_DECL Stream* Streams::next_sendable() {
    while (!sendable_.empty()) {
        Stream* const stream = sendable_.front();
        sendable_.pop_front();
        if (stream == nullptr) continue;
        stream->scheduled = false;
        if (stream->wants_to_send()) return stream;
    }
    return nullptr;
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
    if (place->second->scheduled) {
        Stream* const forgotten = place->second.get();
        std::replace(sendable_.begin(), sendable_.end(), forgotten, static_cast<Stream*>(nullptr));
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

#pragma once

#include "quicchat/session/outbox.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/queue.hpp"

namespace quicchat {

QUICCHAT_DECL Outbox::Outbox(const Limits& limits)
    : count_max_(limits.outbox_messages_max),
      bytes_max_(limits.outbox_bytes_max),
      answers_(limits) {}

QUICCHAT_DECL std::optional<OutboxChange> Outbox::poll_change() { return pop_front(changes_); }

QUICCHAT_DECL bool Outbox::has_room(std::size_t bytes) const {
    return requests_.size() < count_max_ && bytes_ + bytes <= bytes_max_;
}

QUICCHAT_DECL RequestId Outbox::add(Request request) {
    bytes_ += size_of(request);
    report(request, true);
    ++newest_;
    if (request.stream) request.wait = answers_.begin(newest_);
    requests_.emplace(newest_, std::move(request));
    return newest_;
}

QUICCHAT_DECL void Outbox::handle_sent(RequestId number, StreamId stream) {
    Request& request = requests_.at(number);
    request.stream = stream;
    request.wait = answers_.begin(number);
}

QUICCHAT_DECL std::optional<Outbox::Request> Outbox::take(RequestId number, StreamId stream) {
    const auto found = requests_.find(number);
    if (found == requests_.end() || found->second.stream != stream) return std::nullopt;
    return erase(found);
}

QUICCHAT_DECL std::optional<Outbox::Request> Outbox::take(RequestId number, StreamId stream,
                                                          Kind kind) {
    const auto found = requests_.find(number);
    if (found == requests_.end() || found->second.kind != kind) return std::nullopt;
    return take(number, stream);
}

QUICCHAT_DECL std::optional<Outbox::Request> Outbox::take_stored(RequestId number,
                                                                 StreamId stream) {
    std::optional<Request> request = take(number, stream, Kind::message);
    return request ? request : take(number, stream, Kind::creation);
}

QUICCHAT_DECL const Outbox::Request* Outbox::find(RequestId number) const {
    const auto found = requests_.find(number);
    return found == requests_.end() ? nullptr : &found->second;
}

QUICCHAT_DECL void Outbox::handle_disconnected() {
    for (auto& [number, request] : requests_) {
        request.stream.reset();
        request.wait = 0;
    }
    answers_.handle_disconnected();
}

QUICCHAT_DECL std::size_t Outbox::size_of(const Request& request) {
    return request.text.size() + request.attributes.size();
}

QUICCHAT_DECL Outbox::Request Outbox::erase(Requests::iterator place) {
    Request request = std::move(place->second);
    answers_.end(request.wait);
    bytes_ -= size_of(request);
    requests_.erase(place);
    report(request, false);
    return request;
}

QUICCHAT_DECL void Outbox::report(const Request& r, bool keep) {
    if (!reports_ || r.kind != Kind::message) return;
    UnsentMessage message{.room = r.room, .to = r.to, .id = r.id};
    if (keep) message.text = r.text;
    if (keep) message.attributes = r.attributes;
    if (keep) message.act = r.act;
    changes_.push_back({std::move(message), keep});
}

}  // namespace quicchat

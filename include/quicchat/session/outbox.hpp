#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/wire/act.hpp"

namespace quicchat {

/// Bytes that a session wants written, in order.
struct Outgoing {
    StreamId stream;
    Bytes bytes;
    bool fin = false;
};

/// A message without an answer, as a program keeps it over its restarts.
struct UnsentMessage {
    std::string room;  ///< Empty if it is for one person.
    std::string to;    ///< That person.
    MessageId id{};
    std::string text{};
    std::string attributes{};
    Act act{};
};

/// What a program that keeps messages over its restarts has to do: keep one, or forget it.
struct OutboxChange {
    UnsentMessage message;
    bool keep = true;  ///< False: it has its answer.
};

/// What a client asked for and has no answer to yet, over all its connections: messages stay here
/// until they are answered, and are sent again on the next connection. Bounded by
/// `Limits::outbox_messages_max` and `Limits::outbox_bytes_max`.
class Outbox {
public:
    /// `rejoin`: of a room that was joined on an earlier connection. `message`: or another act.
    enum class Kind : std::uint8_t {
        join,
        rejoin,
        message,
        creation,
        members,
        rooms,
        history,
        search,
        profile
    };

    struct Request {
        Kind kind{};
        std::string room{};                ///< Empty: not about a room.
        std::optional<StreamId> stream{};  ///< Where the answer must come; nothing: not sent yet.
        MessageId id{};                    ///< Of a message, like all that follows.
        std::string to{};                  ///< The addressee, if it is for one person.
        std::string text{};
        std::string attributes{};
        Act act{};
    };
    using Requests = std::map<RequestId, Request>;

    explicit Outbox(const Limits& limits)
        : count_max_(limits.outbox_messages_max), bytes_max_(limits.outbox_bytes_max) {}

    /// From now on `poll_change` says what changes.
    void report_changes() { reports_ = true; }
    std::optional<OutboxChange> poll_change() { return pop_front(changes_); }

    /// A number for a request that is kept elsewhere.
    RequestId draw_number() { return ++newest_; }

    bool has_room(std::size_t bytes) const {
        return requests_.size() < count_max_ && bytes_ + bytes <= bytes_max_;
    }

    /// A number for a new request. Ask `has_room` first, except for what other limits bound.
    RequestId add(Request request) {
        bytes_ += size_of(request);
        report(request, true);
        requests_.emplace(++newest_, std::move(request));
        return newest_;
    }

    /// The request that is answered on `stream`, or nothing if none of that number was sent there.
    std::optional<Request> take(RequestId number, StreamId stream) {
        const auto found = requests_.find(number);
        if (found == requests_.end() || found->second.stream != stream) return std::nullopt;
        return erase(found);
    }

    /// The same, for an answer that only requests of one kind have.
    std::optional<Request> take(RequestId number, StreamId stream, Kind kind) {
        const auto found = requests_.find(number);
        if (found == requests_.end() || found->second.kind != kind) return std::nullopt;
        return take(number, stream);
    }

    /// The same, for what the server stores.
    std::optional<Request> take_stored(RequestId number, StreamId stream) {
        std::optional<Request> request = take(number, stream, Kind::message);
        return request ? request : take(number, stream, Kind::creation);
    }

    /// Takes out the requests that `wanted` picks, in the order of asking.
    template <class Predicate>
    std::vector<std::pair<RequestId, Request>> take_if(Predicate wanted) {
        std::vector<std::pair<RequestId, Request>> taken;
        for (auto place = requests_.begin(); place != requests_.end();) {
            const auto next = std::next(place);
            const RequestId number = place->first;
            if (wanted(place->second)) taken.emplace_back(number, erase(place));
            place = next;
        }
        return taken;
    }

    /// The connection is lost: nothing of what is here is on its way any more.
    void handle_disconnected() {
        for (auto& [number, request] : requests_) request.stream.reset();
    }

    /// The requests, in the order of asking.
    Requests& requests() { return requests_; }

    std::size_t size() const { return requests_.size(); }

private:
    static std::size_t size_of(const Request& request) {
        return request.text.size() + request.attributes.size();
    }

    Request erase(Requests::iterator place) {
        Request request = std::move(place->second);
        bytes_ -= size_of(request);
        requests_.erase(place);
        report(request, false);
        return request;
    }

    void report(const Request& r, bool keep) {
        if (!reports_ || r.kind != Kind::message) return;
        UnsentMessage message{.room = r.room, .to = r.to, .id = r.id};
        if (keep) message.text = r.text;
        if (keep) message.attributes = r.attributes;
        if (keep) message.act = r.act;
        changes_.push_back({std::move(message), keep});
    }

    std::size_t count_max_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    RequestId newest_ = 0;
    Requests requests_;
    bool reports_ = false;
    std::deque<OutboxChange> changes_;
};

}  // namespace quicchat

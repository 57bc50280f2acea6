#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {

/// Bytes that a session wants written, in order.
struct Outgoing {
    StreamId stream;
    Bytes bytes;
    bool fin = false;
};

/// What a client asked for and has no answer to yet. Bounded by `Limits::outbox_messages_max` and
/// `Limits::outbox_bytes_max`.
class PendingRequests {
public:
    enum class Kind : std::uint8_t { join, message, members };

    struct Request {
        StreamId stream{};  ///< Where the answer must come.
        Kind kind{};
        std::string room{};  ///< Empty: not about a room.
        MessageId id{};      ///< Of a message.
        std::size_t bytes = 0;
    };

    explicit PendingRequests(const Limits& limits)
        : count_max_(limits.outbox_messages_max), bytes_max_(limits.outbox_bytes_max) {}

    /// A number for a new request, or nothing if too many are waiting.
    std::optional<RequestId> add(Request request) {
        if (requests_.size() >= count_max_ || bytes_ + request.bytes > bytes_max_) {
            return std::nullopt;
        }
        bytes_ += request.bytes;
        requests_.emplace(++newest_, std::move(request));
        return newest_;
    }

    /// The request that is answered on `stream`, or nothing if none of that number was sent there.
    std::optional<Request> take(RequestId number, StreamId stream) {
        const auto found = requests_.find(number);
        if (found == requests_.end() || found->second.stream != stream) return std::nullopt;
        Request request = std::move(found->second);
        bytes_ -= request.bytes;
        requests_.erase(found);
        return request;
    }

    /// The same, for an answer that only requests of one kind have.
    std::optional<Request> take(RequestId number, StreamId stream, Kind kind) {
        const auto found = requests_.find(number);
        if (found == requests_.end() || found->second.kind != kind) return std::nullopt;
        return take(number, stream);
    }

    /// What has no answer when a stream ends, and will have none. In the order of asking.
    std::vector<RequestId> take_all(StreamId stream) {
        std::vector<RequestId> numbers;
        for (const auto& [number, request] : requests_) {
            if (request.stream == stream) numbers.push_back(number);
        }
        for (const RequestId number : numbers) take(number, stream);
        return numbers;
    }

    std::size_t size() const { return requests_.size(); }

private:
    std::size_t count_max_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    RequestId newest_ = 0;
    std::map<RequestId, Request> requests_;
};

}  // namespace quicchat

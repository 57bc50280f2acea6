#pragma once

#include "quicchat/memory/link.hpp"

#include <cassert>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::memory {

QUICCHAT_DECL Link::Link(std::size_t window) : window_(window) {}

QUICCHAT_DECL void Link::write(Bytes bytes, bool fin) {
    assert(!fin_written_);
    fin_written_ = fin;
    backlog_ += bytes.size();
    if (!bytes.empty()) unsent_.push_back(std::move(bytes));
}

QUICCHAT_DECL std::size_t Link::transmit(TimePoint now, TimePoint not_before, std::size_t allowance,
                                         const NetworkConfig& config, Random& random) {
    allowance = std::min(allowance, sendable());
    std::size_t sent = 0;
    while (sent < allowance) {
        const std::size_t most = std::min(config.piece_bytes_max, allowance - sent);
        Bytes bytes = cut(static_cast<std::size_t>(random.draw(1, most)));
        sent += bytes.size();
        depart(now, not_before, std::move(bytes), config, random);
    }
    outstanding_ += sent;
    if (fin_written_ && !fin_sent_ && backlog_ == 0) {
        // Sometimes the end comes with the last bytes, sometimes all alone.
        if (sent == 0 || random.chance(50)) depart(now, not_before, Bytes{}, config, random);
        in_flight_.back().fin = true;
        fin_sent_ = true;
    }
    return sent;
}

QUICCHAT_DECL void Link::credit(std::size_t bytes) {
    assert(bytes <= outstanding_);
    outstanding_ -= bytes;
}

QUICCHAT_DECL void Link::drop_backlog() {
    unsent_.clear();
    backlog_ = 0;
}

QUICCHAT_DECL Piece Link::take() {
    Piece piece = std::move(in_flight_.front());
    in_flight_.pop_front();
    unconsumed_ += piece.bytes.size();
    return piece;
}

QUICCHAT_DECL void Link::drop_in_flight() { in_flight_.clear(); }

QUICCHAT_DECL std::size_t Link::consume(std::size_t bytes) {
    bytes = std::min(bytes, unconsumed_);
    unconsumed_ -= bytes;
    return bytes;
}

QUICCHAT_DECL Bytes Link::cut(std::size_t length) {
    backlog_ -= length;
    Bytes& front = unsent_.front();
    if (length < front.size()) {
        Bytes piece = front.first(length);
        front = front.from(length);
        return piece;
    }
    if (length == front.size()) {
        Bytes piece = std::move(front);
        unsent_.pop_front();
        return piece;
    }
    Buffer joined;
    joined.reserve(length);
    while (joined.size() < length) {
        Bytes& next = unsent_.front();
        const std::size_t part = std::min(next.size(), length - joined.size());
        append(joined, next.view().first(part));
        if (part == next.size()) {
            unsent_.pop_front();
        } else {
            next = next.from(part);
        }
    }
    return Bytes{std::move(joined)};
}

QUICCHAT_DECL void Link::depart(TimePoint now, TimePoint not_before, Bytes bytes,
                                const NetworkConfig& config, Random& random) {
    const Duration delay{static_cast<Duration::rep>(
        random.draw(static_cast<std::uint64_t>(config.delay_min.count()),
                    static_cast<std::uint64_t>(config.delay_max.count())))};
    // A stream never reorders, so no piece overtakes the one before it.
    last_arrival_ = std::max({last_arrival_, not_before, now + delay});
    in_flight_.push_back(Piece{last_arrival_, std::move(bytes)});
}

}  // namespace quicchat::memory

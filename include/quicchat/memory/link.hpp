#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/memory/config.hpp"
#include "quicchat/memory/random.hpp"

namespace quicchat::memory {

/// A part of a stream on its way.
struct Piece {
    TimePoint arrival;  ///< When it is at the receiver's end.
    Bytes bytes;        ///< Empty only if it brings nothing but the end of the stream.
    bool fin = false;   ///< Nothing follows on this stream.
};

/// One direction of one stream: ordered and reliable like QUIC, but as unkind as QUIC may be. What
/// is written waits in the backlog until `transmit` cuts it into pieces, each with a delay of its
/// own, as far as the receiver's window permits.
class Link {
public:
    /// The receiver takes `window` bytes beyond what it consumed.
    explicit Link(std::size_t window);

    // The sender's end.

    /// Appends to the backlog. Nothing may be written after `fin`.
    void write(Bytes bytes, bool fin);

    /// Puts up to `allowance` bytes on the wire and returns how many. None of them arrives before
    /// `not_before`. The end of the stream travels as soon as the backlog is empty.
    std::size_t transmit(TimePoint now, TimePoint not_before, std::size_t allowance,
                         const NetworkConfig& config, Random& random);

    /// The receiver consumed `bytes`: so much more may be sent.
    void credit(std::size_t bytes);

    /// Abandons what was not sent yet.
    void drop_backlog();

    /// Bytes that were written and not put on the wire.
    std::size_t backlog() const { return backlog_; }
    /// How much of the backlog the window lets through now.
    std::size_t sendable() const { return std::min(backlog_, window_ - outstanding_); }
    /// Sent, and not known to be consumed.
    std::size_t outstanding() const { return outstanding_; }
    /// Nothing more may be written.
    bool fin_written() const { return fin_written_; }
    /// The end of the stream is on the wire, or has arrived.
    bool fin_sent() const { return fin_sent_; }

    // The wire.

    /// The piece that arrives next, or nullptr.
    const Piece* front() const { return in_flight_.empty() ? nullptr : &in_flight_.front(); }

    /// Takes the next piece off the wire: it has arrived.
    Piece take();

    /// Forgets what is on the wire: it never arrives.
    void drop_in_flight();

    /// A stalled link delivers nothing, until it is resumed.
    void stall(bool stalled) { stalled_ = stalled; }
    /// Whether it delivers nothing now.
    bool stalled() const { return stalled_; }

    // The receiver's end.

    /// Notes that the application is done with `bytes`; returns how many of them had arrived and
    /// were not consumed before.
    std::size_t consume(std::size_t bytes);

    /// Bytes that have arrived and that the application is not done with.
    std::size_t unconsumed() const { return unconsumed_; }

private:
    /// Removes `length` bytes from the front of the backlog, across the borders of writes, so that
    /// nobody relies on them.
    Bytes cut(std::size_t length);

    void depart(TimePoint now, TimePoint not_before, Bytes bytes, const NetworkConfig& config,
                Random& random);

    std::size_t window_;
    std::deque<Bytes> unsent_{};
    std::deque<Piece> in_flight_{};
    std::size_t backlog_ = 0;      // bytes in unsent_
    std::size_t outstanding_ = 0;  // never above window_
    std::size_t unconsumed_ = 0;   // arrived; part of outstanding_
    TimePoint last_arrival_{};
    bool fin_written_ = false;
    bool fin_sent_ = false;
    bool stalled_ = false;
};

}  // namespace quicchat::memory

#ifndef QUICCHAT_COMPILED
#include "quicchat/memory/impl/link.ipp"
#endif

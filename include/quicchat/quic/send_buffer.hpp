#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/queue.hpp"

namespace quicchat::quic {

/// The outgoing bytes of one stream, from `append` until the peer has acknowledged them. Holds
/// references, never copies: ngtcp2 reads from the same memory when it retransmits.
class SendBuffer {
public:
    /// Behind all others, by reference. An empty piece is not kept.
    void append(Bytes bytes);

    /// Shows the next unsent bytes to a function of a BytesView: so many pieces at most, and none
    /// more once these have `enough` bytes. Returns how many bytes that were.
    template <class Look>
    std::size_t show(std::size_t pieces_max, std::size_t enough, Look&& look) const {
        std::size_t bytes = 0;
        std::size_t offset = unsent_offset_;
        const std::size_t end = std::min(pieces_.size(), unsent_piece_ + pieces_max);
        for (std::size_t i = unsent_piece_; i < end && bytes < enough; ++i) {
            const BytesView piece = pieces_[i].view().subspan(offset);
            bytes += piece.size();
            offset = 0;
            look(piece);
        }
        return bytes;
    }

    /// The transport took that many of the bytes that `show` showed.
    void handle_sent(std::size_t bytes);

    /// The peer acknowledged the next `bytes` bytes. Pieces that are complete are let go.
    void handle_acknowledged(std::uint64_t bytes);

    /// Something will be appended soon.
    void look_ahead() const { __builtin_prefetch(pieces_.memory()); }

    /// Bytes that were never sent.
    std::size_t unsent() const { return unsent_bytes_; }
    /// Bytes of all pieces that are still referenced.
    std::size_t held() const { return held_bytes_; }
    /// Pieces that are still referenced.
    std::size_t pieces() const { return pieces_.size(); }

    /// Lets everything go. Only when the transport will not read from it again.
    void clear() { *this = SendBuffer{}; }

private:
    Queue<Bytes> pieces_;
    std::size_t unsent_piece_ = 0;   ///< The piece that `show` begins with,
    std::size_t unsent_offset_ = 0;  ///< and where in it.
    std::size_t unsent_bytes_ = 0;
    std::size_t held_bytes_ = 0;
    std::size_t acknowledged_offset_ = 0;  ///< Acknowledged bytes of the first piece.
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/send_buffer.ipp"
#endif

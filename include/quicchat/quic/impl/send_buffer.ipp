#pragma once

#include "quicchat/quic/send_buffer.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void SendBuffer::append(Bytes bytes) {
    if (bytes.empty()) return;
    unsent_bytes_ += bytes.size();
    held_bytes_ += bytes.size();
    pieces_.push_back(std::move(bytes));
}

QUICCHAT_DECL void SendBuffer::handle_sent(std::size_t bytes) {
    bytes = std::min(bytes, unsent_bytes_);
    unsent_bytes_ -= bytes;
    while (bytes > 0) {
        const std::size_t rest = pieces_[unsent_piece_].size() - unsent_offset_;
        if (bytes < rest) {
            unsent_offset_ += bytes;
            return;
        }
        bytes -= rest;
        ++unsent_piece_;
        unsent_offset_ = 0;
    }
}

QUICCHAT_DECL void SendBuffer::handle_acknowledged(std::uint64_t bytes) {
    acknowledged_offset_ += static_cast<std::size_t>(bytes);
    while (unsent_piece_ > 0 && acknowledged_offset_ >= pieces_.front().size()) {
        acknowledged_offset_ -= pieces_.front().size();
        held_bytes_ -= pieces_.front().size();
        pieces_.pop_front();
        --unsent_piece_;
    }
}

}  // namespace quicchat::quic

#pragma once

#include <array>
#include <cstddef>

#include <ngtcp2/ngtcp2.h>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

/// The memory that the connections of an endpoint take from for packets under way, frames and
/// acknowledgements. What one gives back is what the next one gets, so it is still in the
/// processor's cache, and no connection keeps any for later. Not thread-safe, as an endpoint is
/// not; must outlive its connections.
class ConnectionMemory {
public:
    /// Bytes of what is kept for the next one; larger pieces are the C library's own affair.
    static constexpr std::size_t piece_bytes_max = 504;
    /// Bytes that are kept of each size, of which there are 31. None where AddressSanitizer
    /// watches.
    static constexpr std::size_t kept_bytes_max = QUICCHAT_ADDRESS_SANITIZER ? 0 : 512 * 1024;

    ConnectionMemory();
    ~ConnectionMemory();

    ConnectionMemory(const ConnectionMemory&) = delete;
    ConnectionMemory& operator=(const ConnectionMemory&) = delete;

    /// For ngtcp2_conn_client_new and ngtcp2_conn_server_new.
    const ngtcp2_mem* get() const { return &functions_; }

    /// Bytes that nobody has.
    std::size_t kept_bytes() const;

private:
    /// A piece that nobody has.
    struct Piece {
        Piece* next;
    };

    /// Pieces of one size.
    struct Pieces {
        Piece* first = nullptr;
        std::size_t count = 0;
    };

    static constexpr std::size_t size_step = 16;

    /// Pieces of size class `i` have this many bytes, what malloc would give in any case.
    static constexpr std::size_t bytes_of(std::size_t i) { return (i + 2) * size_step - 8; }
    static constexpr std::size_t class_count = (piece_bytes_max + 8) / size_step - 1;

    void* take(std::size_t bytes);
    void give_back(void* memory);

    ngtcp2_mem functions_{};
    std::array<Pieces, class_count> pieces_{};
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/connection_memory.ipp"
#endif

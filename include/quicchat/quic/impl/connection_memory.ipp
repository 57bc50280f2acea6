#pragma once

#include "quicchat/quic/connection_memory.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace quicchat::quic {

QUICCHAT_DECL ConnectionMemory::ConnectionMemory() {
    functions_.user_data = this;
    functions_.malloc = [](std::size_t bytes, void* self) {
        return static_cast<ConnectionMemory*>(self)->take(bytes);
    };
    functions_.free = [](void* memory, void* self) {
        static_cast<ConnectionMemory*>(self)->give_back(memory);
    };
    functions_.calloc = [](std::size_t count, std::size_t bytes, void* self) -> void* {
        if (bytes == 0 || count > piece_bytes_max / bytes) return std::calloc(count, bytes);
        void* memory = static_cast<ConnectionMemory*>(self)->take(count * bytes);
        return memory == nullptr ? nullptr : std::memset(memory, 0, count * bytes);
    };
    // A piece is memory of malloc's, whoever had it.
    functions_.realloc = [](void* memory, std::size_t bytes, void*) {
        return std::realloc(memory, bytes);
    };
}

QUICCHAT_DECL ConnectionMemory::~ConnectionMemory() {
    for (Pieces& pieces : pieces_) {
        while (pieces.first != nullptr) {
            std::free(std::exchange(pieces.first, pieces.first->next));
        }
    }
}

QUICCHAT_DECL std::size_t ConnectionMemory::kept_bytes() const {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < class_count; ++i) bytes += pieces_[i].count * bytes_of(i);
    return bytes;
}

QUICCHAT_DECL void* ConnectionMemory::take(std::size_t bytes) {
    if (bytes > piece_bytes_max) return std::malloc(bytes);
    const std::size_t i = bytes <= bytes_of(0) ? 0 : (bytes + 8 + size_step - 1) / size_step - 2;
    Pieces& pieces = pieces_[i];
    if (pieces.first == nullptr) return std::malloc(bytes_of(i));
    --pieces.count;
    return std::exchange(pieces.first, pieces.first->next);
}

QUICCHAT_DECL void ConnectionMemory::give_back(void* memory) {
    std::size_t bytes = 0;
#ifdef __GLIBC__
    bytes = malloc_usable_size(memory);
#endif
    // Where nobody says how large a piece is, none is kept.
    if (bytes < bytes_of(0) || bytes > piece_bytes_max) return std::free(memory);
    const std::size_t i = (bytes + 8) / size_step - 2;
    Pieces& pieces = pieces_[i];
    if (pieces.count * bytes_of(i) >= kept_bytes_max) return std::free(memory);
    ++pieces.count;
    pieces.first = ::new (memory) Piece{pieces.first};
}

}  // namespace quicchat::quic

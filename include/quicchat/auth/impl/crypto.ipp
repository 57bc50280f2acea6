#pragma once

#include "quicchat/auth/crypto.hpp"

#include <cstring>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL void secure_wipe(std::span<std::byte> memory) {
    if (memory.empty()) return;
    std::memset(memory.data(), 0, memory.size());
    // Without a reader, memset before the end of an object's life is a dead store. This claims one.
    asm volatile("" : : "r"(memory.data()) : "memory");
}

QUICCHAT_DECL bool equal_in_constant_time(BytesView a, BytesView b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= std::to_integer<unsigned>(a[i] ^ b[i]);
        // Hides the value, or else the compiler may leave the loop as soon as all bits are set.
        asm volatile("" : "+r"(difference));
    }
    return difference == 0;
}

QUICCHAT_DECL Secret::Secret(BytesView bytes) : bytes_(bytes.begin(), bytes.end()) {}

QUICCHAT_DECL Secret::Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

QUICCHAT_DECL Secret& Secret::operator=(Secret other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
}

QUICCHAT_DECL void Secret::wipe() {
    secure_wipe(bytes_);
    bytes_.clear();
}

}  // namespace quicchat

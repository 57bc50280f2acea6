#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "quicchat/base/bytes.hpp"

namespace quicchat {

/// A SHA-256 hash, or a key of that length.
using Digest = std::array<std::byte, 32>;

/// What a login needs of a cryptographic library. `quic::WolfCrypto` models it.
///
/// Beyond the signatures a model promises that
///  - its functions do not fail: where a result cannot be computed, the process ends. A made-up
///    result would be a key that an attacker can guess;
///  - `pbkdf2_hmac_sha256` gives one block, the Hi() of RFC 5802 §2.2;
///  - it keeps no copy of what it was given.
///
/// Randomness is no part of it: nonces and salts are arguments, so that everything can be replayed.
template <class C>
concept ScramCrypto = requires(BytesView bytes, std::uint32_t iterations) {
    { C::sha256(bytes) } -> std::same_as<Digest>;
    { C::hmac_sha256(bytes, bytes) } -> std::same_as<Digest>;
    { C::pbkdf2_hmac_sha256(bytes, bytes, iterations) } -> std::same_as<Digest>;
};

/// Overwrites a secret that is no longer needed. The compiler may not drop it.
inline void secure_wipe(std::span<std::byte> memory) {
    if (memory.empty()) return;
    std::memset(memory.data(), 0, memory.size());
    // Without a reader, memset before the end of an object's life is a dead store. This claims one.
    asm volatile("" : : "r"(memory.data()) : "memory");
}

/// Compares secrets: the time depends on the sizes, which are public, and not on the content.
inline bool equal_in_constant_time(BytesView a, BytesView b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= std::to_integer<unsigned>(a[i] ^ b[i]);
        // Hides the value, or else the compiler may leave the loop as soon as all bits are set.
        asm volatile("" : "+r"(difference));
    }
    return difference == 0;
}

/// Owns secret bytes and wipes them when it ends. Moving leaves no copy behind.
class Secret {
public:
    Secret() = default;
    explicit Secret(BytesView bytes) : bytes_(bytes.begin(), bytes.end()) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Secret& operator=(Secret other) noexcept {
        bytes_.swap(other.bytes_);
        return *this;
    }
    ~Secret() { wipe(); }

    BytesView view() const { return bytes_; }
    bool empty() const { return bytes_.empty(); }

    /// Forgets the secret now.
    void wipe() {
        secure_wipe(bytes_);
        bytes_.clear();
    }

private:
    Buffer bytes_;  // never grows, so no copy is left in memory that was given back
};

}  // namespace quicchat

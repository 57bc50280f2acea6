#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

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
QUICCHAT_DECL void secure_wipe(std::span<std::byte> memory);

/// Compares secrets: the time depends on the sizes, which are public, and not on the content.
QUICCHAT_DECL bool equal_in_constant_time(BytesView a, BytesView b);

/// Owns secret bytes and wipes them when it ends. Moving leaves no copy behind.
class Secret {
public:
    Secret() = default;
    /// Copies them; who calls wipes the original.
    explicit Secret(BytesView bytes);
    /// A second copy, which is wiped when that one ends.
    Secret(const Secret&) = default;
    /// Leaves the other one without a secret.
    Secret(Secret&& other) noexcept;
    /// What this had is wiped. One that was copied from keeps its secret, one that was moved from
    /// has none.
    Secret& operator=(Secret other) noexcept;

    ~Secret() { wipe(); }

    /// Good until this ends, or is moved from, wiped or assigned to.
    BytesView view() const { return bytes_; }
    /// True also once it was wiped or moved from.
    bool empty() const { return bytes_.empty(); }

    /// Forgets the secret now.
    void wipe();

private:
    Buffer bytes_;  // never grows, so no copy is left in memory that was given back
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/crypto.ipp"
#endif

#pragma once

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/pwdbased.h>
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/entropy.hpp"

namespace quicchat::quic {
namespace detail {

/// Ends the process. With sizes that are checked before, wolfCrypt fails for want of memory only.
[[noreturn]] QUICCHAT_DECL void crypto_failed(const char* what);

QUICCHAT_DECL const byte* wolf_bytes(BytesView bytes);

inline byte* wolf_output(Digest& digest) { return reinterpret_cast<byte*>(digest.data()); }

}  // namespace detail

/// SHA-256, HMAC and PBKDF2 of wolfCrypt. Models ScramCrypto.
struct WolfCrypto {
    /// Ends the process where it fails, as the others do.
    static Digest sha256(BytesView data);

    /// SHA-256 of what comes in pieces.
    class Hash {
    public:
        Hash();
        Hash(const Hash&) = delete;
        Hash& operator=(const Hash&) = delete;
        ~Hash();

        /// Any number of pieces, then the end, once.
        /// @{
        void update(BytesView data);
        Digest finish();
        /// @}

    private:
        wc_Sha256 state_;
    };

    /// RFC 2104.
    static Digest hmac_sha256(BytesView key, BytesView data);

    /// RFC 8018 §5.2, one block of it.
    static Digest pbkdf2_hmac_sha256(BytesView password, BytesView salt, std::uint32_t iterations);
};

static_assert(ScramCrypto<WolfCrypto>);
/// Random bytes of the kernel: for salts, nonces and secrets. Ends the process if there are none,
/// because everything made of other bytes could be guessed.
QUICCHAT_DECL void fill_random(std::span<std::byte> bytes);

/// The Entropy of real programs.
QUICCHAT_DECL Entropy system_entropy();

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/wolf_crypto.ipp"
#endif

#pragma once

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/pwdbased.h>
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <sys/random.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/scram_login.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/entropy.hpp"

namespace quicchat::quic {
namespace detail {

/// Ends the process. With sizes that are checked before, wolfCrypt fails for want of memory only.
[[noreturn]] inline void crypto_failed(const char* what) {
    std::fprintf(stderr, "quicchat: %s failed; aborting\n", what);
    std::abort();
}

inline const byte* wolf_bytes(BytesView bytes) {
    return reinterpret_cast<const byte*>(bytes.data());
}

inline byte* wolf_output(Digest& digest) { return reinterpret_cast<byte*>(digest.data()); }

}  // namespace detail

/// SHA-256, HMAC and PBKDF2 of wolfCrypt. Models ScramCrypto.
struct WolfCrypto {
    static Digest sha256(BytesView data) {
        Digest digest;
        if (wc_Sha256Hash(detail::wolf_bytes(data), static_cast<word32>(data.size()),
                          detail::wolf_output(digest)) != 0) {
            detail::crypto_failed("SHA-256");
        }
        return digest;
    }

    /// SHA-256 of what comes in pieces.
    class Hash {
    public:
        Hash() {
            if (wc_InitSha256(&state_) != 0) detail::crypto_failed("SHA-256");
        }
        Hash(const Hash&) = delete;
        Hash& operator=(const Hash&) = delete;
        ~Hash() { wc_Sha256Free(&state_); }

        void update(BytesView data) {
            if (wc_Sha256Update(&state_, detail::wolf_bytes(data),
                                static_cast<word32>(data.size())) != 0) {
                detail::crypto_failed("SHA-256");
            }
        }
        Digest finish() {
            Digest digest;
            if (wc_Sha256Final(&state_, detail::wolf_output(digest)) != 0) {
                detail::crypto_failed("SHA-256");
            }
            return digest;
        }

    private:
        wc_Sha256 state_;
    };

    static Digest hmac_sha256(BytesView key, BytesView data) {
        Hmac hmac;
        if (wc_HmacInit(&hmac, nullptr, INVALID_DEVID) != 0) detail::crypto_failed("HMAC");
        Digest digest;
        const bool done =
            wc_HmacSetKey(&hmac, WC_SHA256, detail::wolf_bytes(key),
                          static_cast<word32>(key.size())) == 0 &&
            wc_HmacUpdate(&hmac, detail::wolf_bytes(data), static_cast<word32>(data.size())) == 0 &&
            wc_HmacFinal(&hmac, detail::wolf_output(digest)) == 0;
        wc_HmacFree(&hmac);
        if (!done) detail::crypto_failed("HMAC");
        return digest;
    }

    static Digest pbkdf2_hmac_sha256(BytesView password, BytesView salt, std::uint32_t iterations) {
        Digest digest;
        if (wc_PBKDF2(detail::wolf_output(digest), detail::wolf_bytes(password),
                      static_cast<int>(password.size()), detail::wolf_bytes(salt),
                      static_cast<int>(salt.size()), static_cast<int>(iterations),
                      static_cast<int>(digest.size()), WC_SHA256) != 0) {
            detail::crypto_failed("PBKDF2");
        }
        return digest;
    }
};

static_assert(ScramCrypto<WolfCrypto>);
/// Random bytes of the kernel: for salts, nonces and secrets. Ends the process if there are none,
/// because everything made of other bytes could be guessed.
inline void fill_random(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) detail::crypto_failed("getrandom");
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

/// The Entropy of real programs.
inline Entropy system_entropy() {
    return Entropy{[](std::uint64_t&, std::span<std::byte> bytes) { fill_random(bytes); }};
}

}  // namespace quicchat::quic

#pragma once

#include "quicchat/quic/wolf_crypto.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "quicchat/auth/scram_login.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat::quic::detail {

QUICCHAT_DECL void crypto_failed(const char* what) {
    std::fprintf(stderr, "quicchat: %s failed; aborting\n", what);
    std::abort();
}

QUICCHAT_DECL const byte* wolf_bytes(BytesView bytes) {
    return reinterpret_cast<const byte*>(bytes.data());
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_DECL Digest WolfCrypto::sha256(BytesView data) {
    Digest digest;
    if (wc_Sha256Hash(detail::wolf_bytes(data), static_cast<word32>(data.size()),
                      detail::wolf_output(digest)) != 0) {
        detail::crypto_failed("SHA-256");
    }
    return digest;
}

QUICCHAT_DECL WolfCrypto::Hash::Hash() {
    if (wc_InitSha256(&state_) != 0) detail::crypto_failed("SHA-256");
}

QUICCHAT_DECL WolfCrypto::Hash::~Hash() { wc_Sha256Free(&state_); }

QUICCHAT_DECL void WolfCrypto::Hash::update(BytesView data) {
    if (wc_Sha256Update(&state_, detail::wolf_bytes(data), static_cast<word32>(data.size())) != 0) {
        detail::crypto_failed("SHA-256");
    }
}

QUICCHAT_DECL Digest WolfCrypto::Hash::finish() {
    Digest digest;
    if (wc_Sha256Final(&state_, detail::wolf_output(digest)) != 0) {
        detail::crypto_failed("SHA-256");
    }
    return digest;
}

QUICCHAT_DECL Digest WolfCrypto::hmac_sha256(BytesView key, BytesView data) {
    Hmac hmac;
    if (wc_HmacInit(&hmac, nullptr, INVALID_DEVID) != 0) detail::crypto_failed("HMAC");
    Digest digest;
    const bool done =
        wc_HmacSetKey(&hmac, WC_SHA256, detail::wolf_bytes(key), static_cast<word32>(key.size())) ==
            0 &&
        wc_HmacUpdate(&hmac, detail::wolf_bytes(data), static_cast<word32>(data.size())) == 0 &&
        wc_HmacFinal(&hmac, detail::wolf_output(digest)) == 0;
    wc_HmacFree(&hmac);
    if (!done) detail::crypto_failed("HMAC");
    return digest;
}

QUICCHAT_DECL Digest WolfCrypto::pbkdf2_hmac_sha256(BytesView password, BytesView salt,
                                                    std::uint32_t iterations) {
    Digest digest;
    if (wc_PBKDF2(detail::wolf_output(digest), detail::wolf_bytes(password),
                  static_cast<int>(password.size()), detail::wolf_bytes(salt),
                  static_cast<int>(salt.size()), static_cast<int>(iterations),
                  static_cast<int>(digest.size()), WC_SHA256) != 0) {
        detail::crypto_failed("PBKDF2");
    }
    return digest;
}

QUICCHAT_DECL void fill_random(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) detail::crypto_failed("getrandom");
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

QUICCHAT_DECL Entropy system_entropy() {
    return Entropy{[](std::uint64_t&, std::span<std::byte> bytes) { fill_random(bytes); }};
}

}  // namespace quicchat::quic

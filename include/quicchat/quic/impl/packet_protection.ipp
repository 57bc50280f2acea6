#pragma once

#include "quicchat/quic/packet_protection.hpp"

#include <wolfssl/options.h>

#include <wolfssl/openssl/evp.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha.h>

#include <algorithm>
#include <array>
#include <utility>

#include "quicchat/quic/packet_keys.hpp"

namespace quicchat::quic {

namespace detail {

inline constexpr std::size_t tag_bytes = 16;

/// The key of a context, if it is one of AES: ours, or the helper's in this mode.
inline Aes* aes_of(void* context, bool gcm) {
    if (kind_of(context) == KeyKind::aes) return key_of<Aes>(context);
    if (kind_of(context) == KeyKind::next_aes) {
        NextAes& key = *key_of<NextAes>(context);
        return key.aes != nullptr ? key.aes.get() : first_use_of(key);
    }
    if (kind_of(context) == KeyKind::chacha) return nullptr;
    auto* evp = static_cast<WOLFSSL_EVP_CIPHER_CTX*>(context);
    const auto type = evp->cipherType;
    const bool matches = gcm ? type == WC_AES_128_GCM_TYPE || type == WC_AES_256_GCM_TYPE
                             : type == WC_AES_128_ECB_TYPE || type == WC_AES_256_ECB_TYPE;
    return matches ? &evp->cipher.aes : nullptr;
}

/// The key of a context, if it is one of ours for ChaCha20.
inline ChaChaKey* chacha_of(void* context) {
    return kind_of(context) == KeyKind::chacha ? key_of<ChaChaKey>(context) : nullptr;
}

/// RFC 9001 §5.4.4: the sample is a counter, in the order of little endian, and a nonce.
inline int mask_by_chacha(std::uint8_t* mask, const ChaChaKey& key, const std::uint8_t* sample) {
    ChaCha state;
    const word32 counter = word32{sample[0]} | word32{sample[1]} << 8 | word32{sample[2]} << 16 |
                           word32{sample[3]} << 24;
    constexpr std::array<std::uint8_t, NGTCP2_HP_MASKLEN> zeros{};
    const bool done =
        wc_Chacha_SetKey(&state, key.octets.data(), static_cast<word32>(key.octets.size())) == 0 &&
        wc_Chacha_SetIV(&state, sample + sizeof counter, counter) == 0 &&
        wc_Chacha_Process(&state, mask, zeros.data(), static_cast<word32>(zeros.size())) == 0;
    wipe(&state, sizeof state);
    return done ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

inline thread_local ShortNumber opened_number{};

/// `header` is without its protection: the number is its end, and its first byte has the length.
inline void note_opened(const std::uint8_t* header, std::size_t header_bytes) {
    const std::size_t count = (header[0] & 0x03U) + 1;
    if (header_bytes <= count) return;
    ShortNumber number{};
    for (std::size_t i = header_bytes - count; i < header_bytes; ++i) {
        number.bits = number.bits << 8 | header[i];
        number.mask = number.mask << 8 | 0xff;
    }
    opened_number = number;
}

}  // namespace detail

QUICCHAT_DECL ShortNumber take_opened_number() noexcept {
    return std::exchange(detail::opened_number, {});
}

QUICCHAT_DECL int encrypt_packet(std::uint8_t* sealed, const ngtcp2_crypto_aead* aead,
                                 const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* plain,
                                 std::size_t plain_bytes, const std::uint8_t* nonce,
                                 std::size_t nonce_bytes, const std::uint8_t* header,
                                 std::size_t header_bytes) noexcept {
    int error = NGTCP2_ERR_CALLBACK_FAILURE;
    if (Aes* const aes = detail::aes_of(context->native_handle, true)) {
        error = wc_AesGcmEncrypt(aes, sealed, plain, static_cast<word32>(plain_bytes), nonce,
                                 static_cast<word32>(nonce_bytes), sealed + plain_bytes,
                                 detail::tag_bytes, header, static_cast<word32>(header_bytes));
    } else if (const auto* const key = detail::chacha_of(context->native_handle)) {
        error = wc_ChaCha20Poly1305_Encrypt(
            key->octets.data(), nonce, header, static_cast<word32>(header_bytes), plain,
            static_cast<word32>(plain_bytes), sealed, sealed + plain_bytes);
    } else if (detail::kind_of(context->native_handle) == detail::KeyKind::helpers) {
        error = ngtcp2_crypto_encrypt_cb(sealed, aead, context, plain, plain_bytes, nonce,
                                         nonce_bytes, header, header_bytes);
    }
    return error == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

QUICCHAT_DECL int decrypt_packet(std::uint8_t* plain, const ngtcp2_crypto_aead* aead,
                                 const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* sealed,
                                 std::size_t sealed_bytes, const std::uint8_t* nonce,
                                 std::size_t nonce_bytes, const std::uint8_t* header,
                                 std::size_t header_bytes) noexcept {
    if (sealed_bytes < detail::tag_bytes) return NGTCP2_ERR_DECRYPT;
    const std::size_t bytes = sealed_bytes - detail::tag_bytes;
    int error = NGTCP2_ERR_DECRYPT;
    if (Aes* const aes = detail::aes_of(context->native_handle, true)) {
        error = wc_AesGcmDecrypt(aes, plain, sealed, static_cast<word32>(bytes), nonce,
                                 static_cast<word32>(nonce_bytes), sealed + bytes,
                                 detail::tag_bytes, header, static_cast<word32>(header_bytes));
    } else if (const auto* const key = detail::chacha_of(context->native_handle)) {
        error = wc_ChaCha20Poly1305_Decrypt(key->octets.data(), nonce, header,
                                            static_cast<word32>(header_bytes), sealed,
                                            static_cast<word32>(bytes), sealed + bytes, plain);
    } else if (detail::kind_of(context->native_handle) == detail::KeyKind::helpers) {
        error = ngtcp2_crypto_decrypt_cb(plain, aead, context, sealed, sealed_bytes, nonce,
                                         nonce_bytes, header, header_bytes);
    }
    if (error != 0) return NGTCP2_ERR_DECRYPT;
    detail::note_opened(header, header_bytes);
    return 0;
}

QUICCHAT_DECL int mask_header(std::uint8_t* mask, const ngtcp2_crypto_cipher* cipher,
                              const ngtcp2_crypto_cipher_ctx* context,
                              const std::uint8_t* sample) noexcept {
    Aes* const aes = detail::aes_of(context->native_handle, false);
    if (const auto* const key = detail::chacha_of(context->native_handle)) {
        return detail::mask_by_chacha(mask, *key, sample);
    }
    if (aes == nullptr) return ngtcp2_crypto_hp_mask_cb(mask, cipher, context, sample);
    // With AES-NI wolfCrypt allocates for blocks that are not aligned.
    alignas(16) std::array<std::uint8_t, WC_AES_BLOCK_SIZE> in;
    alignas(16) std::array<std::uint8_t, WC_AES_BLOCK_SIZE> out;
    std::copy_n(sample, in.size(), in.begin());
    if (wc_AesEncryptDirect(aes, out.data(), in.data()) != 0) return NGTCP2_ERR_CALLBACK_FAILURE;
    std::copy_n(out.begin(), NGTCP2_HP_MASKLEN, mask);
    return 0;
}

}  // namespace quicchat::quic

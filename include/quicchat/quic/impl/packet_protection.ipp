#pragma once

#include "quicchat/quic/packet_protection.hpp"

#include <wolfssl/options.h>

#include <wolfssl/openssl/evp.h>
#include <wolfssl/wolfcrypt/aes.h>

#include <algorithm>
#include <array>
#include <utility>

namespace quicchat::quic {

namespace detail {

inline constexpr std::size_t aes_tag_bytes = 16;

/// The key of an EVP context, if it is one of AES in this mode.
inline Aes* aes_of(void* context, bool gcm) {
    auto* evp = static_cast<WOLFSSL_EVP_CIPHER_CTX*>(context);
    const auto type = evp->cipherType;
    const bool matches = gcm ? type == WC_AES_128_GCM_TYPE || type == WC_AES_256_GCM_TYPE
                             : type == WC_AES_128_ECB_TYPE || type == WC_AES_256_ECB_TYPE;
    return matches ? &evp->cipher.aes : nullptr;
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
    Aes* const aes = detail::aes_of(context->native_handle, true);
    if (aes == nullptr) {
        return ngtcp2_crypto_encrypt_cb(sealed, aead, context, plain, plain_bytes, nonce,
                                        nonce_bytes, header, header_bytes);
    }
    const int error =
        wc_AesGcmEncrypt(aes, sealed, plain, static_cast<word32>(plain_bytes), nonce,
                         static_cast<word32>(nonce_bytes), sealed + plain_bytes,
                         detail::aes_tag_bytes, header, static_cast<word32>(header_bytes));
    return error == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

QUICCHAT_DECL int decrypt_packet(std::uint8_t* plain, const ngtcp2_crypto_aead* aead,
                                 const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* sealed,
                                 std::size_t sealed_bytes, const std::uint8_t* nonce,
                                 std::size_t nonce_bytes, const std::uint8_t* header,
                                 std::size_t header_bytes) noexcept {
    Aes* const aes = detail::aes_of(context->native_handle, true);
    if (aes == nullptr) {
        const int error = ngtcp2_crypto_decrypt_cb(plain, aead, context, sealed, sealed_bytes,
                                                   nonce, nonce_bytes, header, header_bytes);
        if (error == 0) detail::note_opened(header, header_bytes);
        return error;
    }
    if (sealed_bytes < detail::aes_tag_bytes) return NGTCP2_ERR_DECRYPT;
    const std::size_t bytes = sealed_bytes - detail::aes_tag_bytes;
    const int error = wc_AesGcmDecrypt(
        aes, plain, sealed, static_cast<word32>(bytes), nonce, static_cast<word32>(nonce_bytes),
        sealed + bytes, detail::aes_tag_bytes, header, static_cast<word32>(header_bytes));
    if (error != 0) return NGTCP2_ERR_DECRYPT;
    detail::note_opened(header, header_bytes);
    return 0;
}

QUICCHAT_DECL int mask_header(std::uint8_t* mask, const ngtcp2_crypto_cipher* cipher,
                              const ngtcp2_crypto_cipher_ctx* context,
                              const std::uint8_t* sample) noexcept {
    Aes* const aes = detail::aes_of(context->native_handle, false);
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

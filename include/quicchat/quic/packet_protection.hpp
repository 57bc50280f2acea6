#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstddef>
#include <cstdint>

#include "quicchat/base/config.hpp"

// Packet protection (RFC 9001 §5.3 and §5.4), with the signatures of ngtcp2's callbacks. ngtcp2's
// own go through wolfSSL's EVP layer, which allocates twice for each packet; these go to wolfCrypt
// at once, with the keys of packet_keys.hpp, and for AES also with those that EVP contexts hold.
// What else is negotiated goes the way of ngtcp2.

namespace quicchat::quic {

/// A packet number as a packet has it: its lowest bits (RFC 9000 §17.1).
struct ShortNumber {
    std::uint32_t bits = 0;  ///< The bits; the others are 0.
    std::uint32_t mask = 0;  ///< Which bits these are; 0: there is no number.
};

/// Of the packet that this thread opened last, and nothing if that was asked before. ngtcp2 does
/// not tell packet numbers.
ShortNumber take_opened_number() noexcept;

/// As ngtcp2's `encrypt`: 0, or NGTCP2_ERR_CALLBACK_FAILURE. `sealed` may be `plain`.
QUICCHAT_DECL int encrypt_packet(std::uint8_t* sealed, const ngtcp2_crypto_aead* aead,
                                 const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* plain,
                                 std::size_t plain_bytes, const std::uint8_t* nonce,
                                 std::size_t nonce_bytes, const std::uint8_t* header,
                                 std::size_t header_bytes) noexcept;

/// As ngtcp2's `decrypt`: 0, or NGTCP2_ERR_DECRYPT if the packet is not genuine.
QUICCHAT_DECL int decrypt_packet(std::uint8_t* plain, const ngtcp2_crypto_aead* aead,
                                 const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* sealed,
                                 std::size_t sealed_bytes, const std::uint8_t* nonce,
                                 std::size_t nonce_bytes, const std::uint8_t* header,
                                 std::size_t header_bytes) noexcept;

/// As ngtcp2's `hp_mask`: the mask for a header (RFC 9001 §5.4.1), of a sample of 16 bytes.
QUICCHAT_DECL int mask_header(std::uint8_t* mask, const ngtcp2_crypto_cipher* cipher,
                              const ngtcp2_crypto_cipher_ctx* context,
                              const std::uint8_t* sample) noexcept;

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/packet_protection.ipp"
#endif

#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "quicchat/base/config.hpp"

// The keys of 1-RTT packets, six for as long as a connection lives: to seal, to open, those that
// come after these two, and two for header protection. ngtcp2's crypto helper has each in a context
// of wolfSSL's EVP layer, 960 bytes; these are what wolfCrypt itself needs, 368 bytes for AES and
// 32 for ChaCha20. The next keys of AES are 48 bytes until they are used, if ever. Initial and
// Handshake keys, which go with the handshake, and those of ciphers that are not known here are the
// helper's.

namespace quicchat::quic {
namespace detail {

/// Zeros in the place of what nobody shall find; compilers leave out what is never read.
inline void wipe(void* memory, std::size_t bytes) {
    std::memset(memory, 0, bytes);
    asm volatile("" : : "r"(memory) : "memory");
}

/// Whose key a handle in ngtcp2's contexts stands for: the two lowest bits of the address. The
/// helper's are 0 there, since its contexts and ours are of types that are aligned to more; so is
/// the null handle.
enum class KeyKind : std::uintptr_t { helpers = 0, aes = 1, chacha = 2, next_aes = 3 };

inline constexpr std::uintptr_t key_kind_bits = 3;

/// A key of ChaCha20-Poly1305, to seal and open or for header protection.
struct alignas(std::max_align_t) ChaChaKey {
    std::array<std::uint8_t, CHACHA20_POLY1305_AEAD_KEYSIZE> octets;
};

struct AesDeleter {
    QUICCHAT_DECL void operator()(Aes* aes) const;
};
using OwnedAes = std::unique_ptr<Aes, AesDeleter>;

/// A key that waits for an update of keys (RFC 9001 §6): octets until it is used, an Aes then.
struct alignas(std::max_align_t) NextAes {
    std::array<std::uint8_t, 32> octets;
    std::size_t bytes;
    OwnedAes aes;
};

/// Null: no memory.
QUICCHAT_DECL Aes* first_use_of(NextAes& key);

inline KeyKind kind_of(const void* handle) {
    return KeyKind{reinterpret_cast<std::uintptr_t>(handle) & key_kind_bits};
}

/// The key that the handle stands for, whose type its kind tells.
template <class Key>
Key* key_of(void* handle) {
    auto* const octets = static_cast<std::uint8_t*>(handle);
    return reinterpret_cast<Key*>(octets - static_cast<std::uintptr_t>(kind_of(handle)));
}

/// Whether keys of this cipher are made here: AES-GCM and ChaCha20-Poly1305.
QUICCHAT_DECL bool has_keys_for(const ngtcp2_crypto_aead& aead);

enum class KeyUse : std::uint8_t { packets, next_packets, masks };

/// A handle for a key of a cipher that is made here. Null: no memory.
QUICCHAT_DECL void* make_key(const ngtcp2_crypto_aead& aead, const std::uint8_t* key, KeyUse use);

/// Wipes and frees a key, if it is one of ours. False if it is the helper's.
QUICCHAT_DECL bool delete_key(void* handle);

/// HKDF-Expand-Label (RFC 8446 §7.1) with an empty context; false: no memory. `version` chooses
/// between the labels of QUIC 1 and 2 (RFC 9369 §3.3.2) and `label` is what both end with.
QUICCHAT_DECL bool expand_label(std::uint8_t* made, std::size_t bytes, const ngtcp2_crypto_md& md,
                                const std::uint8_t* secret, std::size_t secret_bytes,
                                std::uint32_t version, std::string_view label);

/// What a secret of TLS gives for one direction (RFC 9001 §5.1), with contexts made of it, which
/// are deleted with it unless somebody took them. Keys are wiped.
class DirectionKeys {
public:
    DirectionKeys() = default;
    DirectionKeys(const DirectionKeys&) = delete;
    DirectionKeys& operator=(const DirectionKeys&) = delete;
    ~DirectionKeys();

    /// Of ciphers that are made here. False: no memory. `is_update`: the key of header protection
    /// stays (RFC 9001 §6).
    bool derive(const ngtcp2_crypto_ctx& ciphers, std::uint32_t version, const std::uint8_t* secret,
                std::size_t secret_bytes, bool is_update);

    const ngtcp2_crypto_aead_ctx& packets() const { return packets_; }
    const ngtcp2_crypto_cipher_ctx& masks() const { return masks_; }
    const std::uint8_t* iv() const { return iv_.data(); }
    std::size_t iv_bytes() const { return iv_bytes_; }

    /// Both contexts are somebody else's now.
    void release();

private:
    static constexpr std::size_t bytes_max = 64;  ///< As ngtcp2's crypto helper has it.

    ngtcp2_crypto_aead_ctx packets_{};
    ngtcp2_crypto_cipher_ctx masks_{};
    std::array<std::uint8_t, bytes_max> iv_{};
    std::size_t iv_bytes_ = 0;
};

}  // namespace detail

/// Sessions of this context get their 1-RTT keys from here. Call after the crypto helper has
/// configured it; the callbacks below and those of packet_protection.hpp must be the connection's.
QUICCHAT_DECL void use_packet_keys(WOLFSSL_CTX* context);

// With the signatures of ngtcp2's callbacks.

/// Derives the next secrets and keys of both directions (RFC 9001 §6.1).
QUICCHAT_DECL int update_packet_keys(ngtcp2_conn* connection, std::uint8_t* rx_secret,
                                     std::uint8_t* tx_secret, ngtcp2_crypto_aead_ctx* rx_context,
                                     std::uint8_t* rx_iv, ngtcp2_crypto_aead_ctx* tx_context,
                                     std::uint8_t* tx_iv, const std::uint8_t* current_rx_secret,
                                     const std::uint8_t* current_tx_secret,
                                     std::size_t secret_bytes, void* user_data) noexcept;

/// Wipes and frees a key that seals or opens, ours or the helper's.
QUICCHAT_DECL void delete_packet_key(ngtcp2_conn* connection, ngtcp2_crypto_aead_ctx* context,
                                     void* user_data) noexcept;

/// The same of a key of header protection.
QUICCHAT_DECL void delete_mask_key(ngtcp2_conn* connection, ngtcp2_crypto_cipher_ctx* context,
                                   void* user_data) noexcept;

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/packet_keys.ipp"
#endif

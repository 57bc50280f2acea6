#pragma once

#include "quicchat/quic/packet_keys.hpp"

#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include <wolfssl/quic.h>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::quic::detail {

QUICCHAT_RARE_DECL void AesDeleter::operator()(Aes* aes) const {
    wc_AesFree(aes);
    wipe(aes, sizeof *aes);
    delete aes;
}

QUICCHAT_RARE_DECL OwnedAes make_aes(const std::uint8_t* key, std::size_t bytes, bool masks) {
    OwnedAes aes{new (std::nothrow) Aes{}};
    if (aes == nullptr || wc_AesInit(aes.get(), nullptr, INVALID_DEVID) != 0) return nullptr;
    const auto size = static_cast<word32>(bytes);
    const int error = masks ? wc_AesSetKey(aes.get(), key, size, nullptr, AES_ENCRYPTION)
                            : wc_AesGcmSetKey(aes.get(), key, size);
    return error == 0 ? std::move(aes) : nullptr;
}

QUICCHAT_RARE_DECL Aes* first_use_of(NextAes& key) {
    key.aes = make_aes(key.octets.data(), key.bytes, false);
    if (key.aes != nullptr) wipe(key.octets.data(), key.octets.size());
    return key.aes.get();
}

template <class Key>
void* handle_of(Key* key, KeyKind kind) {
    static_assert(alignof(Key) > key_kind_bits);
    return reinterpret_cast<std::uint8_t*>(key) + static_cast<std::uintptr_t>(kind);
}

QUICCHAT_RARE_DECL bool has_keys_for(const ngtcp2_crypto_aead& aead) {
    const auto* cipher = static_cast<const WOLFSSL_EVP_CIPHER*>(aead.native_handle);
    if (cipher == nullptr) return false;
    const std::size_t bytes = ngtcp2_crypto_aead_keylen(&aead);
    if (wolfSSL_quic_aead_is_chacha20(cipher) != 0) return bytes == sizeof ChaChaKey::octets;
    return wolfSSL_quic_aead_is_gcm(cipher) != 0 && bytes <= sizeof NextAes::octets;
}

QUICCHAT_RARE_DECL void* make_key(const ngtcp2_crypto_aead& aead, const std::uint8_t* key,
                                  KeyUse use) {
    const std::size_t bytes = ngtcp2_crypto_aead_keylen(&aead);
    const auto* cipher = static_cast<const WOLFSSL_EVP_CIPHER*>(aead.native_handle);
    if (wolfSSL_quic_aead_is_chacha20(cipher) != 0) {
        auto* const made = new (std::nothrow) ChaChaKey;
        if (made == nullptr) return nullptr;
        std::copy_n(key, bytes, made->octets.begin());
        return handle_of(made, KeyKind::chacha);
    }
    if (use == KeyUse::next_packets) {
        auto* const made = new (std::nothrow) NextAes{{}, bytes, nullptr};
        if (made == nullptr) return nullptr;
        std::copy_n(key, bytes, made->octets.begin());
        return handle_of(made, KeyKind::next_aes);
    }
    OwnedAes aes = make_aes(key, bytes, use == KeyUse::masks);
    return aes != nullptr ? handle_of(aes.release(), KeyKind::aes) : nullptr;
}

template <class Key>
void wipe_and_delete(Key* key) {
    wipe(key->octets.data(), key->octets.size());
    delete key;
}

QUICCHAT_RARE_DECL bool delete_key(void* handle) {
    switch (kind_of(handle)) {
        case KeyKind::helpers:
            return false;
        case KeyKind::aes:
            AesDeleter{}(key_of<Aes>(handle));
            break;
        case KeyKind::chacha:
            wipe_and_delete(key_of<ChaChaKey>(handle));
            break;
        case KeyKind::next_aes:
            wipe_and_delete(key_of<NextAes>(handle));
            break;
    }
    return true;
}

QUICCHAT_RARE_DECL bool expand_label(std::uint8_t* made, std::size_t bytes,
                                     const ngtcp2_crypto_md& md, const std::uint8_t* secret,
                                     std::size_t secret_bytes, std::uint32_t version,
                                     std::string_view label) {
    const std::string_view head = version == NGTCP2_PROTO_VER_V2 ? "tls13 quicv2 " : "tls13 quic ";
    std::array<std::uint8_t, 32> info;  // struct HkdfLabel
    info[0] = 0;
    info[1] = static_cast<std::uint8_t>(bytes);
    info[2] = static_cast<std::uint8_t>(head.size() + label.size());
    auto* end = std::copy(head.begin(), head.end(), info.data() + 3);
    end = std::copy(label.begin(), label.end(), end);
    *end++ = 0;
    const auto size = static_cast<std::size_t>(end - info.data());
    return ngtcp2_crypto_hkdf_expand(made, bytes, &md, secret, secret_bytes, info.data(), size) ==
           0;
}

QUICCHAT_RARE_DECL DirectionKeys::~DirectionKeys() {
    delete_key(packets_.native_handle);
    delete_key(masks_.native_handle);
    wipe(iv_.data(), iv_.size());
}

QUICCHAT_RARE_DECL bool DirectionKeys::derive(const ngtcp2_crypto_ctx& ciphers,
                                              std::uint32_t version, const std::uint8_t* secret,
                                              std::size_t secret_bytes, bool is_update) {
    std::array<std::uint8_t, bytes_max> key;
    const std::size_t key_bytes = ngtcp2_crypto_aead_keylen(&ciphers.aead);
    iv_bytes_ = ngtcp2_crypto_packet_protection_ivlen(&ciphers.aead);
    if (key_bytes > bytes_max || iv_bytes_ > bytes_max) return false;
    const auto expand = [&](std::uint8_t* made, std::size_t bytes, std::string_view label) {
        return expand_label(made, bytes, ciphers.md, secret, secret_bytes, version, label);
    };
    const auto make = [&](void*& handle, std::string_view label, KeyUse use) {
        if (!expand(key.data(), key_bytes, label)) return false;
        handle = make_key(ciphers.aead, key.data(), use);
        return handle != nullptr;
    };
    const bool made =
        expand(iv_.data(), iv_bytes_, "iv") &&
        make(packets_.native_handle, "key", is_update ? KeyUse::next_packets : KeyUse::packets) &&
        (is_update || make(masks_.native_handle, "hp", KeyUse::masks));
    wipe(key.data(), key.size());
    return made;
}

QUICCHAT_RARE_DECL void DirectionKeys::release() {
    packets_ = {};
    masks_ = {};
}

inline ngtcp2_conn* connection_of(WOLFSSL* ssl) {
    auto* const reference = static_cast<ngtcp2_crypto_conn_ref*>(wolfSSL_get_app_data(ssl));
    return reference->get_conn(reference);
}

/// As the helper does it: a server has them since the Handshake keys.
QUICCHAT_RARE_DECL bool take_peers_parameters(ngtcp2_conn* connection, WOLFSSL* ssl) {
    const std::uint8_t* parameters = nullptr;
    std::size_t bytes = 0;
    wolfSSL_get_peer_quic_transport_params(ssl, &parameters, &bytes);
    const int error =
        ngtcp2_conn_decode_and_set_remote_transport_params(connection, parameters, bytes);
    if (error != 0) ngtcp2_conn_set_tls_error(connection, error);
    return error == 0;
}

/// `install` is ngtcp2_conn_install_rx_key or its opposite.
template <class Install>
bool install_key(ngtcp2_conn* connection, Install install, const std::uint8_t* secret,
                 std::size_t bytes) {
    DirectionKeys keys;
    const bool done =
        keys.derive(*ngtcp2_conn_get_crypto_ctx2(connection),
                    ngtcp2_conn_get_negotiated_version2(connection), secret, bytes, false) &&
        install(connection, secret, bytes, &keys.packets(), keys.iv(), keys.iv_bytes(),
                &keys.masks()) == 0;
    if (done) keys.release();
    return done;
}

// The four functions that wolfSSL calls (WOLFSSL_QUIC_METHOD); 1 is success.

QUICCHAT_RARE_DECL int set_secrets(WOLFSSL* ssl, WOLFSSL_ENCRYPTION_LEVEL wolfssl_level,
                                   const std::uint8_t* rx_secret, const std::uint8_t* tx_secret,
                                   std::size_t bytes) noexcept {
    ngtcp2_conn* const connection = connection_of(ssl);
    const auto level = ngtcp2_crypto_wolfssl_from_wolfssl_encryption_level(wolfssl_level);
    // The ciphers are known since the Handshake keys, which the helper has installed.
    if (level == NGTCP2_ENCRYPTION_LEVEL_1RTT &&
        has_keys_for(ngtcp2_conn_get_crypto_ctx2(connection)->aead)) {
        const bool is_server = ngtcp2_conn_is_server2(connection) != 0;
        const bool done =
            (rx_secret == nullptr ||
             ((is_server || take_peers_parameters(connection, ssl)) &&
              install_key(connection, ngtcp2_conn_install_rx_key, rx_secret, bytes))) &&
            (tx_secret == nullptr ||
             install_key(connection, ngtcp2_conn_install_tx_key, tx_secret, bytes));
        return done ? 1 : 0;
    }
    const auto install = [&](auto function, const std::uint8_t* secret) {
        return secret == nullptr ||
               function(connection, nullptr, nullptr, nullptr, level, secret, bytes) == 0;
    };
    return install(ngtcp2_crypto_derive_and_install_rx_key, rx_secret) &&
                   install(ngtcp2_crypto_derive_and_install_tx_key, tx_secret)
               ? 1
               : 0;
}

QUICCHAT_RARE_DECL int add_handshake_data(WOLFSSL* ssl, WOLFSSL_ENCRYPTION_LEVEL level,
                                          const std::uint8_t* data, std::size_t bytes) noexcept {
    ngtcp2_conn* const connection = connection_of(ssl);
    const int error = ngtcp2_conn_submit_crypto_data(
        connection, ngtcp2_crypto_wolfssl_from_wolfssl_encryption_level(level), data, bytes);
    if (error == 0) return 1;
    ngtcp2_conn_set_tls_error(connection, error);
    return 0;
}

inline int flush_flight(WOLFSSL*) noexcept { return 1; }

QUICCHAT_RARE_DECL int send_alert(WOLFSSL* ssl, WOLFSSL_ENCRYPTION_LEVEL,
                                  std::uint8_t alert) noexcept {
    ngtcp2_conn_set_tls_alert(connection_of(ssl), alert);
    return 1;
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_RARE_DECL void use_packet_keys(WOLFSSL_CTX* context) {
    static constexpr WOLFSSL_QUIC_METHOD method{detail::set_secrets, detail::add_handshake_data,
                                                detail::flush_flight, detail::send_alert};
    wolfSSL_CTX_set_quic_method(context, &method);
}

QUICCHAT_RARE_DECL int update_packet_keys(ngtcp2_conn* connection, std::uint8_t* rx_secret,
                                          std::uint8_t* tx_secret,
                                          ngtcp2_crypto_aead_ctx* rx_context, std::uint8_t* rx_iv,
                                          ngtcp2_crypto_aead_ctx* tx_context, std::uint8_t* tx_iv,
                                          const std::uint8_t* current_rx_secret,
                                          const std::uint8_t* current_tx_secret,
                                          std::size_t secret_bytes, void* user_data) noexcept {
    const ngtcp2_crypto_ctx& ciphers = *ngtcp2_conn_get_crypto_ctx2(connection);
    if (!detail::has_keys_for(ciphers.aead)) {
        return ngtcp2_crypto_update_key_cb(connection, rx_secret, tx_secret, rx_context, rx_iv,
                                           tx_context, tx_iv, current_rx_secret, current_tx_secret,
                                           secret_bytes, user_data);
    }
    const std::uint32_t version = ngtcp2_conn_get_negotiated_version2(connection);
    const auto next = [&](detail::DirectionKeys& keys, std::uint8_t* secret,
                          const std::uint8_t* current) {
        return detail::expand_label(secret, secret_bytes, ciphers.md, current, secret_bytes,
                                    version, "ku") &&
               keys.derive(ciphers, version, secret, secret_bytes, true);
    };
    detail::DirectionKeys rx;
    detail::DirectionKeys tx;
    if (!next(rx, rx_secret, current_rx_secret) || !next(tx, tx_secret, current_tx_secret)) {
        detail::wipe(rx_secret, secret_bytes);
        detail::wipe(tx_secret, secret_bytes);
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    std::copy_n(rx.iv(), rx.iv_bytes(), rx_iv);
    std::copy_n(tx.iv(), tx.iv_bytes(), tx_iv);
    *rx_context = rx.packets();
    *tx_context = tx.packets();
    rx.release();
    tx.release();
    return 0;
}

QUICCHAT_RARE_DECL void delete_packet_key(ngtcp2_conn* connection, ngtcp2_crypto_aead_ctx* context,
                                          void* user_data) noexcept {
    if (detail::delete_key(context->native_handle)) return;
    ngtcp2_crypto_delete_crypto_aead_ctx_cb(connection, context, user_data);
}

QUICCHAT_RARE_DECL void delete_mask_key(ngtcp2_conn* connection, ngtcp2_crypto_cipher_ctx* context,
                                        void* user_data) noexcept {
    if (detail::delete_key(context->native_handle)) return;
    ngtcp2_crypto_delete_crypto_cipher_ctx_cb(connection, context, user_data);
}

}  // namespace quicchat::quic

#include "quicchat/quic/packet_protection.hpp"

#include <wolfssl/options.h>

#include <wolfssl/openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/quic/callbacks.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/quic/packet_keys.hpp"
#include "quicchat/quic/random.hpp"

using namespace quicchat;
using namespace quicchat::quic;

namespace {

using Octets = std::vector<std::uint8_t>;

Octets draw(Entropy& random, std::size_t count) {
    Octets octets(count);
    for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(random.draw_number());
    return octets;
}

struct Suite {
    std::string name;
    const WOLFSSL_EVP_CIPHER* aead;
    const WOLFSSL_EVP_CIPHER* mask;
    const WOLFSSL_EVP_MD* hash;
    std::size_t secret_bytes;
};

std::vector<Suite> suites() {
    return {{"AES-128-GCM", wolfSSL_EVP_aes_128_gcm(), wolfSSL_EVP_aes_128_ecb(),
             wolfSSL_EVP_sha256(), 32},
            {"AES-256-GCM", wolfSSL_EVP_aes_256_gcm(), wolfSSL_EVP_aes_256_ecb(),
             wolfSSL_EVP_sha384(), 48},
            {"ChaCha20-Poly1305", wolfSSL_EVP_chacha20_poly1305(), wolfSSL_EVP_chacha20(),
             wolfSSL_EVP_sha256(), 32}};
}

ngtcp2_crypto_ctx ciphers_of(const Suite& suite) {
    ngtcp2_crypto_ctx ciphers{};
    ciphers.aead = {const_cast<WOLFSSL_EVP_CIPHER*>(suite.aead), 16};
    ciphers.md.native_handle = const_cast<WOLFSSL_EVP_MD*>(suite.hash);
    ciphers.hp.native_handle = const_cast<WOLFSSL_EVP_CIPHER*>(suite.mask);
    return ciphers;
}

/// The contexts of one key, as ngtcp2 makes them.
struct Contexts {
    Contexts(const Suite& suite, const Octets& key, const Octets& mask_key) {
        aead = ciphers_of(suite).aead;
        cipher = ciphers_of(suite).hp;
        REQUIRE(ngtcp2_crypto_aead_ctx_encrypt_init(&seal, &aead, key.data(), 12) == 0);
        REQUIRE(ngtcp2_crypto_aead_ctx_decrypt_init(&open, &aead, key.data(), 12) == 0);
        WOLFSSL_EVP_CIPHER_CTX* const evp = wolfSSL_EVP_CIPHER_CTX_new();
        mask.native_handle = evp;
        REQUIRE(wolfSSL_EVP_EncryptInit_ex(evp, suite.mask, nullptr, mask_key.data(), nullptr) ==
                1);
    }
    ~Contexts() {
        ngtcp2_crypto_aead_ctx_free(&seal);
        ngtcp2_crypto_aead_ctx_free(&open);
        wolfSSL_EVP_CIPHER_CTX_free(static_cast<WOLFSSL_EVP_CIPHER_CTX*>(mask.native_handle));
    }
    Contexts(const Contexts&) = delete;
    Contexts& operator=(const Contexts&) = delete;

    ngtcp2_crypto_aead aead{};
    ngtcp2_crypto_cipher cipher{};
    ngtcp2_crypto_aead_ctx seal{};
    ngtcp2_crypto_aead_ctx open{};
    ngtcp2_crypto_cipher_ctx mask{};
};

/// The same key as it is kept here.
struct OwnContexts {
    OwnContexts(const Suite& suite, const Octets& key, quic::detail::KeyUse use) {
        const ngtcp2_crypto_aead aead = ciphers_of(suite).aead;
        REQUIRE(quic::detail::has_keys_for(aead));
        packets.native_handle = quic::detail::make_key(aead, key.data(), use);
        mask.native_handle = quic::detail::make_key(aead, key.data(), quic::detail::KeyUse::masks);
        REQUIRE(packets.native_handle != nullptr);
        REQUIRE(mask.native_handle != nullptr);
    }
    ~OwnContexts() {
        delete_packet_key(nullptr, &packets, nullptr);
        delete_mask_key(nullptr, &mask, nullptr);
    }
    OwnContexts(const OwnContexts&) = delete;
    OwnContexts& operator=(const OwnContexts&) = delete;

    ngtcp2_crypto_aead_ctx packets{};
    ngtcp2_crypto_cipher_ctx mask{};
};

/// A connection that has ciphers and nothing else, for functions that ask it for them.
class CipherConnection {
public:
    explicit CipherConnection(const Suite& suite) {
        const ngtcp2_callbacks callbacks = make_callbacks(false);
        ngtcp2_settings settings;
        ngtcp2_settings_default(&settings);
        ngtcp2_transport_params params;
        ngtcp2_transport_params_default(&params);
        const ngtcp2_cid id{8, {1, 2, 3, 4, 5, 6, 7, 8}};
        ngtcp2_path_storage path;
        ngtcp2_path_storage_zero(&path);
        settings.rand_ctx.native_handle = &random_;
        ngtcp2_conn* connection = nullptr;
        REQUIRE(ngtcp2_conn_client_new(&connection, &id, &id, &path.path, NGTCP2_PROTO_VER_V1,
                                       &callbacks, &settings, &params, nullptr, nullptr) == 0);
        connection_.reset(connection);
        const ngtcp2_crypto_ctx ciphers = ciphers_of(suite);
        ngtcp2_conn_set_crypto_ctx(connection, &ciphers);
    }
    ngtcp2_conn* get() const { return connection_.get(); }

private:
    Random random_{test_seed(1)};
    Handle<ngtcp2_conn, ngtcp2_conn_del> connection_;
};

Octets seal(const ngtcp2_crypto_aead_ctx& context, const Suite& suite, const Octets& nonce) {
    const ngtcp2_crypto_aead aead = ciphers_of(suite).aead;
    const Octets header{0x40, 1, 2};
    Octets sealed(100 + 16);
    REQUIRE(encrypt_packet(sealed.data(), &aead, &context, sealed.data(), 100, nonce.data(),
                           nonce.size(), header.data(), header.size()) == 0);
    return sealed;
}

bool opens(const ngtcp2_crypto_aead_ctx& context, const Suite& suite, const Octets& nonce,
           const Octets& sealed) {
    const ngtcp2_crypto_aead aead = ciphers_of(suite).aead;
    const Octets header{0x40, 1, 2};
    Octets plain(100);
    return decrypt_packet(plain.data(), &aead, &context, sealed.data(), sealed.size(), nonce.data(),
                          nonce.size(), header.data(), header.size()) == 0 &&
           plain == Octets(100);
}

std::string expand_rfc_secret(std::uint32_t version, const std::string& label, std::size_t bytes) {
    const Buffer secret =
        decode_hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    Octets made(bytes);
    const ngtcp2_crypto_md sha256{const_cast<WOLFSSL_EVP_MD*>(wolfSSL_EVP_sha256())};
    REQUIRE(quic::detail::expand_label(made.data(), bytes, sha256,
                                       reinterpret_cast<const std::uint8_t*>(secret.data()),
                                       secret.size(), version, label));
    return encode_hex(std::as_bytes(std::span{made}));
}

}  // namespace

TEST_CASE("packets are protected as ngtcp2 protects them", "[quic]") {
    const bool own_keys = GENERATE(false, true);
    const auto use =
        own_keys ? GENERATE(quic::detail::KeyUse::packets, quic::detail::KeyUse::next_packets)
                 : quic::detail::KeyUse::packets;
    CAPTURE(own_keys, static_cast<int>(use));
    Entropy random = Entropy::seeded(1);
    for (const Suite& suite : suites()) {
        CAPTURE(suite.name);
        const Octets key = draw(random, 32);
        const Contexts keys{suite, key, key};
        const OwnContexts own{suite, key, use};
        const ngtcp2_crypto_aead_ctx& sealing = own_keys ? own.packets : keys.seal;
        const ngtcp2_crypto_aead_ctx& opening = own_keys ? own.packets : keys.open;
        const ngtcp2_crypto_cipher_ctx& masking = own_keys ? own.mask : keys.mask;
        for (const std::size_t bytes : {1u, 4u, 15u, 16u, 17u, 120u, 1200u, 1452u, 60'000u}) {
            CAPTURE(bytes);
            const Octets plain = draw(random, bytes);
            const Octets nonce = draw(random, 12);
            const Octets header = draw(random, 1 + bytes % 40);
            Octets expected(bytes + 16);
            REQUIRE(ngtcp2_crypto_encrypt(expected.data(), &keys.aead, &keys.seal, plain.data(),
                                          plain.size(), nonce.data(), nonce.size(), header.data(),
                                          header.size()) == 0);
            Octets sealed(bytes + 16);
            REQUIRE(encrypt_packet(sealed.data(), &keys.aead, &sealing, plain.data(), plain.size(),
                                   nonce.data(), nonce.size(), header.data(), header.size()) == 0);
            CHECK(sealed == expected);

            const auto open = [&](const Octets& packet, Octets& opened) {
                return decrypt_packet(opened.data(), &keys.aead, &opening, packet.data(),
                                      packet.size(), nonce.data(), nonce.size(), header.data(),
                                      header.size());
            };
            // In place, as ngtcp2 seals; and any bit that is another is noticed.
            Octets place = plain;
            place.resize(bytes + 16);
            REQUIRE(encrypt_packet(place.data(), &keys.aead, &sealing, place.data(), bytes,
                                   nonce.data(), nonce.size(), header.data(), header.size()) == 0);
            CHECK(place == expected);
            Octets opened(bytes);
            CHECK(open(sealed, opened) == 0);
            CHECK(opened == plain);
            for (const std::size_t at : {std::size_t{0}, bytes, bytes + 15}) {
                Octets damaged = sealed;
                damaged[at] ^= 1;
                CHECK(open(damaged, opened) != 0);
            }
            CHECK(open(Octets(15), opened) == NGTCP2_ERR_DECRYPT);
        }
        for (std::size_t i = 0; i < 40; ++i) {
            const Octets samples = draw(random, 16 + i);  // at any alignment
            // ngtcp2's own function writes a whole block, of which the first octets count.
            std::array<std::uint8_t, NGTCP2_HP_SAMPLELEN> expected{};
            std::array<std::uint8_t, NGTCP2_HP_SAMPLELEN> mask{};
            REQUIRE(ngtcp2_crypto_hp_mask(expected.data(), &keys.cipher, &keys.mask,
                                          samples.data() + i) == 0);
            REQUIRE(mask_header(mask.data(), &keys.cipher, &masking, samples.data() + i) == 0);
            CHECK(std::equal(mask.begin(), mask.begin() + NGTCP2_HP_MASKLEN, expected.begin()));
        }
    }
}

TEST_CASE("keys of packets are those of RFC 9001 A.5 and RFC 9369 A.5", "[quic]") {
    constexpr std::uint32_t v1 = NGTCP2_PROTO_VER_V1;
    constexpr std::uint32_t v2 = NGTCP2_PROTO_VER_V2;
    CHECK(expand_rfc_secret(v1, "key", 32) ==
          "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8");
    CHECK(expand_rfc_secret(v1, "iv", 12) == "e0459b3474bdd0e44a41c144");
    CHECK(expand_rfc_secret(v1, "hp", 32) ==
          "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4");
    CHECK(expand_rfc_secret(v1, "ku", 32) ==
          "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9");
    CHECK(expand_rfc_secret(v2, "key", 32) ==
          "3bfcddd72bcf02541d7fa0dd1f5f9eeea817e09a6963a0e6c7df0f9a1bab90f2");
    CHECK(expand_rfc_secret(v2, "iv", 12) == "a6b5bc6ab7dafce30ffff5dd");
    CHECK(expand_rfc_secret(v2, "hp", 32) ==
          "d659760d2ba434a226fd37b35c69e2da8211d10c4f12538787d65645d5d1b8e2");
    CHECK(expand_rfc_secret(v2, "ku", 32) ==
          "c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88");
}

TEST_CASE("keys of a secret are those of ngtcp2", "[quic]") {
    Entropy random = Entropy::seeded(2);
    for (const Suite& suite : suites()) {
        CAPTURE(suite.name);
        const CipherConnection connection{suite};
        const Octets secret = draw(random, suite.secret_bytes);
        Octets key(64);
        Octets iv(64);
        Octets mask_key(64);
        REQUIRE(ngtcp2_crypto_derive_and_install_tx_key(
                    connection.get(), key.data(), iv.data(), mask_key.data(),
                    NGTCP2_ENCRYPTION_LEVEL_1RTT, secret.data(), secret.size()) == 0);
        const Contexts expected{suite, key, mask_key};

        quic::detail::DirectionKeys keys;
        REQUIRE(keys.derive(ciphers_of(suite), NGTCP2_PROTO_VER_V1, secret.data(), secret.size(),
                            false));
        REQUIRE(keys.iv_bytes() == 12);
        CHECK(std::equal(iv.begin(), iv.begin() + 12, keys.iv()));
        CHECK(quic::detail::kind_of(keys.packets().native_handle) !=
              quic::detail::KeyKind::helpers);
        CHECK(quic::detail::kind_of(expected.seal.native_handle) == quic::detail::KeyKind::helpers);
        const Octets nonce = draw(random, 12);
        const Octets sealed = seal(expected.seal, suite, nonce);
        CHECK(seal(keys.packets(), suite, nonce) == sealed);
        CHECK(opens(keys.packets(), suite, nonce, sealed));
        const Octets sample = draw(random, 16);
        std::array<std::uint8_t, NGTCP2_HP_SAMPLELEN> masks[2]{};
        REQUIRE(mask_header(masks[0].data(), nullptr, &expected.mask, sample.data()) == 0);
        REQUIRE(mask_header(masks[1].data(), nullptr, &keys.masks(), sample.data()) == 0);
        CHECK(std::equal(masks[0].begin(), masks[0].begin() + NGTCP2_HP_MASKLEN, masks[1].begin()));
    }
}

TEST_CASE("keys of other ciphers are left to ngtcp2", "[quic]") {
    Suite other = suites().front();
    other.aead = wolfSSL_EVP_aes_128_cbc();
    CHECK_FALSE(quic::detail::has_keys_for(ciphers_of(other).aead));
    CHECK_FALSE(quic::detail::has_keys_for({}));
    CHECK_FALSE(quic::detail::delete_key(nullptr));
}

TEST_CASE("keys after an update are those of ngtcp2", "[quic]") {
    Entropy random = Entropy::seeded(3);
    for (const Suite& suite : suites()) {
        CAPTURE(suite.name);
        const CipherConnection connection{suite};
        Octets rx = draw(random, suite.secret_bytes);
        Octets tx = draw(random, suite.secret_bytes);
        for (int update = 0; update < 3; ++update) {
            struct Keys {
                Octets rx_secret = Octets(64), tx_secret = Octets(64);
                Octets rx_iv = Octets(12), tx_iv = Octets(12);
                ngtcp2_crypto_aead_ctx rx{}, tx{};
            };
            Keys expected;
            Keys own;
            REQUIRE(ngtcp2_crypto_update_key_cb(
                        connection.get(), expected.rx_secret.data(), expected.tx_secret.data(),
                        &expected.rx, expected.rx_iv.data(), &expected.tx, expected.tx_iv.data(),
                        rx.data(), tx.data(), suite.secret_bytes, nullptr) == 0);
            REQUIRE(update_packet_keys(connection.get(), own.rx_secret.data(), own.tx_secret.data(),
                                       &own.rx, own.rx_iv.data(), &own.tx, own.tx_iv.data(),
                                       rx.data(), tx.data(), suite.secret_bytes, nullptr) == 0);
            CHECK(own.rx_secret == expected.rx_secret);
            CHECK(own.tx_secret == expected.tx_secret);
            CHECK(own.rx_iv == expected.rx_iv);
            CHECK(own.tx_iv == expected.tx_iv);
            CHECK(quic::detail::kind_of(own.rx.native_handle) != quic::detail::KeyKind::helpers);
            CHECK(quic::detail::kind_of(own.tx.native_handle) != quic::detail::KeyKind::helpers);
            const Octets nonce = draw(random, 12);
            const Octets sealed = seal(expected.tx, suite, nonce);
            CHECK(seal(own.tx, suite, nonce) == sealed);
            // What is sealed by the key to open with is opened by it, and nothing else is.
            Octets came = seal(own.rx, suite, nonce);
            CHECK(opens(expected.rx, suite, nonce, came));
            CHECK(opens(own.rx, suite, nonce, came));
            CHECK_FALSE(opens(own.rx, suite, nonce, sealed));
            came.back() ^= 1;
            CHECK_FALSE(opens(own.rx, suite, nonce, came));
            for (Keys* keys : {&expected, &own}) {
                delete_packet_key(connection.get(), &keys->rx, nullptr);
                delete_packet_key(connection.get(), &keys->tx, nullptr);
            }
            rx = own.rx_secret;
            tx = own.tx_secret;
        }
    }
}

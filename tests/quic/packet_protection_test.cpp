#include "quicchat/quic/packet_protection.hpp"

#include <wolfssl/options.h>

#include <wolfssl/openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/entropy.hpp"

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
};

std::vector<Suite> suites() {
    return {{"AES-128-GCM", wolfSSL_EVP_aes_128_gcm(), wolfSSL_EVP_aes_128_ecb()},
            {"AES-256-GCM", wolfSSL_EVP_aes_256_gcm(), wolfSSL_EVP_aes_256_ecb()},
            {"ChaCha20-Poly1305", wolfSSL_EVP_chacha20_poly1305(), wolfSSL_EVP_chacha20()}};
}

/// The contexts of one key, as ngtcp2 makes them.
struct Contexts {
    explicit Contexts(const Suite& suite, Entropy& random) {
        aead = {const_cast<WOLFSSL_EVP_CIPHER*>(suite.aead), 16};
        cipher.native_handle = const_cast<WOLFSSL_EVP_CIPHER*>(suite.mask);
        const Octets key = draw(random, 32);
        REQUIRE(ngtcp2_crypto_aead_ctx_encrypt_init(&seal, &aead, key.data(), 12) == 0);
        REQUIRE(ngtcp2_crypto_aead_ctx_decrypt_init(&open, &aead, key.data(), 12) == 0);
        WOLFSSL_EVP_CIPHER_CTX* const evp = wolfSSL_EVP_CIPHER_CTX_new();
        mask.native_handle = evp;
        REQUIRE(wolfSSL_EVP_EncryptInit_ex(evp, suite.mask, nullptr, key.data(), nullptr) == 1);
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

}  // namespace

TEST_CASE("packets are protected as ngtcp2 protects them", "[quic]") {
    Entropy random = Entropy::seeded(1);
    for (const Suite& suite : suites()) {
        CAPTURE(suite.name);
        const Contexts keys{suite, random};
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
            REQUIRE(encrypt_packet(sealed.data(), &keys.aead, &keys.seal, plain.data(),
                                   plain.size(), nonce.data(), nonce.size(), header.data(),
                                   header.size()) == 0);
            CHECK(sealed == expected);

            const auto open = [&](const Octets& packet, Octets& opened) {
                return decrypt_packet(opened.data(), &keys.aead, &keys.open, packet.data(),
                                      packet.size(), nonce.data(), nonce.size(), header.data(),
                                      header.size());
            };
            // In place, as ngtcp2 seals; and any bit that is another is noticed.
            Octets place = plain;
            place.resize(bytes + 16);
            REQUIRE(encrypt_packet(place.data(), &keys.aead, &keys.seal, place.data(), bytes,
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
            REQUIRE(mask_header(mask.data(), &keys.cipher, &keys.mask, samples.data() + i) == 0);
            CHECK(std::equal(mask.begin(), mask.begin() + NGTCP2_HP_MASKLEN, expected.begin()));
        }
    }
}

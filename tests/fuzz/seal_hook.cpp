// Puts SealHook before ngtcp2's encryption: this program is linked with
// --wrap=ngtcp2_crypto_encrypt_cb, so the callbacks of the library find this one.

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "quic_pair.hpp"

extern "C" {

decltype(ngtcp2_crypto_encrypt_cb) __real_ngtcp2_crypto_encrypt_cb;
decltype(ngtcp2_crypto_encrypt_cb) __wrap_ngtcp2_crypto_encrypt_cb;

int __wrap_ngtcp2_crypto_encrypt_cb(uint8_t* output, const ngtcp2_crypto_aead* aead,
                                    const ngtcp2_crypto_aead_ctx* context, const uint8_t* plaintext,
                                    size_t plaintext_size, const uint8_t* nonce, size_t nonce_size,
                                    const uint8_t* header, size_t header_size) {
    std::vector<uint8_t> payload(plaintext, plaintext + plaintext_size);
    if (quicchat::test::seal_hook != nullptr) {
        (*quicchat::test::seal_hook)(payload, {header, header_size});
    }
    return __real_ngtcp2_crypto_encrypt_cb(output, aead, context, payload.data(), payload.size(),
                                           nonce, nonce_size, header, header_size);
}

}  // extern "C"

namespace {

const int says_how_many = std::atexit([] {
    std::fprintf(stderr, "stat::altered_packets: %llu\n",
                 static_cast<unsigned long long>(quicchat::test::altered_packets));
});

}  // namespace

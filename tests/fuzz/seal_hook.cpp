// Puts SealHook before the encryption: this program is linked with --wrap=wc_AesGcmEncrypt, so
// packet protection finds this one.

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "quic_pair.hpp"

extern "C" {

decltype(wc_AesGcmEncrypt) __real_wc_AesGcmEncrypt;
decltype(wc_AesGcmEncrypt) __wrap_wc_AesGcmEncrypt;

int __wrap_wc_AesGcmEncrypt(Aes* key, byte* output, const byte* plaintext, word32 plaintext_size,
                            const byte* nonce, word32 nonce_size, byte* tag, word32 tag_size,
                            const byte* header, word32 header_size) {
    std::vector<byte> payload(plaintext, plaintext + plaintext_size);
    if (quicchat::test::seal_hook != nullptr) {
        (*quicchat::test::seal_hook)(payload, {header, header_size});
    }
    return __real_wc_AesGcmEncrypt(key, output, payload.data(), plaintext_size, nonce, nonce_size,
                                   tag, tag_size, header, header_size);
}

}  // extern "C"

namespace {

const int says_how_many = std::atexit([] {
    if (quicchat::test::altered_packets == 0) return;
    std::fprintf(stderr, "stat::altered_packets: %llu\n",
                 static_cast<unsigned long long>(quicchat::test::altered_packets));
});

}  // namespace

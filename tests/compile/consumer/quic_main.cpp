#include <all_core_headers.hpp>
#include <all_quic_headers.hpp>

#include <cstdio>

// The C libraries must be reachable, linked in the right order, through quicchat alone.
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include <wolfssl/ssl.h>

int answer_of_the_other_file();

int main() {
    WOLFSSL_CTX* context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    const bool configured =
        context != nullptr && ngtcp2_crypto_wolfssl_configure_client_context(context) == 0;
    wolfSSL_CTX_free(context);
    std::printf("ngtcp2 %s, wolfSSL %s\n", ngtcp2_version(0)->version_str, wolfSSL_lib_version());
    return configured && answer_of_the_other_file() == 42 ? 0 : 1;
}

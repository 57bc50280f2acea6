// Compiles and links only if this ngtcp2 and this wolfSSL can do what quicchat::quic asks of them.
// Must name at least one function of every feature that a build of wolfSSL can lack.

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include <wolfssl/quic.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/pwdbased.h>

#if NGTCP2_VERSION_NUM < 0x011800
#error ngtcp2 1.24.0 or newer is needed
#endif
#if LIBWOLFSSL_VERSION_HEX < 0x05009000
#error wolfSSL 5.9.0 or newer is needed
#endif

namespace {

volatile bool never = false;

void use_tls(WOLFSSL_CTX* context, WOLFSSL* tls) {
    wolfSSL_CTX_set_quic_method(context, nullptr);
    wolfSSL_CTX_load_system_CA_certs(context);
    wolfSSL_CTX_UseSessionTicket(context);
    wolfSSL_CTX_sess_set_new_cb(context, nullptr);
    ngtcp2_crypto_wolfssl_configure_client_context(context);
    wolfSSL_UseALPN(tls, nullptr, 0, WOLFSSL_ALPN_FAILED_ON_MISMATCH);
    wolfSSL_UseSNI(tls, WOLFSSL_SNI_HOST_NAME, nullptr, 0);
    wolfSSL_KeepArrays(tls);
    wolfSSL_export_keying_material(tls, nullptr, 0, nullptr, 0, nullptr, 0, 0);
}

void use_crypto(WC_RNG* random) {
    ::Cert certificate;
    wc_InitCert(&certificate);
    certificate.altNamesSz = 0;
    wc_MakeCert(&certificate, nullptr, 0, nullptr, nullptr, random);
    wc_DerToPem(nullptr, 0, nullptr, 0, CERT_TYPE);
    wc_PemToDer(nullptr, 0, CERT_TYPE, nullptr, nullptr, nullptr, nullptr);
    wc_PBKDF2(nullptr, nullptr, 0, nullptr, 0, 1, 32, WC_SHA256);
    Base64_Encode_NoNl(nullptr, 0, nullptr, nullptr);
    wc_HmacFinal(nullptr, nullptr);
}

void use_ngtcp2() {
    ngtcp2_callbacks callbacks{};
    callbacks.get_new_connection_id2 = nullptr;
    callbacks.get_path_challenge_data2 = ngtcp2_crypto_get_path_challenge_data2_cb;
    ngtcp2_conn_write_aggregate_pkt2(nullptr, nullptr, nullptr, nullptr, 0, 0, nullptr, 0, 0);
}

}  // namespace

int main() {
    if (never) {
        use_tls(nullptr, nullptr);
        use_crypto(nullptr);
        use_ngtcp2();
    }
}

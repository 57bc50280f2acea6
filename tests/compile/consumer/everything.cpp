// Client, server, QUIC and storage in one program: all that it needs must be reachable, and linked
// in the right order, through quicchat alone.
#include <cstdio>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include <wolfssl/ssl.h>

#include "quicchat/quic.hpp"
#include "quicchat/sqlite.hpp"

namespace {

bool has_quic() {
    WOLFSSL_CTX* context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    const bool configured =
        context != nullptr && ngtcp2_crypto_wolfssl_configure_client_context(context) == 0;
    wolfSSL_CTX_free(context);
    std::printf("ngtcp2 %s, wolfSSL %s\n", ngtcp2_version(0)->version_str, wolfSSL_lib_version());
    return configured;
}

bool has_endpoints() {
    const auto pair = quicchat::quic::make_self_signed(
        {"localhost"}, 30, quicchat::quic::read_clock().wall);
    if (!pair) return false;
    const auto server = quicchat::quic::Endpoint::server(
        {.certificate_pem = pair->certificate_pem, .key_pem = pair->key_pem}, {});
    const auto client =
        quicchat::quic::Endpoint::client({.trust = quicchat::quic::Trust::insecure()}, {});
    return server && client;
}

bool has_sqlite() {
    const auto store =
        quicchat::sqlite::Store::open({.path = "/nowhere/chat.db"}, quicchat::Entropy::seeded(1));
    std::printf("SQLite %s: %s\n", sqlite3_libversion(),
                store ? "opened" : store.error().text.c_str());
    return !store;
}

}  // namespace

int main() { return has_quic() && has_endpoints() && has_sqlite() ? 0 : 1; }

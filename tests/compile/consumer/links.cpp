// QUIC and storage in a small program: all that it needs must be reachable, and linked in the right
// order, through quicchat alone.
#include <cstdio>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include <sqlite3.h>
#include <wolfssl/ssl.h>

#include "quicchat/quic/certificate.hpp"
#include "quicchat/sqlite/database.hpp"

namespace {

bool has_quic() {
    WOLFSSL_CTX* context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    const bool configured =
        context != nullptr && ngtcp2_crypto_wolfssl_configure_client_context(context) == 0;
    wolfSSL_CTX_free(context);
    std::printf("ngtcp2 %s, wolfSSL %s\n", ngtcp2_version(0)->version_str, wolfSSL_lib_version());
    return configured;
}

bool has_certificates() {
    return quicchat::quic::make_self_signed({"localhost"}, 30, quicchat::WallTime{}).has_value();
}

bool has_sqlite() {
    std::printf("SQLite %s\n", sqlite3_libversion());
    return !quicchat::sqlite::Database::open("/nowhere/chat.db",
                                             quicchat::sqlite::OpenMode::read_only);
}

}  // namespace

int main() { return has_quic() && has_certificates() && has_sqlite() ? 0 : 1; }

// Client, server, QUIC and storage in one program.
#include <cstdio>

#include "chat.hpp"
#include "quicchat/quic.hpp"
#include "quicchat/sqlite.hpp"

namespace {

bool has_endpoints() {
    const auto pair =
        quicchat::quic::make_self_signed({"localhost"}, 30, quicchat::quic::read_clock().wall);
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
    std::printf("SQLite: %s\n", store ? "opened" : store.error().text.c_str());
    return !store;
}

}  // namespace

int main() { return can_chat() && has_endpoints() && has_sqlite() ? 0 : 1; }

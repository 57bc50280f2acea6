// A chat server over QUIC in one file. Makes its own certificate in memory and prints the key's
// fingerprint, by which clients recognise it.
//
//     02_chat_server 12345 ada secret bob swordfish

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <variant>

#include "quicchat/quic_server.hpp"

using namespace quicchat;

namespace {

quic::StopFlag stop_flag;

/// The value, or the end of the program with the reason.
template <class T>
T or_exit(Result<T> result, const char* what) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "02_chat_server: %s: %s\n", what, result.error().message().c_str());
    std::exit(1);
}

std::shared_ptr<MemoryAccounts> read_accounts(int count, char** names_and_passwords) {
    auto accounts = std::make_shared<MemoryAccounts>();
    Entropy entropy = quic::system_entropy();
    for (int i = 0; i + 1 < count; i += 2) {
        const auto salt = entropy.draw<16>();
        const Verifier verifier =
            or_exit(make_verifier<quic::WolfCrypto>(names_and_passwords[i + 1], salt), "password");
        or_exit(accounts->add(names_and_passwords[i], verifier), names_and_passwords[i]);
    }
    return accounts;
}

void show(const ServerEvent& event) {
    if (const auto* in = std::get_if<PeerLoggedIn>(&event)) {
        std::printf("%s is here\n", in->user.c_str());
    } else if (const auto* refused = std::get_if<PeerRefused>(&event)) {
        std::printf("a login from %s was refused\n", refused->peer_address.c_str());
    } else if (const auto* out = std::get_if<PeerDisconnected>(&event); out && !out->user.empty()) {
        std::printf("%s is gone\n", out->user.c_str());
    }
    std::fflush(stdout);
}

/// A server that shows its events. Driver calls `process` once per turn.
class LoudServer : public quic::Server {
public:
    using quic::Server::Server;
    void process(Now now) {
        quic::Server::process(now);
        while (const auto event = poll_event()) show(*event);
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || argc % 2 != 0) {
        std::fprintf(stderr, "usage: %s PORT USER PASSWORD [USER PASSWORD]...\n", argv[0]);
        return 64;
    }
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    auto socket = or_exit(
        quic::UdpSocket::bind(*quic::SocketAddress::from_numeric("127.0.0.1", port)), "socket");
    const auto pair =
        or_exit(quic::make_self_signed({"localhost", "127.0.0.1"}, 365, quic::read_clock().wall),
                "certificate");
    auto endpoint = or_exit(
        quic::Endpoint::server({.certificate_pem = pair.certificate_pem, .key_pem = pair.key_pem}),
        "endpoint");
    std::printf(
        "listening on %s, key %s\n", socket.local_address().to_string().c_str(),
        format_fingerprint(or_exit(quic::key_fingerprint(pair.certificate_pem), "key")).c_str());
    std::fflush(stdout);

    // Hides which users exist; a real server keeps it over restarts.
    const auto secret = quic::system_entropy().draw<32>();
    quic::Driver<LoudServer> driver{
        std::move(socket), std::move(endpoint), MemoryLog{quic::system_entropy()},
        quic::Authenticator{read_accounts(argc - 2, argv + 2), secret, quic::system_entropy()},
        quic::system_entropy()};

    std::signal(SIGINT, [](int) { stop_flag.stop(); });
    std::signal(SIGTERM, [](int) { stop_flag.stop(); });
    if (const auto error = quic::run(driver, stop_flag)) {
        std::fprintf(stderr, "02_chat_server: %s\n", error.message().c_str());
        return 1;
    }
    return 0;
}

// The server of 02_chat_server.cpp with a memory: rooms, messages, accounts and the devices' tokens
// are in an SQLite file, and a message is acknowledged when it is on disk. Stop it in any way you
// like and start it again: clients come back by themselves and go on where they were.
//
//     06_server_that_remembers 12345 chat.db ada secret
//
// The user is added, or gets the new password. Others: `quicchat user add --database chat.db NAME`.

#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <variant>

#include "quicchat/quic.hpp"
#include "quicchat/sqlite.hpp"

using namespace quicchat;

namespace {

quic::StopFlag stop_flag;

[[noreturn]] void fail(const std::string& text) {
    std::fprintf(stderr, "06_server_that_remembers: %s\n", text.c_str());
    std::exit(1);
}
template <class T>
T or_exit(Result<T> result) {
    return result ? *std::move(result) : (fail(result.error().message()), *std::move(result));
}
template <class T>
T or_exit(StorageResult<T> result) {
    return result ? *std::move(result) : (fail(result.error().text), *std::move(result));
}

void set_password(const std::string& database, const char* user, const char* password) {
    Entropy entropy = quic::system_entropy();
    const Verifier verifier =
        or_exit(make_verifier<quic::WolfCrypto>(password, entropy.draw<16>()));
    sqlite::AccountAdmin admin = or_exit(sqlite::AccountAdmin::open(database, entropy));
    if (!or_exit(admin.add(user, verifier, quic::read_clock().wall))) {
        (void)or_exit(admin.replace_verifier(user, verifier));
    }
}

/// A key that stays: clients that saw the server before would distrust another one. So one is made
/// only where there is no file yet.
quic::CertificatePair make_pair(const std::string& path) {
    std::error_code error;
    const bool is_there = std::filesystem::exists(path, error);
    if (error) fail(path + ": " + error.message());
    if (is_there) {
        std::ostringstream read;
        std::ifstream file{path};
        if (!file || !(read << file.rdbuf())) fail(path + " is empty or cannot be read");
        const std::string text = read.str();
        const std::size_t key = text.find("-----BEGIN", 1);  // behind the certificate
        if (key == std::string::npos) fail(path + " does not hold a certificate and its key");
        return {text.substr(0, key), text.substr(key)};
    }
    auto pair = or_exit(quic::make_self_signed({"localhost"}, 365, quic::read_clock().wall));
    std::ofstream file{path};
    if (!file) fail(path + " cannot be written");
    file << pair.certificate_pem << pair.key_pem;
    file.close();
    if (file) return pair;
    (void)std::remove(path.c_str());  // half a pair would be in the way of the next start
    fail("what was written to " + path + " did not get there");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: %s PORT DATABASE USER PASSWORD\n", argv[0]);
        return 64;
    }
    ::umask(077);  // what this program writes is secret
    const std::string database = argv[2];
    set_password(database, argv[3], argv[4]);
    auto store = or_exit(sqlite::Store::open({.path = database}, quic::system_entropy()));
    auto accounts = std::make_shared<SqliteAccounts>(store);

    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    auto socket =
        or_exit(quic::UdpSocket::bind(*quic::SocketAddress::from_numeric("127.0.0.1", port)));
    const auto pair = make_pair(database + ".pem");
    auto endpoint = or_exit(
        quic::Endpoint::server({.certificate_pem = pair.certificate_pem, .key_pem = pair.key_pem}));
    std::printf("listening on %s, key %s\n", socket.local_address().to_string().c_str(),
                format_fingerprint(or_exit(quic::key_fingerprint(pair.certificate_pem))).c_str());
    std::fflush(stdout);

    quic::Driver<quic::Server> driver{
        std::move(socket), std::move(endpoint), SqliteLog{store},
        quic::Authenticator{accounts, store->secret(), quic::system_entropy()},
        quic::system_entropy()};
    std::signal(SIGINT, [](int) { stop_flag.stop(); });
    std::signal(SIGTERM, [](int) { stop_flag.stop(); });
    if (const auto error = quic::run(driver, stop_flag)) fail(error.message());
    return 0;
}

// Logs in, says one line in the lobby, and shows what is said for five seconds.
//
//     03_chat_client localhost 12345 sha256:... ada secret "Hello"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>

#include "quicchat/quic_client.hpp"

using namespace quicchat;

namespace {

quic::StopFlag stop_flag;

template <class T>
T or_exit(Result<T> result, const char* what) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "03_chat_client: %s: %s\n", what, result.error().message().c_str());
    std::exit(1);
}

/// Joins, speaks once, and prints. The texts are free of control characters (PROTOCOL.md §3.1).
class Speaker : public quic::Client {
public:
    using quic::Client::Client;
    std::string line;

    void process(Now now) {
        quic::Client::process(now);
        while (const auto event = poll_event()) handle(*event);
        if (deadline_ && now.steady >= *deadline_) close();
        if (!deadline_) deadline_ = now.steady + std::chrono::seconds{5};
    }

    std::optional<TimePoint> next_deadline() const {
        return earlier(quic::Client::next_deadline(), deadline_);
    }

    bool said = false;

private:
    void handle(const ClientEvent& event) {
        if (std::holds_alternative<Online>(event)) {
            (void)join("#lobby");
        } else if (std::holds_alternative<RoomJoined>(event)) {
            (void)publish("#lobby", line);
        } else if (std::holds_alternative<Acked>(event)) {
            said = true;
        } else if (const auto* message = std::get_if<RoomMessage>(&event)) {
            std::printf("<%s> %s\n", message->from.c_str(), message->text.c_str());
            std::fflush(stdout);
        } else if (const auto* refused = std::get_if<Refused>(&event)) {
            std::fprintf(stderr, "refused: %s\n", refused->text.c_str());
        } else if (const auto* offline = std::get_if<Offline>(&event)) {
            stop_flag.stop();
            if (offline->reason.errc != Errc::closed) {
                std::fprintf(stderr, "offline: %s\n", offline->reason.text.c_str());
            }
        }
    }

    std::optional<TimePoint> deadline_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fprintf(stderr, "usage: %s HOST PORT FINGERPRINT USER PASSWORD LINE\n", argv[0]);
        return 64;
    }
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    // It looks the name up for each connection, and changes sockets when the network changes.
    auto dialler = or_exit(quic::Dialler::create({.host = argv[1], .port = port}), "dialler");
    quic::ClientConfig target{
        .routes_later = true,
        .server_name = argv[1],
        .trust = quic::Trust::pinned({or_exit(parse_fingerprint(argv[3]), "fingerprint")})};
    quic::ClientDriver<Speaker> driver{
        std::move(dialler), or_exit(quic::Endpoint::client(std::move(target)), "endpoint"),
        or_exit(quic::Login::with_password(argv[4], argv[5]), "login"), quic::system_entropy()};
    driver.app().line = argv[6];
    driver.app().connect(quic::read_clock());

    if (const auto error = quic::run(driver, stop_flag)) {
        std::fprintf(stderr, "03_chat_client: %s\n", error.message().c_str());
        return 1;
    }
    return driver.app().said ? 0 : 1;
}

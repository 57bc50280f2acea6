// A server and a client that says hello, in one program. They may as well be two.

#include <cstdio>
#include <thread>

#include "quicchat/quic_connect.hpp"
#include "quicchat/quic_serve.hpp"

using namespace quicchat;

int main() {
    auto server = quic::serve({.port = 0, .accounts = {{"ada", "secret"}}});
    if (!server) return std::puts(server.error().message().c_str()), 1;
    std::thread thread{[&] { server->run(); }};

    auto chat = quic::connect({.host = "localhost",
                               .port = server->port(),
                               .user = "ada",
                               .password = "secret",
                               .fingerprint = server->fingerprint()});
    if (!chat) return std::puts(chat.error().message().c_str()), 1;
    chat->on([&](const RoomMessage& message) {
        std::printf("%s: %s\n", message.from.c_str(), message.text.c_str());
        chat->stop();
    });
    chat->join("#lobby");
    chat->say("#lobby", "hello");
    const auto error = chat->run();

    server->stop();
    thread.join();
    if (error) std::puts(error.message().c_str());
    return error ? 1 : 0;
}

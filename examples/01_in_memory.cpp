// Two people chat in one program, without a network and without a login that proves anything: the
// shortest way to see the library work, and the way to test a program that embeds it.

#include <cstdio>
#include <optional>
#include <string>
#include <variant>

#include "quicchat/memory.hpp"

using namespace quicchat;

namespace {

void show(const std::string& who, const ClientEvent& event) {
    if (const auto* online = std::get_if<Online>(&event)) {
        std::printf("%s: logged in as %s\n", who.c_str(), online->user.c_str());
    } else if (const auto* message = std::get_if<RoomMessage>(&event)) {
        std::printf("%s: %s #%llu <%s> %s\n", who.c_str(), message->room.c_str(),
                    static_cast<unsigned long long>(message->offset), message->from.c_str(),
                    message->text.c_str());
    } else if (const auto* acked = std::get_if<Acked>(&event)) {
        std::printf("%s: my message is stored at %llu\n", who.c_str(),
                    static_cast<unsigned long long>(acked->offset));
    }
}

}  // namespace

int main() {
    memory::Network network{{.seed = 1}};
    memory::Server server{network.listen("chat"), MemoryLog{Entropy::seeded(2)},
                          NameAuthenticator{}, Entropy::seeded(3)};
    memory::Client ada{network.dial("chat"), *NameLogin::create("ada"), Entropy::seeded(4)};
    memory::Client bob{network.dial("chat"), *NameLogin::create("bob"), Entropy::seeded(5)};

    const auto now = [&] { return Now{network.now()}; };
    ada.connect(now());
    bob.connect(now());

    // Nothing happens by itself: each step moves the virtual clock to the next delivery.
    int messages_seen = 0;
    do {
        server.process(now());
        for (memory::Client* client : {&ada, &bob}) {
            const std::string who = client == &ada ? "ada" : "bob";
            client->process(now());
            while (std::optional<ClientEvent> event = client->poll_event()) {
                show(who, *event);
                if (std::holds_alternative<Online>(*event)) (void)client->join("#lobby");
                if (std::holds_alternative<RoomJoined>(*event)) {
                    (void)client->publish("#lobby", "Hello from " + who);
                }
                if (std::holds_alternative<RoomMessage>(*event)) ++messages_seen;
            }
        }
    } while (network.step());

    std::printf("%d messages seen\n", messages_seen);
    return messages_seen >= 3 ? 0 : 1;  // both see their own, and the first one there sees both
}

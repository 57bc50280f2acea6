#pragma once

// A client and a server in one program, over a network in memory.
#include <optional>
#include <variant>

#include "quicchat/memory.hpp"

inline bool can_chat() {
    using namespace quicchat;
    memory::Network network{{.seed = 1}};
    memory::Server server{network.listen("chat"), MemoryLog{Entropy::seeded(2)},
                          NameAuthenticator{}, Entropy::seeded(3)};
    memory::Client client{network.dial("chat"), *NameLogin::create("ada"), Entropy::seeded(4)};
    client.connect(Now{network.now()});
    do {
        server.process(Now{network.now()});
        client.process(Now{network.now()});
        while (std::optional<ClientEvent> event = client.poll_event()) {
            if (std::holds_alternative<Online>(*event)) return true;
        }
    } while (network.step());
    return false;
}

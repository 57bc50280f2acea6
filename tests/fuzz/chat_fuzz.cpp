// Peers that say anything.

#include "client_session.hpp"
#include "program.hpp"
#include "server.hpp"
#include "server_session.hpp"
#include "web_session.hpp"

std::span<const quicchat::test::FuzzTarget> quicchat::test::fuzz_targets() {
    static constexpr FuzzTarget targets[] = {
        {"client_session", fuzz_client_session},
        {"server", fuzz_server},
        {"server_session", fuzz_server_session},
        {"webtransport", fuzz_web_session},
    };
    return targets;
}

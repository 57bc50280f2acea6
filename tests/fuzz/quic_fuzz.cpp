// Datagrams of strangers and of peers, into the real endpoint.

#include "packets.hpp"
#include "pem.hpp"
#include "program.hpp"
#include "strangers.hpp"

std::span<const quicchat::test::FuzzTarget> quicchat::test::fuzz_targets() {
    static constexpr FuzzTarget targets[] = {
        {"certificates", fuzz_certificates},
        {"handshakes", fuzz_handshakes},
        {"packets_to_client", fuzz_packets_to_client},
        {"packets_to_server", fuzz_packets_to_server},
        {"pem", fuzz_pem},
        {"strangers", fuzz_strangers},
    };
    return targets;
}

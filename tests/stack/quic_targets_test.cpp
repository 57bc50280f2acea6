// The fuzz targets that need the endpoint, with every compiler: the corpus, and variations of it.

#include <catch2/catch_test_macros.hpp>

#include "fuzz/packets.hpp"
#include "fuzz/pem.hpp"
#include "fuzz/replay.hpp"
#include "fuzz/strangers.hpp"

using namespace quicchat;

TEST_CASE("a server survives any frames that a peer seals", "[fuzz]") {
    test::run_corpus("packets_to_server", test::fuzz_packets_to_server, 1000);
}
TEST_CASE("a client survives any frames that a peer seals", "[fuzz]") {
    test::run_corpus("packets_to_client", test::fuzz_packets_to_client, 1000);
}
TEST_CASE("a handshake that was damaged connects nobody to the wrong one", "[fuzz]") {
    test::run_corpus("handshakes", test::fuzz_handshakes, 1000);
}
TEST_CASE("datagrams of strangers prove nothing and leave nothing", "[fuzz]") {
    test::run_corpus("strangers", test::fuzz_strangers, 1000);
}
TEST_CASE("any file may be given as a certificate, a key, or authorities", "[fuzz]") {
    test::run_corpus("pem", test::fuzz_pem, 1000);
}
TEST_CASE("a certificate may be damaged anywhere", "[fuzz]") {
    test::run_corpus("certificates", test::fuzz_certificates, 2000);
}

#include <cstdint>

#include <catch2/catch_test_macros.hpp>

#include "fuzz/client_session.hpp"
#include "fuzz/codec.hpp"
#include "fuzz/frames.hpp"
#include "fuzz/known_servers.hpp"
#include "fuzz/names.hpp"
#include "fuzz/replay.hpp"
#include "fuzz/scram.hpp"
#include "fuzz/search.hpp"
#include "fuzz/server.hpp"
#include "fuzz/server_session.hpp"
#include "fuzz/tickets.hpp"
#include "fuzz/tokens.hpp"
#include "fuzz/web_session.hpp"

using namespace quicchat;

// The fuzz targets of tests/fuzz, with every compiler: the corpus, and some thousand variations.

TEST_CASE("frames come out of an assembler whatever bytes go in", "[fuzz]") {
    test::run_corpus("frames", test::fuzz_frames, 5000);
}
TEST_CASE("what the codec reads, it writes", "[fuzz]") {
    test::run_corpus("codec", test::fuzz_codec, 5000);
}
TEST_CASE("a search finds what a plain search finds", "[fuzz]") {
    test::run_corpus("search", test::fuzz_search, 5000);
}
TEST_CASE("names are those of the rules, written down once more", "[fuzz]") {
    test::run_corpus("names", test::fuzz_names, 5000);
}
TEST_CASE("a file of known servers keeps what it says", "[fuzz]") {
    test::run_corpus("known_servers", test::fuzz_known_servers, 3000);
}
TEST_CASE("nobody logs in by messages that no password made", "[fuzz]") {
    test::run_corpus("scram", test::fuzz_scram, 300);
}
TEST_CASE("nobody logs in by what is no ticket, nor twice by one", "[fuzz]") {
    test::run_corpus("tickets", test::fuzz_tickets, 2000);
}
TEST_CASE("nobody logs in by what is no token", "[fuzz]") {
    test::run_corpus("tokens", test::fuzz_tokens, 1000);
}
TEST_CASE("a server session survives any client", "[fuzz]") {
    test::run_corpus("server_session", test::fuzz_server_session, 3000);
}
TEST_CASE("a client session survives any server", "[fuzz]") {
    test::run_corpus("client_session", test::fuzz_client_session, 3000);
}
TEST_CASE("a WebTransport session survives any browser", "[fuzz]") {
    test::run_corpus("webtransport", test::fuzz_web_session, 5000);
}
TEST_CASE("an honest client does not notice what strangers do to its server", "[fuzz]") {
    test::run_corpus("server", test::fuzz_server, 300);
}

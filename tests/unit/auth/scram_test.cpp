#include "quicchat/auth/scram.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "reference_crypto.hpp"
#include "scram_vectors.hpp"

using namespace quicchat;
using test::ReferenceCrypto;
using test::ScramVector;
using TestClient = ScramClient<ReferenceCrypto>;
using TestServer = ScramServer<ReferenceCrypto>;

namespace {

/// A server that waits for the proof.
TestServer challenging_server(const ScramVector& vector) {
    TestServer server = test::server_of<ReferenceCrypto>(vector);
    REQUIRE(server.handle_client_first(vector.message("client_first")));
    REQUIRE(server.provide(vector.look_up()));
    return server;
}

/// A client that waits for the challenge.
TestClient asking_client(const ScramVector& vector, ScramIterationRange range = {4096, 2'000'000}) {
    ScramCredentials credentials = vector.credentials();
    credentials.iterations = range;
    TestClient client{credentials, vector.binding(), vector["client_nonce"]};
    REQUIRE(client.initial());
    return client;
}

/// Every message that differs from `message` in one bit, and every beginning of it.
std::vector<std::string> damaged(const std::string& message) {
    std::vector<std::string> all;
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
        std::string flipped = message;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        all.push_back(flipped);
    }
    for (std::size_t size = 0; size < message.size(); ++size)
        all.push_back(message.substr(0, size));
    return all;
}

}  // namespace

TEST_CASE("the reference hash matches FIPS 180-4 and RFC 4231", "[auth]") {
    const auto base64 = [](const Digest& digest) { return encode_base64(digest); };
    CHECK(base64(ReferenceCrypto::sha256({})) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    CHECK(base64(ReferenceCrypto::sha256(as_bytes("abc"))) ==
          "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    CHECK(base64(ReferenceCrypto::hmac_sha256(as_bytes("Jefe"),
                                              as_bytes("what do ya want for nothing?"))) ==
          "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

TEST_CASE("the vectors of SCRAM-SHA-256-PLUS", "[auth][vectors]") {
    const auto vectors = test::scram_vectors();
    REQUIRE(vectors.size() >= 11);
    std::size_t accepted = 0;
    for (const ScramVector& vector : vectors) {
        CAPTURE(vector.name);
        test::check_scram_keys<ReferenceCrypto>(vector);
        test::check_scram_messages<ReferenceCrypto>(vector);
        accepted += vector.accepted();
    }
    CHECK(accepted == 2);
}

TEST_CASE("the vectors of SCRAM-SHA-256-PLUS in pages", "[auth][vectors]") {
    const auto vectors = test::scram_page_vectors();
    REQUIRE(vectors.size() >= 13);
    std::size_t accepted = 0;
    for (const ScramVector& vector : vectors) {
        CAPTURE(vector.name);
        test::check_scram_certificate<ReferenceCrypto>(vector);
        test::check_scram_keys<ReferenceCrypto>(vector);
        test::check_scram_messages<ReferenceCrypto>(vector);
        accepted += vector.accepted();
    }
    CHECK(accepted == 2);
}

TEST_CASE("a login with a damaged message fails", "[auth]") {
    const ScramVector vector = test::scram_vector("plus");

    SECTION("when the client's first message was damaged on the way") {
        for (const std::string& message : damaged(vector["client_first"])) {
            CAPTURE(message);
            TestServer server = test::server_of<ReferenceCrypto>(vector);
            const auto first = server.handle_client_first(as_bytes(message));
            if (!first) {
                REQUIRE(first.error() == Errc::login_failed);
                continue;
            }
            // The damage is in what is signed, so it shows at the proof: here over the challenge
            // that the client would have got.
            REQUIRE(server.provide(vector.look_up()));
            REQUIRE_FALSE(server.handle_client_final(vector.message("client_final")));
        }
    }
    SECTION("when the challenge was damaged: the server refuses the proof") {
        std::size_t answered = 0;
        // A range of one, so that a damaged number is refused before the hashing.
        const ScramIterationRange range{4096, 4096};
        for (const std::string& message : damaged(vector["server_first"])) {
            CAPTURE(message);
            TestClient client = asking_client(vector, range);
            const Result<Buffer> answer = client.handle_challenge(as_bytes(message));
            if (!answer) {
                REQUIRE(answer.error() == Errc::server_not_verified);
                continue;
            }
            ++answered;
            TestServer server = challenging_server(vector);
            REQUIRE_FALSE(server.handle_client_final(*answer));
            REQUIRE_FALSE(client.handle_success(vector.message("server_final")));
        }
        CHECK(answered > 100);  // the salt and the server's nonce show at the server only
    }
    SECTION("when the proof was damaged") {
        for (const std::string& message : damaged(vector["client_final"])) {
            CAPTURE(message);
            TestServer server = challenging_server(vector);
            const Result<Buffer> answer = server.handle_client_final(as_bytes(message));
            REQUIRE_FALSE(answer);
            REQUIRE(answer.error() == Errc::login_failed);
        }
    }
    SECTION("when the server's signature was damaged") {
        ClientKeyCache cache;
        {
            TestClient client = asking_client(vector);
            REQUIRE(client.handle_challenge(vector.message("server_first")));
            REQUIRE(client.handle_success(vector.message("server_final"), &cache));
        }
        for (const std::string& message : damaged(vector["server_final"])) {
            CAPTURE(message);
            TestClient client = asking_client(vector);
            REQUIRE(client.handle_challenge(vector.message("server_first"), &cache));
            const auto success = client.handle_success(as_bytes(message));
            REQUIRE_FALSE(success);
            REQUIRE(success.error() == Errc::server_not_verified);
        }
    }
}

TEST_CASE("a SCRAM client", "[auth]") {
    const ScramVector vector = test::scram_vector("plus");

    SECTION("refuses a server that does not prove itself") {
        for (const std::string_view message :
             {"", "e=other-error", "v=", "v=AAAA", "x=1",
              "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
              "m=1,v=2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs=",
              "e=x,v=2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs=",
              "v=2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs=,e=x"}) {
            CAPTURE(message);
            TestClient client = asking_client(vector);
            REQUIRE(client.handle_challenge(vector.message("server_first")));
            const auto success = client.handle_success(as_bytes(message));
            REQUIRE_FALSE(success);
            CHECK(success.error() == Errc::server_not_verified);
            // and is dead, also for the right signature
            CHECK_FALSE(client.handle_success(vector.message("server_final")));
        }
    }
    SECTION("ignores optional extensions at the end of the signature") {
        TestClient client = asking_client(vector);
        REQUIRE(client.handle_challenge(vector.message("server_first")));
        CHECK(client.handle_success(as_bytes(vector["server_final"] + ",x=1,Y=a=b")));
    }
    SECTION("signs the challenge as it came, with what it does not understand") {
        TestClient client = asking_client(vector);
        const auto answer = client.handle_challenge(as_bytes(vector["server_first"] + ",x=1"));
        REQUIRE(answer);
        CHECK(as_text(*answer) != vector["client_final"]);
        CHECK_FALSE(client.handle_success(vector.message("server_final")));
    }
    SECTION("refuses a nonce that is not its own with something behind it") {
        const std::string tail = ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        for (const std::string_view nonce :
             {"rOprNGfwEbeRWgbNEkqO", "rOprNGfwEbeRWgbNEkq", "xOprNGfwEbeRWgbNEkqOabc", "x", "",
              "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"}) {
            CAPTURE(nonce);
            TestClient client = asking_client(vector);
            CHECK_FALSE(client.handle_challenge(as_bytes("r=" + std::string{nonce} + tail)));
        }
    }
    SECTION("refuses numbers of iterations that a hostile server may ask for, without computing") {
        for (const std::string_view digits : {"2147483648",
                                              "2147483647",
                                              "4294967295",
                                              "4294971392",
                                              "4295167296",
                                              "18446744073709551616",
                                              "99999999999999999999999",
                                              "2000001",
                                              "99999",
                                              "4096",
                                              "0",
                                              "-1",
                                              "+100000",
                                              "0100000",
                                              " 100000",
                                              "100000 ",
                                              "1e5",
                                              "0x186a0",
                                              "",
                                              "100000.0"}) {
            CAPTURE(digits);
            TestClient client = asking_client(vector, {});
            const auto answer = client.handle_challenge(
                as_bytes("r=" + vector["client_nonce"] +
                         "abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=" + std::string{digits}));
            REQUIRE_FALSE(answer);
            CHECK(answer.error() == Errc::server_not_verified);
        }
    }
    SECTION("refuses challenges out of order, with mandatory extensions, or with bad base64") {
        const std::string r = "r=" + vector["client_nonce"] + "abc";
        for (const std::string& message :
             {r + ",i=4096,s=W22ZaJ0SNY7soEsUEjb6gQ==", "m=1," + vector["server_first"],
              vector["server_first"] + ",m=1", vector["server_first"] + ",i=4096",
              vector["server_first"] + ",", vector["server_first"] + ",x=", r + ",s=,i=4096",
              r + ",s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096", r + ",s=W22ZaJ0SNY7soEsUEjb6gR==,i=4096",
              r + ",s=W22Z aJ0SNY7soEsUEjb6gQ==,i=4096", "," + vector["server_first"],
              vector["server_first"] + ",x=" + std::string(sasl_bytes_max, 'x'),
              vector["server_first"] + ",x=\xff", vector["server_first"] + ",x=" + '\0'}) {
            CAPTURE(message);
            TestClient client = asking_client(vector);
            CHECK_FALSE(client.handle_challenge(as_bytes(message)));
            CHECK_FALSE(client.handle_challenge(vector.message("server_first")));
        }
    }
    SECTION("takes its calls in one order only, and once") {
        TestClient client = test::client_of<ReferenceCrypto>(vector);
        SECTION("no challenge before the first message") {
            CHECK_FALSE(client.handle_challenge(vector.message("server_first")));
            CHECK_FALSE(client.initial());
        }
        SECTION("no success before the challenge") {
            REQUIRE(client.initial());
            CHECK_FALSE(client.handle_success(vector.message("server_final")));
            CHECK_FALSE(client.handle_challenge(vector.message("server_first")));
        }
        SECTION("not even if the server signs with the zeros that stand there before it") {
            REQUIRE(client.initial());
            CHECK_FALSE(client.handle_success(as_bytes("v=" + encode_base64(Digest{}))));
        }
        SECTION("no second challenge") {
            REQUIRE(client.initial());
            REQUIRE(client.handle_challenge(vector.message("server_first")));
            CHECK_FALSE(client.handle_challenge(vector.message("server_first")));
            CHECK_FALSE(client.handle_success(vector.message("server_final")));
        }
        SECTION("no second success") {
            REQUIRE(client.initial());
            REQUIRE(client.handle_challenge(vector.message("server_first")));
            REQUIRE(client.handle_success(vector.message("server_final")));
            CHECK_FALSE(client.handle_success(vector.message("server_final")));
        }
    }
    SECTION("teaches a cache only by a login that succeeded") {
        ClientKeyCache cache;
        TestClient client = asking_client(vector);
        REQUIRE(client.handle_challenge(vector.message("server_first"), &cache));
        CHECK(cache.size() == 0);
        CHECK_FALSE(client.handle_success(as_bytes("v=AAAA"), &cache));
        CHECK(cache.size() == 0);
    }
    SECTION("says nothing on a connection whose binding is missing") {
        TestClient client{vector.credentials(), ChannelBinding{}, vector["client_nonce"]};
        CHECK_FALSE(client.initial());
    }
}

TEST_CASE("a SCRAM server", "[auth]") {
    const ScramVector vector = test::scram_vector("plus");
    const std::string bare = "n=user,r=rOprNGfwEbeRWgbNEkqO";

    SECTION("refuses every first message but ours") {
        for (const std::string& message :
             {"n,," + bare,
              "y,," + bare,
              "p=tls-unique,," + bare,
              "p=tls-server-end-point,," + bare,
              "p=,," + bare,
              "p=tls-exporter,a=user," + bare,
              "p=tls-exporter,a=," + bare,
              "p=TLS-EXPORTER,," + bare,
              "p=tls-exporter2,," + bare,
              "p=tls-exporter," + bare,
              bare,
              "p=tls-exporter,,m=1," + bare,
              "p=tls-exporter,," + bare + ",m=1",
              "p=tls-exporter,," + bare + ",n=x",
              "p=tls-exporter,," + bare + ",",
              "p=tls-exporter,," + bare + ",x",
              "p=tls-exporter,," + bare + ",1=x",
              std::string{"p=tls-exporter,,r=rOpr,n=user"},
              std::string{"p=tls-exporter,,n=user"},
              std::string{"p=tls-exporter,,n=user,r="},
              std::string{"p=tls-exporter,,n=,r=abc"},
              std::string{"p=tls-exporter,,n=user,r=a\x7f"},
              std::string{"p=tls-exporter,,n=us=2Cer,r=abc"},
              std::string{"p=tls-exporter,,n=us=3Der,r=abc"},
              std::string{"p=tls-exporter,,n=us=2cer,r=abc"},
              std::string{"p=tls-exporter,,n=us=er,r=abc"},
              std::string{"p=tls-exporter,,n=user=,r=abc"},
              std::string{"p=tls-exporter,,n=us er,r=abc"},
              std::string{"p=tls-exporter,,n=us\xc3\xa9r,r=abc"},
              "p=tls-exporter,,n=" + std::string(33, 'a') + ",r=abc",
              "p=tls-exporter,," + bare + std::string(sasl_bytes_max, 'x')}) {
            CAPTURE(message);
            TestServer server = test::server_of<ReferenceCrypto>(vector);
            const auto first = server.handle_client_first(as_bytes(message));
            REQUIRE_FALSE(first);
            CHECK(first.error() == Errc::login_failed);
            CHECK_FALSE(server.handle_client_first(vector.message("client_first")));
        }
    }
    SECTION("ignores optional extensions, and signs them") {
        TestServer server = test::server_of<ReferenceCrypto>(vector);
        REQUIRE(server.handle_client_first(as_bytes(vector["client_first"] + ",x=1")));
        REQUIRE(server.provide(vector.look_up()));
        CHECK_FALSE(server.handle_client_final(vector.message("client_final")));
    }
    SECTION("refuses a second first message, before and after the challenge") {
        TestServer server = test::server_of<ReferenceCrypto>(vector);
        REQUIRE(server.handle_client_first(vector.message("client_first")));
        CHECK_FALSE(server.handle_client_first(vector.message("client_first")));
        CHECK_FALSE(server.provide(vector.look_up()));

        TestServer challenging = challenging_server(vector);
        CHECK_FALSE(challenging.handle_client_first(vector.message("client_first")));
        CHECK_FALSE(challenging.handle_client_final(vector.message("client_final")));
    }
    SECTION("is dead after a wrong proof and after a right one") {
        TestServer wrong = challenging_server(vector);
        CHECK_FALSE(wrong.handle_client_final(as_bytes("c=biws,r=x,p=AAAA")));
        CHECK_FALSE(wrong.handle_client_final(vector.message("client_final")));

        TestServer right = challenging_server(vector);
        CHECK(right.handle_client_final(vector.message("client_final")));
        CHECK_FALSE(right.handle_client_final(vector.message("client_final")));
    }
    SECTION("refuses the right proof of an account that may not log in") {
        TestServer server = test::server_of<ReferenceCrypto>(vector);
        REQUIRE(server.handle_client_first(vector.message("client_first")));
        REQUIRE(server.provide({vector.verifier(), {}, false}));
        CHECK_FALSE(server.handle_client_final(vector.message("client_final")));
    }
    SECTION("refuses proofs out of order or with anything behind them") {
        const std::string proof = ",p=QC6CS20quADQRb3mT99YUH+n3VJxUvzuK0K0E1Vrs2M=";
        const std::string start =
            vector["client_final"].substr(0, vector["client_final"].size() - proof.size());
        for (const std::string& message :
             {start, start + proof + ",x=1", start + proof + proof, start + ",m=1" + proof,
              start + ",x=1" + proof, proof.substr(1) + "," + start,
              start + ",p=", start + ",p=AAAA", start + proof + ",", "x=1," + start + proof}) {
            CAPTURE(message);
            TestServer server = challenging_server(vector);
            CHECK_FALSE(server.handle_client_final(as_bytes(message)));
        }
    }
    SECTION("refuses the proof of another connection's nonce") {
        TestServer server{vector.binding(), "another"};
        REQUIRE(server.handle_client_first(vector.message("client_first")));
        REQUIRE(server.provide(vector.look_up()));
        CHECK_FALSE(server.handle_client_final(vector.message("client_final")));
    }
    SECTION("refuses a login on a connection whose binding is missing") {
        TestServer server{ChannelBinding{}, vector["server_nonce"]};
        CHECK_FALSE(server.handle_client_first(vector.message("client_first")));
    }
}

TEST_CASE("a SASL name has two escapes", "[auth]") {
    CHECK(detail::unescape_sasl_name("a=2Cb=3Dc") == "a,b=c");
    CHECK(detail::unescape_sasl_name("=3D2C") == "=2C");  // undone once
    for (const std::string_view bad : {"=", "=2", "=2c", "=3d", "==", "a=41", "=2C="}) {
        CAPTURE(bad);
        CHECK_FALSE(detail::unescape_sasl_name(bad));
    }
}

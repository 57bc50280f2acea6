#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/scram.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/hex.hpp"
#include "vector_file.hpp"

namespace quicchat::test {

/// One vector of tests/vectors/scram.txt, or of scram_page.txt, which are those of pages.
struct ScramVector {
    std::string name;
    std::map<std::string, std::string> values;

    const std::string& operator[](const std::string& key) const { return values.at(key); }
    BytesView message(const std::string& key) const { return as_bytes(values.at(key)); }
    bool accepted() const { return values.at("accepted") == "yes"; }
    std::uint32_t iterations() const {
        return static_cast<std::uint32_t>(std::stoul(values.at("iterations")));
    }
    Verifier verifier() const { return parse_verifier(values.at("verifier")).value(); }
    std::string_view gs2_header() const {
        return values.contains("certificate") ? scram_page_gs2_header : scram_gs2_header;
    }
    ScramLookUp look_up() const { return {verifier(), values.at("user"), true}; }
    ChannelBinding binding() const {
        const std::string& digits = values.at("binding");
        ChannelBinding binding{};
        for (std::size_t i = 0; i < binding.size(); ++i) {
            binding[i] = static_cast<std::byte>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
        }
        return binding;
    }
    ScramCredentials credentials() const {
        ScramCredentials credentials;
        credentials.user = values.at("user");
        credentials.password = Secret{as_bytes(values.at("password"))};
        credentials.iterations.min = scram_iterations_floor;
        return credentials;
    }
};

inline std::vector<ScramVector> scram_vectors() {
    return read_vectors<ScramVector>("scram.txt");
}

inline std::vector<ScramVector> scram_page_vectors() {
    return read_vectors<ScramVector>("scram_page.txt");
}

inline ScramVector scram_vector(std::string_view name) {
    for (ScramVector& vector : scram_vectors()) {
        if (vector.name == name) return vector;
    }
    FAIL("no vector " << name);
    return {};
}

template <ScramCrypto Crypto>
ScramClient<Crypto> client_of(const ScramVector& vector) {
    return {vector.credentials(), vector.binding(), vector["client_nonce"], vector.gs2_header()};
}

template <ScramCrypto Crypto>
ScramServer<Crypto> server_of(const ScramVector& vector) {
    return {vector.binding(), vector["server_nonce"], vector.gs2_header()};
}

/// The keys of a vector, which do not depend on the messages.
template <ScramCrypto Crypto>
void check_scram_keys(const ScramVector& vector) {
    const Verifier expected = vector.verifier();
    const Result<Verifier> made =
        make_verifier<Crypto>(vector["password"], expected.salt, vector.iterations());
    REQUIRE(made);
    CHECK(*made == expected);
    CHECK(format_verifier(*made) == vector["verifier"]);
    CHECK(encode_base64(expected.salt) == vector["salt"]);
    const Digest salted = Crypto::pbkdf2_hmac_sha256(as_bytes(vector["password"]), expected.salt,
                                                     vector.iterations());
    std::string digits;
    for (const std::byte octet : salted) {
        digits += "0123456789abcdef"[std::to_integer<int>(octet) >> 4];
        digits += "0123456789abcdef"[std::to_integer<int>(octet) & 15];
    }
    CHECK(digits == vector["salted_password"]);
}

/// The binding of a page is its server's certificate, hashed.
template <ScramCrypto Crypto>
void check_scram_certificate(const ScramVector& vector) {
    CHECK(Crypto::sha256(decode_hex(vector["certificate"])) == vector.binding());
}

/// Both ends say what the vector says, or the server refuses what the client says.
template <ScramCrypto Crypto>
void check_scram_messages(const ScramVector& vector) {
    ScramServer<Crypto> server = server_of<Crypto>(vector);
    if (!vector.accepted()) {
        if (const auto first = server.handle_client_first(vector.message("client_first")); !first) {
            CHECK(first.error() == Errc::login_failed);
            return;
        }
        REQUIRE(as_text(server.provide(vector.look_up()).value()) == vector["server_first"]);
        const Result<Buffer> last = server.handle_client_final(vector.message("client_final"));
        REQUIRE_FALSE(last);
        CHECK(last.error() == Errc::login_failed);
        return;
    }
    ScramClient<Crypto> client = client_of<Crypto>(vector);
    CHECK(as_text(client.initial().value()) == vector["client_first"]);
    REQUIRE(server.handle_client_first(vector.message("client_first")));
    CHECK(server.user() == vector["user"]);
    CHECK(as_text(server.provide(vector.look_up()).value()) == vector["server_first"]);
    CHECK(as_text(client.handle_challenge(vector.message("server_first")).value()) ==
          vector["client_final"]);
    CHECK(as_text(server.handle_client_final(vector.message("client_final")).value()) ==
          vector["server_final"]);
    CHECK(client.handle_success(vector.message("server_final")));
}

}  // namespace quicchat::test

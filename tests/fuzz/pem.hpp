#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "input.hpp"
#include "quic/certificate_files.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/endpoint.hpp"

namespace quicchat::test {

/// Any files in the place of a certificate, its key, and authorities: what check_pair takes a
/// server takes, and nothing else.
inline void fuzz_pem(BytesView bytes) {
    static const quic::CertificatePair genuine = certificate_pair("ed25519");
    quic::initialise_tls();
    FuzzInput input{bytes};
    const std::uint8_t order = input.octet();
    std::string certificate = genuine.certificate_pem;
    std::string key = genuine.key_pem;
    const std::size_t place = input.octet() * 4u;
    std::string& altered = order % 2 == 0 ? certificate : key;
    if (order % 4 < 2) {  // a file of its own
        altered = as_text(input.rest());
    } else {  // some letters in the one that is good
        const std::string_view text = as_text(input.rest());
        altered.replace(std::min(place, altered.size()), order / 4u % 16, text);
    }

    for (const quic::Der& der : quic::certificates_from_pem(altered)) {
        (void)quic::fingerprint_of(der);
        (void)quic::validity_of(der);
    }
    (void)quic::key_fingerprint(altered);
    const WallTime now{std::chrono::hours{24 * 365 * 57}};
    const std::error_code problem = quic::check_pair(certificate, key, now);
    must(!problem || problem.category() == quic::certificate_category());
    quic::Config config;
    config.seed = quic::test_seed(1);
    const auto server =
        quic::Endpoint::server({.certificate_pem = certificate, .key_pem = key}, config);
    if (!problem) must(server.has_value());
    const auto client = quic::Endpoint::client(
        {.server_name = "localhost", .trust = quic::Trust::authorities(altered)}, config);
    must(client.has_value() || client.error().category() == quic::certificate_category());
}

}  // namespace quicchat::test

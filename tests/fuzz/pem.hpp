#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "input.hpp"
#include "quic/certificate_files.hpp"
#include "quicchat/quic/certificate.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "quicchat/quic/trust.hpp"

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

/// A certificate as a hostile server shows it, in DER: who judges it must survive it, and take a
/// key for the one that it is.
inline void fuzz_certificates(BytesView bytes) {
    static const std::array<quic::Der, 4> genuine = [] {
        const auto read = [](const char* name) {
            return quic::certificates_from_pem(certificate_file(name)).at(0);
        };
        return std::array{read("ed25519.crt"), read("leaf.crt"), read("rsa_2048.crt"),
                          read("no_subject.crt")};
    }();
    static const std::string authorities =
        certificate_file("authority.crt") + certificate_file("ed25519.crt");
    quic::initialise_tls();
    FuzzInput input{bytes};
    const std::uint8_t order = input.octet();
    quic::Der der = genuine[order % genuine.size()];
    for (int changes = 0; !input.empty() && changes < 8; ++changes) {
        const std::size_t place =
            std::min<std::size_t>(input.octet() * 8u + input.octet() % 8u, der.size());
        const auto at = der.begin() + static_cast<std::ptrdiff_t>(place);
        const std::size_t removed = std::min<std::size_t>(input.octet() % 16u, der.size() - place);
        const auto end = der.erase(at, at + static_cast<std::ptrdiff_t>(removed));
        const BytesView added = input.take(order >= 128 ? input.octet() : removed);
        const auto* first = reinterpret_cast<const std::uint8_t*>(added.data());
        der.insert(end, first, first + added.size());
    }

    const auto key = quic::fingerprint_of(der);
    (void)quic::validity_of(der);
    const auto pinned = *quic::fingerprint_of(genuine[order % genuine.size()]);
    const quic::TrustCheck pin{quic::Trust::pinned({pinned}), "localhost"};
    must((pin.judge(der) == std::nullopt) == (key == pinned));
    const quic::TrustCheck first_use{quic::Trust::first_use({}), "localhost"};
    must((first_use.judge(der) == std::nullopt) == key.has_value());
    for (const char* name : {"localhost", "127.0.0.1", "::1", "chat.example.org", ""}) {
        const quic::TrustCheck authority{quic::Trust::authorities(authorities), name};
        if (authority.judge(der) == std::nullopt) must(key.has_value());
    }
}

}  // namespace quicchat::test

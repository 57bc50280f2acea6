#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/pem.hpp"

namespace quicchat::quic {

/// What a certificate says of itself, for people. From the network: clean it before showing it.
struct CertificateFacts {
    std::string subject;             ///< "/CN=chat.example.org"; may be empty.
    std::string issuer;              ///< Who signed it.
    std::vector<std::string> names;  ///< Host names and addresses that it is for.
    Validity validity;               ///< Its first and its last second.
    bool is_self_signed = false;     ///< Its subject is its issuer; the signature is not checked.
    bool is_p256 = false;            ///< Its key is ECDSA on P-256.

    /// Whether browsers take it from a page that pins it (W3C WebTransport, "custom certificate
    /// requirements"): such a key, and good for two weeks at most.
    bool can_be_pinned() const {
        return is_p256 && validity.end - validity.begin <= std::chrono::days{14};
    }
};

/// Nothing if it is no certificate.
QUICCHAT_DECL std::optional<CertificateFacts> certificate_facts(
    std::span<const std::uint8_t> certificate);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/certificate_facts.ipp"
#endif

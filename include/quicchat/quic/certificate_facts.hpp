#pragma once

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
    Validity validity;
    bool is_self_signed = false;
};

/// Nothing if it is no certificate.
QUICCHAT_DECL std::optional<CertificateFacts> certificate_facts(
    std::span<const std::uint8_t> certificate);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/certificate_facts.ipp"
#endif

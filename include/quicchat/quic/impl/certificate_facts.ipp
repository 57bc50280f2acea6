#pragma once

#include "quicchat/quic/certificate_facts.hpp"

#include <arpa/inet.h>

#include <array>
#include <utility>

namespace quicchat::quic {

QUICCHAT_RARE_DECL std::optional<CertificateFacts> certificate_facts(
    std::span<const std::uint8_t> certificate) {
    const std::optional<Validity> validity = validity_of(certificate);
    if (!validity) return std::nullopt;
    CertificateFacts facts;
    facts.validity = *validity;
    ::DecodedCert decoded;
    wc_InitDecodedCert(&decoded, certificate.data(), static_cast<word32>(certificate.size()),
                       nullptr);
    if (wc_ParseCert(&decoded, CERT_TYPE, NO_VERIFY, nullptr) == 0) {
        facts.subject = decoded.subject;
        facts.issuer = decoded.issuer;
        facts.is_self_signed = decoded.selfSigned != 0;
        facts.is_p256 = decoded.keyOID == ECDSAk && decoded.pkCurveOID == ECC_SECP256R1_OID;
        for (const ::DNS_entry* name = decoded.altNames; name != nullptr; name = name->next) {
            std::array<char, INET6_ADDRSTRLEN> text{};
            const int family = name->len == 4 ? AF_INET : AF_INET6;
            const bool is_address =
                name->type == ASN_IP_TYPE && (name->len == 4 || name->len == 16);
            if (name->type == ASN_DNS_TYPE) {
                facts.names.emplace_back(name->name, static_cast<std::size_t>(name->len));
            } else if (is_address &&
                       inet_ntop(family, name->name, text.data(), text.size()) != nullptr) {
                facts.names.emplace_back(text.data());
            }
        }
    }
    wc_FreeDecodedCert(&decoded);
    return facts;
}

}  // namespace quicchat::quic

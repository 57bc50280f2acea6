#pragma once

#include "quicchat/quic/trust.hpp"

#include <wolfssl/wolfcrypt/asn.h>

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL Trust Trust::authorities(std::string pem) {
    return {.mode = Mode::authorities, .authorities_pem = std::move(pem)};
}

QUICCHAT_RARE_DECL Trust Trust::pinned(std::vector<Fingerprint> keys) {
    return {.mode = Mode::keys, .keys = std::move(keys)};
}

QUICCHAT_RARE_DECL Trust Trust::first_use(std::vector<Fingerprint> known) {
    return {.mode = Mode::first_use, .keys = std::move(known)};
}

QUICCHAT_RARE_DECL bool Trust::needs_authority() const {
    return mode == Mode::system_authorities || mode == Mode::authorities;
}

QUICCHAT_RARE_DECL TrustCheck::TrustCheck(Trust trust, std::string server_name)
    : trust_(std::move(trust)), server_name_(std::move(server_name)) {
    if (trust_.mode == Trust::Mode::authorities) {
        authorities_ = certificates_from_pem(trust_.authorities_pem);
    }
}

QUICCHAT_RARE_DECL bool TrustCheck::is_given_certificate(std::span<const std::uint8_t> leaf) const {
    return std::any_of(authorities_.begin(), authorities_.end(), [&](const Der& authority) {
        return std::equal(authority.begin(), authority.end(), leaf.begin(), leaf.end());
    });
}

QUICCHAT_RARE_DECL std::optional<Errc> TrustCheck::judge(std::span<const std::uint8_t> leaf) const {
    const std::optional<Fingerprint> key = fingerprint_of(leaf);
    if (!key) return Errc::certificate_untrusted;
    switch (trust_.mode) {
        case Trust::Mode::anyone:
            return std::nullopt;
        case Trust::Mode::keys:
            return judge_key(*key);
        case Trust::Mode::first_use:
            return trust_.keys.empty() ? std::nullopt : judge_key(*key);
        case Trust::Mode::authorities:
        case Trust::Mode::system_authorities:
            break;
    }
    const Certificate certificate = parse(leaf);
    if (certificate == nullptr) return Errc::certificate_untrusted;
    if (!is_valid_today(*certificate)) return Errc::certificate_expired;
    if (is_given_certificate(leaf) || has_name(*certificate, leaf)) return std::nullopt;
    return Errc::certificate_name;
}

QUICCHAT_RARE_DECL std::optional<Errc> TrustCheck::judge_key(const Fingerprint& key) const {
    const bool known = std::find(trust_.keys.begin(), trust_.keys.end(), key) != trust_.keys.end();
    return known ? std::nullopt : std::optional{Errc::server_key_changed};
}

QUICCHAT_RARE_DECL TrustCheck::Certificate TrustCheck::parse(std::span<const std::uint8_t> der) {
    return Certificate{wolfSSL_X509_d2i(nullptr, der.data(), static_cast<int>(der.size()))};
}

QUICCHAT_RARE_DECL bool TrustCheck::is_valid_today(const WOLFSSL_X509& certificate) {
    return wolfSSL_X509_cmp_current_time(wolfSSL_X509_get_notBefore(&certificate)) < 0 &&
           wolfSSL_X509_cmp_current_time(wolfSSL_X509_get_notAfter(&certificate)) > 0;
}

QUICCHAT_RARE_DECL bool TrustCheck::has_name(WOLFSSL_X509& certificate,
                                             std::span<const std::uint8_t> leaf) const {
    if (server_name_.empty()) return false;
    if (const auto address = SocketAddress::from_numeric(server_name_, 0)) {
        return has_address(*address, leaf);
    }
    return wolfSSL_X509_check_host(&certificate, server_name_.data(), server_name_.size(), 0,
                                   nullptr) == WOLFSSL_SUCCESS;
}

QUICCHAT_RARE_DECL bool TrustCheck::has_address(const SocketAddress& address,
                                                std::span<const std::uint8_t> leaf) {
    const bool v4 = address.family() == AF_INET;
    const void* wanted = v4 ? static_cast<const void*>(&address.v4().sin_addr)
                            : static_cast<const void*>(&address.v6().sin6_addr);
    const std::size_t size = v4 ? sizeof(in_addr) : sizeof(in6_addr);

    ::DecodedCert decoded;
    wc_InitDecodedCert(&decoded, leaf.data(), static_cast<word32>(leaf.size()), nullptr);
    bool found = false;
    if (wc_ParseCert(&decoded, CERT_TYPE, NO_VERIFY, nullptr) == 0) {
        for (const ::DNS_entry* name = decoded.altNames; name != nullptr; name = name->next) {
            found |= name->type == ASN_IP_TYPE && static_cast<std::size_t>(name->len) == size &&
                     std::memcmp(name->name, wanted, size) == 0;
        }
    }
    wc_FreeDecodedCert(&decoded);
    return found;
}

}  // namespace quicchat::quic

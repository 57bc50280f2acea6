#pragma once

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/error.hpp"
#include "quicchat/quic/address.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/quic/pem.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::quic {

/// Whom a client believes that it is talking to the right server.
struct Trust {
    enum class Mode : std::uint8_t {
        system_authorities,  ///< The operating system's certificate authorities.
        authorities,         ///< The authorities in `authorities_pem`; or exactly that certificate.
        keys,                ///< Only servers with one of the `keys`, whoever signed for them.
        first_use,           ///< As `keys`; but if there is none yet, any key, and it is reported.
        anyone,              ///< No check at all. For experiments.
    };

    Mode mode = Mode::system_authorities;
    std::string authorities_pem{};
    std::vector<Fingerprint> keys{};

    static Trust system() { return {}; }
    static Trust authorities(std::string pem) {
        return {.mode = Mode::authorities, .authorities_pem = std::move(pem)};
    }
    static Trust pinned(std::vector<Fingerprint> keys) {
        return {.mode = Mode::keys, .keys = std::move(keys)};
    }
    /// `known` are the keys that were stored for this server at earlier visits.
    static Trust first_use(std::vector<Fingerprint> known) {
        return {.mode = Mode::first_use, .keys = std::move(known)};
    }
    static Trust insecure() { return {.mode = Mode::anyone}; }

    /// True if an authority has to vouch; false if only the key counts, or nothing.
    bool needs_authority() const {
        return mode == Mode::system_authorities || mode == Mode::authorities;
    }
};

/// Judges the certificate of one server name under one Trust. The same function decides inside the
/// handshake, so that a wrong server learns nothing, and again before Connected is reported, so
/// that nothing depends on how often or whether the TLS library asks.
class TrustCheck {
public:
    TrustCheck(Trust trust, std::string server_name)
        : trust_(std::move(trust)), server_name_(std::move(server_name)) {
        if (trust_.mode == Trust::Mode::authorities) {
            authorities_ = certificates_from_pem(trust_.authorities_pem);
        }
    }

    const Trust& trust() const { return trust_; }
    const std::string& server_name() const { return server_name_; }

    /// True if the server's own certificate was handed to us as the one to trust: then nobody needs
    /// to vouch for it, and it has the name that we know it by.
    bool is_given_certificate(std::span<const std::uint8_t> leaf) const {
        return std::any_of(authorities_.begin(), authorities_.end(), [&](const Der& authority) {
            return std::equal(authority.begin(), authority.end(), leaf.begin(), leaf.end());
        });
    }

    /// Nothing if the server's certificate is acceptable, or why not. Whether an authority signed
    /// it is the TLS library's business.
    std::optional<Errc> judge(std::span<const std::uint8_t> leaf) const {
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

private:
    using Certificate = Handle<WOLFSSL_X509, wolfSSL_X509_free>;

    std::optional<Errc> judge_key(const Fingerprint& key) const {
        const bool known =
            std::find(trust_.keys.begin(), trust_.keys.end(), key) != trust_.keys.end();
        return known ? std::nullopt : std::optional{Errc::server_key_changed};
    }

    static Certificate parse(std::span<const std::uint8_t> der) {
        return Certificate{wolfSSL_X509_d2i(nullptr, der.data(), static_cast<int>(der.size()))};
    }

    // Certificates are the one thing that lives in calendar time; the TLS library reads the clock
    // for its own checks as well.
    static bool is_valid_today(const WOLFSSL_X509& certificate) {
        return wolfSSL_X509_cmp_current_time(wolfSSL_X509_get_notBefore(&certificate)) < 0 &&
               wolfSSL_X509_cmp_current_time(wolfSSL_X509_get_notAfter(&certificate)) > 0;
    }

    bool has_name(WOLFSSL_X509& certificate, std::span<const std::uint8_t> leaf) const {
        if (server_name_.empty()) return false;
        if (const auto address = SocketAddress::from_numeric(server_name_, 0)) {
            return has_address(*address, leaf);
        }
        return wolfSSL_X509_check_host(&certificate, server_name_.data(), server_name_.size(), 0,
                                       nullptr) == WOLFSSL_SUCCESS;
    }

    /// RFC 9525 §6.5: an IP address has to be among the subjectAltNames, in binary form.
    static bool has_address(const SocketAddress& address, std::span<const std::uint8_t> leaf) {
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

    Trust trust_;
    std::string server_name_;
    std::vector<Der> authorities_;
};

}  // namespace quicchat::quic

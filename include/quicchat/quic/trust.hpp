#pragma once

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/error.hpp"
#include "quicchat/quic/address.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/quic/pem.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::quic {

/// Whom a client believes that it is talking to the right server.
struct Trust {
    /// What counts.
    enum class Mode : std::uint8_t {
        /// The operating system's certificate authorities; or those that SSL_CERT_FILE and
        /// SSL_CERT_DIR name, as containers and package managers do.
        system_authorities,
        authorities,  ///< The authorities in `authorities_pem`; or exactly that certificate.
        keys,         ///< Only servers with one of the `keys`, whoever signed for them.
        first_use,    ///< As `keys`; but if there is none yet, any key, and it is reported.
        anyone,       ///< No check at all. For experiments.
    };

    Mode mode = Mode::system_authorities;  ///< What counts.
    std::string authorities_pem{};         ///< Of `Mode::authorities`: certificates in PEM form.
    std::vector<Fingerprint> keys{};       ///< Of `Mode::keys` and `Mode::first_use`.

    /// The authorities of the operating system.
    static Trust system() { return {}; }
    /// Authorities in PEM form, or the server's own certificate.
    static Trust authorities(std::string pem);
    /// Servers with one of these keys, and no other.
    static Trust pinned(std::vector<Fingerprint> keys);
    /// The key that a server shows first is trusted from then on, as SSH does it. `known` are the
    /// keys that were stored for this server at earlier visits.
    static Trust first_use(std::vector<Fingerprint> known);
    /// Whoever answers. For experiments.
    static Trust insecure() { return {.mode = Mode::anyone}; }

    /// True if an authority has to vouch; false if only the key counts, or nothing.
    bool needs_authority() const;
};

/// Judges the certificate of one server name under one Trust. The same function decides inside the
/// handshake, so that a wrong server learns nothing, and again before Connected is reported, so
/// that nothing depends on how often or whether the TLS library asks.
class TrustCheck {
public:
    /// `server_name` is what the certificate must be for, where an authority vouches for it.
    TrustCheck(Trust trust, std::string server_name);

    /// As given.
    const Trust& trust() const { return trust_; }
    /// As given.
    const std::string& server_name() const { return server_name_; }

    /// True if the server's own certificate was handed to us as the one to trust: then nobody needs
    /// to vouch for it, and it has the name that we know it by.
    bool is_given_certificate(std::span<const std::uint8_t> leaf) const;

    /// Nothing if the server's certificate is acceptable, or why not. Whether an authority signed
    /// it is the TLS library's business.
    std::optional<Errc> judge(std::span<const std::uint8_t> leaf) const;

private:
    using Certificate = Handle<WOLFSSL_X509, wolfSSL_X509_free>;

    std::optional<Errc> judge_key(const Fingerprint& key) const;

    static Certificate parse(std::span<const std::uint8_t> der);

    // Certificates are the one thing that lives in calendar time; the TLS library reads the clock
    // for its own checks as well.
    static bool is_valid_today(const WOLFSSL_X509& certificate);

    bool has_name(WOLFSSL_X509& certificate, std::span<const std::uint8_t> leaf) const;

    /// RFC 9525 §6.5: an IP address has to be among the subjectAltNames, in binary form.
    static bool has_address(const SocketAddress& address, std::span<const std::uint8_t> leaf);

    Trust trust_;
    std::string server_name_;
    std::vector<Der> authorities_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/trust.ipp"
#endif

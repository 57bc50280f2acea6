#pragma once

#include <sys/stat.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>

#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/pem.hpp"

namespace quicchat::quic {

/// A certificate and its private key, both in PEM form.
struct CertificatePair {
    /// One certificate, or a chain that begins with that of the server.
    std::string certificate_pem;
    std::string key_pem;  ///< Without a passphrase. A secret: see `write_private_file`.
};

namespace detail {

/// A new certificate is good from then on already, for clocks that go after ours.
inline constexpr std::chrono::hours self_made_margin{1};

/// RFC 5280 §4.2.1.6: GeneralNames with dNSName [2] and iPAddress [7].
QUICCHAT_DECL std::optional<Der> encode_alt_names(const std::vector<std::string>& names);

/// RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on.
QUICCHAT_DECL std::string encode_date(WallTime time);

QUICCHAT_DECL std::string to_pem(const Der& der, int type);

/// A P-256 key and a generator of random numbers.
class SigningKey {
public:
    /// A new one.
    SigningKey();
    /// The one of a PEM text.
    explicit SigningKey(std::string_view key_pem);
    ~SigningKey();
    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;

    bool ready() const { return ready_; }
    ::ecc_key* key() { return &key_; }
    ::WC_RNG* rng() { return &rng_; }

private:
    ::WC_RNG rng_{};
    ::ecc_key key_{};
    bool ready_ = false;
};

QUICCHAT_DECL Der self_sign(::Cert& cert, SigningKey& key);

/// In PEM form; empty if it could not be made.
QUICCHAT_DECL std::string make_certificate(const std::vector<std::string>& names, int days,
                                           WallTime now, SigningKey& key);

}  // namespace detail

/// Makes a P-256 key and a certificate for it, signed by itself, valid from an hour ago for `days`
/// days. `names` are host names or addresses; the first is also the common name.
QUICCHAT_DECL Result<CertificatePair> make_self_signed(const std::vector<std::string>& names,
                                                       int days, WallTime now);

/// Another certificate, in PEM form, for the key and the names of one that `make_self_signed` has
/// made: who knows the key goes on without a question. `names` count where it has none.
///
/// What `check_pair` says of the pair, but for its time; `not_self_signed`; `key_unusable`: a key
/// that is not P-256.
QUICCHAT_DECL Result<std::string> renew_self_signed(std::string_view certificate_pem,
                                                    std::string_view key_pem,
                                                    const std::vector<std::string>& names, int days,
                                                    WallTime now);

/// Whether `make_self_signed` or `renew_self_signed` has made it, as far as one can see: it is
/// signed by its own P-256 key, for this computer, for whole days and the hour before.
QUICCHAT_DECL bool is_self_made(std::string_view certificate_pem, std::string_view key_pem);

/// Writes a new file that only its owner can read. Refuses to touch a file that is there already.
QUICCHAT_DECL std::error_code write_private_file(const std::string& path, std::string_view text);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/certificate.ipp"
#endif

#pragma once

#include <sys/stat.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/pem.hpp"

namespace quicchat::quic {

/// A certificate and its private key, both in PEM form.
struct CertificatePair {
    std::string certificate_pem;
    std::string key_pem;
};

namespace detail {

/// RFC 5280 §4.2.1.6: GeneralNames with dNSName [2] and iPAddress [7].
QUICCHAT_DECL std::optional<Der> encode_alt_names(const std::vector<std::string>& names);

/// RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on.
QUICCHAT_DECL std::string encode_date(WallTime time);

QUICCHAT_DECL std::string to_pem(const Der& der, int type);

/// A P-256 key and the generator that made it.
class NewKey {
public:
    NewKey();
    ~NewKey();
    NewKey(const NewKey&) = delete;
    NewKey& operator=(const NewKey&) = delete;

    bool ready() const { return ready_; }
    ::ecc_key* key() { return &key_; }
    ::WC_RNG* rng() { return &rng_; }

private:
    ::WC_RNG rng_{};
    ::ecc_key key_{};
    bool ready_ = false;
};

QUICCHAT_DECL Der self_sign(::Cert& cert, NewKey& key);

}  // namespace detail

/// Makes a P-256 key and a certificate for it, signed by itself, valid from an hour ago for `days`
/// days. `names` are host names or addresses; the first is also the common name.
QUICCHAT_DECL Result<CertificatePair> make_self_signed(const std::vector<std::string>& names,
                                                       int days, WallTime now);

/// Writes a new file that only its owner can read. Refuses to touch a file that is there already.
QUICCHAT_DECL std::error_code write_private_file(const std::string& path, std::string_view text);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/certificate.ipp"
#endif

#pragma once

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::quic {

/// The bytes of a certificate or key in DER.
using Der = std::vector<std::uint8_t>;

/// What can be wrong with a server's certificate and key.
enum class CertificateError : int {
    not_a_certificate = 1,
    certificate_is_key,
    not_a_key,
    key_is_certificate,
    key_encrypted,
    mismatch,
    key_unusable,
    expired,
    not_yet_valid,
    not_authorities,
    failed,
    not_self_signed,
};

/// The same for people: what is wrong, and what to do about it.
struct CertificateProblem {
    CertificateError error;  ///< Which one it is.
    std::string_view code;   ///< Stable, for programs.
    std::string_view what;   ///< A clause: "the private key does not belong to the certificate".
    std::string_view fix;    ///< A clause in the imperative.
};

// clang-format off
/// All of them, in the order of the enumeration.
inline constexpr CertificateProblem certificate_problems[] = {
    {CertificateError::not_a_certificate, "not_a_certificate",
     "the certificate file holds no certificate in PEM form",
     "give the file that begins with -----BEGIN CERTIFICATE-----"},
    {CertificateError::certificate_is_key, "certificate_is_key",
     "the certificate file holds a private key",
     "exchange the two files: the certificate's begins with -----BEGIN CERTIFICATE-----"},
    {CertificateError::not_a_key, "not_a_key",
     "the key file holds no private key that can be used",
     "give the RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519 key in PEM form"},
    {CertificateError::key_is_certificate, "key_is_certificate",
     "the key file holds a certificate",
     "give the file that begins with -----BEGIN PRIVATE KEY-----"},
    {CertificateError::key_encrypted, "key_encrypted",
     "the private key is protected by a passphrase",
     "write one without: openssl pkey -in server.key -out server-plain.key"},
    {CertificateError::mismatch, "mismatch",
     "the private key does not belong to the certificate",
     "use the key that the certificate was made with, or make a new pair"},
    {CertificateError::key_unusable, "key_unusable",
     "the certificate has a key that is too small, or of a kind that cannot be used",
     "make one with an RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519 key"},
    {CertificateError::expired, "expired",
     "the certificate's time is over",
     "renew it, or make a new pair"},
    {CertificateError::not_yet_valid, "not_yet_valid",
     "the certificate's time has not begun",
     "check the clock of this computer, or make a new pair"},
    {CertificateError::not_authorities, "not_authorities",
     "there is no certificate authority that can be used",
     "give a file with -----BEGIN CERTIFICATE-----, or install the package ca-certificates"},
    {CertificateError::failed, "failed",
     "the certificate could not be made",
     "check the names: host names or addresses, each below 64 letters"},
    {CertificateError::not_self_signed, "not_self_signed",
     "the certificate was signed by an authority",
     "have the authority renew it"},
};
// clang-format on

/// Its row of the table.
QUICCHAT_DECL const CertificateProblem& explain(CertificateError error);

/// The category of CertificateError.
class CertificateCategory final : public std::error_category {
public:
    /// As std::error_category has them; the text is `CertificateProblem::what`.
    /// @{
    const char* name() const noexcept override { return "certificate"; }
    std::string message(int value) const override;
    /// @}
};

/// The only CertificateCategory.
QUICCHAT_DECL const std::error_category& certificate_category();

/// What std::error_code makes of a CertificateError by itself.
QUICCHAT_DECL std::error_code make_error_code(CertificateError error);

}  // namespace quicchat::quic

template <>
struct std::is_error_code_enum<quicchat::quic::CertificateError> : std::true_type {};

namespace quicchat::quic {

namespace detail {

inline constexpr short rsa_bits_min = 2048;

/// The PEM block from "-----BEGIN <label>-----" to its end, beginning the search at `from`.
/// Moves `from` behind the block.
QUICCHAT_DECL std::string_view pem_block(std::string_view text, std::string_view label,
                                         std::size_t& from);

QUICCHAT_DECL std::string_view key_block(std::string_view text);

QUICCHAT_DECL const std::uint8_t* bytes_of(std::string_view text);

}  // namespace detail

/// All certificates of a PEM text, in its order. What is not a certificate is skipped.
QUICCHAT_DECL std::vector<Der> certificates_from_pem(std::string_view pem);

/// The SHA-256 of the certificate's SubjectPublicKeyInfo, or nothing if it has none.
QUICCHAT_DECL std::optional<Fingerprint> fingerprint_of(std::span<const std::uint8_t> certificate);

/// The fingerprint of the first certificate in a PEM text.
QUICCHAT_DECL Result<Fingerprint> key_fingerprint(std::string_view certificate_pem);

/// First and last second of a certificate's validity.
struct Validity {
    /// UTC, both included.
    /// @{
    WallTime begin{};
    WallTime end{};
    /// @}
};

/// Nothing if it is no certificate.
QUICCHAT_DECL std::optional<Validity> validity_of(std::span<const std::uint8_t> certificate);

/// Nothing if a server can use this pair, or the first thing that is wrong with it.
QUICCHAT_DECL std::error_code check_pair(std::string_view certificate_pem, std::string_view key_pem,
                                         WallTime now);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/pem.ipp"
#endif

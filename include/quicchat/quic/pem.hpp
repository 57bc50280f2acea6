#pragma once

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/transport/fingerprint.hpp"

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
    expired,
    not_yet_valid,
    not_authorities,
    failed,
};

/// The same for people: what is wrong, and what to do about it.
struct CertificateProblem {
    CertificateError error;
    std::string_view code;  ///< Stable, for programs.
    std::string_view what;
    std::string_view fix;
};

// clang-format off
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
};
// clang-format on

inline const CertificateProblem& explain(CertificateError error) {
    for (const CertificateProblem& problem : certificate_problems) {
        if (problem.error == error) return problem;
    }
    return certificate_problems[0];
}

class CertificateCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "certificate"; }
    std::string message(int value) const override {
        return std::string{explain(static_cast<CertificateError>(value)).what};
    }
};

inline const std::error_category& certificate_category() {
    static const CertificateCategory category;
    return category;
}

inline std::error_code make_error_code(CertificateError error) {
    return {static_cast<int>(error), certificate_category()};
}

}  // namespace quicchat::quic

template <>
struct std::is_error_code_enum<quicchat::quic::CertificateError> : std::true_type {};

namespace quicchat::quic {

namespace detail {

/// The PEM block from "-----BEGIN <label>-----" to its end, beginning the search at `from`.
/// Moves `from` behind the block.
inline std::string_view pem_block(std::string_view text, std::string_view label,
                                  std::size_t& from) {
    const std::string begin = "-----BEGIN " + std::string{label} + "-----";
    const std::string end = "-----END " + std::string{label} + "-----";
    const std::size_t first = text.find(begin, from);
    if (first == std::string_view::npos) return {};
    const std::size_t last = text.find(end, first);
    if (last == std::string_view::npos) return {};
    from = last + end.size();
    return text.substr(first, from - first);
}

inline std::string_view key_block(std::string_view text) {
    for (const std::string_view label : {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"}) {
        std::size_t from = 0;
        if (const auto block = pem_block(text, label, from); !block.empty()) return block;
    }
    return {};
}

inline const std::uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace detail

/// All certificates of a PEM text, in its order. What is not a certificate is skipped.
inline std::vector<Der> certificates_from_pem(std::string_view pem) {
    std::vector<Der> certificates;
    std::size_t from = 0;
    while (true) {
        const std::string_view block = detail::pem_block(pem, "CERTIFICATE", from);
        if (block.empty()) return certificates;
        Der der(block.size());
        const std::string text = std::string{block} + "\n";
        const int size = wc_CertPemToDer(detail::bytes_of(text), static_cast<int>(text.size()),
                                         der.data(), static_cast<int>(der.size()), CERT_TYPE);
        if (size <= 0) continue;
        der.resize(static_cast<std::size_t>(size));
        certificates.push_back(std::move(der));
    }
}

/// The SHA-256 of the certificate's SubjectPublicKeyInfo, or nothing if it has none.
inline std::optional<Fingerprint> fingerprint_of(std::span<const std::uint8_t> certificate) {
    word32 size = 0;
    const auto length = static_cast<word32>(certificate.size());
    if (wc_GetSubjectPubKeyInfoDerFromCert(certificate.data(), length, nullptr, &size) != 0) {
        return std::nullopt;
    }
    Der key(size);
    if (size == 0 ||
        wc_GetSubjectPubKeyInfoDerFromCert(certificate.data(), length, key.data(), &size) != 0) {
        return std::nullopt;
    }
    Fingerprint fingerprint{};
    static_assert(sizeof fingerprint == WC_SHA256_DIGEST_SIZE);
    if (wc_Sha256Hash(key.data(), size, reinterpret_cast<byte*>(fingerprint.data())) != 0) {
        return std::nullopt;
    }
    return fingerprint;
}

/// The fingerprint of the first certificate in a PEM text.
inline Result<Fingerprint> key_fingerprint(std::string_view certificate_pem) {
    const std::vector<Der> certificates = certificates_from_pem(certificate_pem);
    if (certificates.empty()) return make_error_code(CertificateError::not_a_certificate);
    const auto fingerprint = fingerprint_of(certificates.front());
    if (!fingerprint) return make_error_code(CertificateError::not_a_certificate);
    return *fingerprint;
}

/// First and last second of a certificate's validity.
struct Validity {
    WallTime begin{};
    WallTime end{};
};

inline std::optional<Validity> validity_of(std::span<const std::uint8_t> certificate) {
    ::DecodedCert decoded;
    wc_InitDecodedCert(&decoded, certificate.data(), static_cast<word32>(certificate.size()),
                       nullptr);
    const auto read = [](const byte* encoded, int size) -> std::optional<WallTime> {
        const byte* date = nullptr;
        byte format = 0;
        int length = 0;
        std::tm calendar{};
        if (encoded == nullptr || wc_GetDateInfo(encoded, size, &date, &format, &length) != 0 ||
            wc_GetDateAsCalendarTime(date, length, format, &calendar) != 0) {
            return std::nullopt;
        }
        return WallTime{std::chrono::seconds{timegm(&calendar)}};
    };
    std::optional<Validity> validity;
    if (wc_ParseCert(&decoded, CERT_TYPE, NO_VERIFY, nullptr) == 0) {
        const auto begin = read(decoded.beforeDate, decoded.beforeDateLen);
        const auto end = read(decoded.afterDate, decoded.afterDateLen);
        if (begin && end) validity = Validity{*begin, *end};
    }
    wc_FreeDecodedCert(&decoded);
    return validity;
}

/// Nothing if a server can use this pair, or the first thing that is wrong with it.
inline std::error_code check_pair(std::string_view certificate_pem, std::string_view key_pem,
                                  WallTime now) {
    using Context = Handle<WOLFSSL_CTX, wolfSSL_CTX_free>;
    const bool key_in_certificate = !detail::key_block(certificate_pem).empty();
    const std::vector<Der> certificates = certificates_from_pem(certificate_pem);
    if (certificates.empty() && key_in_certificate) return CertificateError::certificate_is_key;
    if (certificates.empty() || !fingerprint_of(certificates.front())) {
        return CertificateError::not_a_certificate;
    }
    if (key_pem.find("ENCRYPTED") != key_pem.npos) return CertificateError::key_encrypted;
    const std::string key{detail::key_block(key_pem)};
    if (key.empty()) {
        const bool certificate = key_pem.find("BEGIN CERTIFICATE") != key_pem.npos;
        return certificate ? CertificateError::key_is_certificate : CertificateError::not_a_key;
    }

    const auto use_key = [&](WOLFSSL_CTX* context) {
        return wolfSSL_CTX_use_PrivateKey_buffer(context, detail::bytes_of(key),
                                                 static_cast<long>(key.size()),
                                                 WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS;
    };
    const Context key_only{wolfSSL_CTX_new(wolfTLSv1_3_server_method())};
    if (key_only == nullptr || !use_key(key_only.get())) return CertificateError::not_a_key;
    const Context both{wolfSSL_CTX_new(wolfTLSv1_3_server_method())};
    const std::string chain{certificate_pem};
    if (both == nullptr || wolfSSL_CTX_use_certificate_chain_buffer(
                               both.get(), detail::bytes_of(chain),
                               static_cast<long>(chain.size())) != WOLFSSL_SUCCESS) {
        return CertificateError::not_a_certificate;
    }
    if (!use_key(both.get()) || wolfSSL_CTX_check_private_key(both.get()) != WOLFSSL_SUCCESS) {
        return CertificateError::mismatch;
    }
    const std::optional<Validity> validity = validity_of(certificates.front());
    if (!validity) return CertificateError::not_a_certificate;
    if (now < validity->begin) return CertificateError::not_yet_valid;
    if (now > validity->end) return CertificateError::expired;
    return {};
}

}  // namespace quicchat::quic

#pragma once

#include "quicchat/quic/pem.hpp"

#include <ctime>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::quic {

QUICCHAT_RARE_DECL const CertificateProblem& explain(CertificateError error) {
    for (const CertificateProblem& problem : certificate_problems) {
        if (problem.error == error) return problem;
    }
    return certificate_problems[0];
}

QUICCHAT_RARE_DECL std::string CertificateCategory::message(int value) const {
    return std::string{explain(static_cast<CertificateError>(value)).what};
}

QUICCHAT_RARE_DECL const std::error_category& certificate_category() {
    static const CertificateCategory category;
    return category;
}

QUICCHAT_RARE_DECL std::error_code make_error_code(CertificateError error) {
    return {static_cast<int>(error), certificate_category()};
}

}  // namespace quicchat::quic

namespace quicchat::quic::detail {

QUICCHAT_RARE_DECL std::string_view pem_block(std::string_view text, std::string_view label,
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

QUICCHAT_RARE_DECL std::string_view key_block(std::string_view text) {
    for (const std::string_view label : {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"}) {
        std::size_t from = 0;
        if (const auto block = pem_block(text, label, from); !block.empty()) return block;
    }
    return {};
}

QUICCHAT_RARE_DECL const std::uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_RARE_DECL std::vector<Der> certificates_from_pem(std::string_view pem) {
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

QUICCHAT_RARE_DECL std::optional<Fingerprint> fingerprint_of(
    std::span<const std::uint8_t> certificate) {
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

QUICCHAT_RARE_DECL Result<Fingerprint> key_fingerprint(std::string_view certificate_pem) {
    const std::vector<Der> certificates = certificates_from_pem(certificate_pem);
    if (certificates.empty()) return make_error_code(CertificateError::not_a_certificate);
    const auto fingerprint = fingerprint_of(certificates.front());
    if (!fingerprint) return make_error_code(CertificateError::not_a_certificate);
    return *fingerprint;
}

QUICCHAT_RARE_DECL std::optional<Validity> validity_of(std::span<const std::uint8_t> certificate) {
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

QUICCHAT_RARE_DECL std::error_code check_pair(std::string_view certificate_pem,
                                              std::string_view key_pem, WallTime now) {
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
    if (both == nullptr ||
        wolfSSL_CTX_SetMinRsaKey_Sz(both.get(), detail::rsa_bits_min) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_use_certificate_chain_buffer(both.get(), detail::bytes_of(chain),
                                                 static_cast<long>(chain.size())) !=
            WOLFSSL_SUCCESS) {
        return CertificateError::key_unusable;
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

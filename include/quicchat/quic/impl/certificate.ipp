#pragma once

#include "quicchat/quic/certificate.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <memory>
#include <span>
#include <utility>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/quic/address.hpp"
#include "quicchat/quic/certificate_facts.hpp"

namespace quicchat::quic::detail {

QUICCHAT_RARE_DECL std::optional<Der> encode_alt_names(const std::vector<std::string>& names) {
    Der list;
    for (const std::string& name : names) {
        if (name.empty() || name.size() >= 64) return std::nullopt;
        const auto address = SocketAddress::from_numeric(name, 0);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(name.data());
        std::size_t size = name.size();
        if (address && address->family() == AF_INET) {
            bytes = reinterpret_cast<const std::uint8_t*>(&address->v4().sin_addr);
            size = sizeof(in_addr);
        } else if (address) {
            bytes = address->v6().sin6_addr.s6_addr;
            size = sizeof(in6_addr);
        }
        list.push_back(address ? 0x87 : 0x82);
        list.push_back(static_cast<std::uint8_t>(size));
        list.insert(list.end(), bytes, bytes + size);
    }
    Der sequence{0x30};
    if (list.size() < 128) {
        sequence.push_back(static_cast<std::uint8_t>(list.size()));
    } else {
        if (list.size() > CTC_MAX_ALT_SIZE - 4) return std::nullopt;
        sequence.push_back(0x82);
        sequence.push_back(static_cast<std::uint8_t>(list.size() >> 8));
        sequence.push_back(static_cast<std::uint8_t>(list.size() & 0xff));
    }
    sequence.insert(sequence.end(), list.begin(), list.end());
    return sequence;
}

QUICCHAT_RARE_DECL std::string encode_date(WallTime time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm calendar{};
    gmtime_r(&seconds, &calendar);
    const bool short_year = calendar.tm_year < 150;
    char text[32];
    const std::size_t size =
        std::strftime(text, sizeof text, short_year ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &calendar);
    std::string encoded{short_year ? '\x17' : '\x18', static_cast<char>(size)};
    return encoded.append(text, size);
}

QUICCHAT_RARE_DECL std::string to_pem(const Der& der, int type) {
    std::string pem(2 * der.size() + 256, '\0');
    const int size =
        wc_DerToPem(der.data(), static_cast<word32>(der.size()),
                    reinterpret_cast<byte*>(pem.data()), static_cast<word32>(pem.size()), type);
    pem.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return pem;
}

QUICCHAT_RARE_DECL SigningKey::SigningKey() {
    ready_ = wc_InitRng(&rng_) == 0 && wc_ecc_init(&key_) == 0 &&
             wc_ecc_make_key_ex(&rng_, 32, &key_, ECC_SECP256R1) == 0;
}

QUICCHAT_RARE_DECL SigningKey::SigningKey(std::string_view key_pem) {
    ready_ = wc_InitRng(&rng_) == 0 && wc_ecc_init(&key_) == 0;
    const std::string text = std::string{key_block(key_pem)} + "\n";
    Der der(text.size());
    const int size = wc_KeyPemToDer(bytes_of(text), static_cast<int>(text.size()), der.data(),
                                    static_cast<int>(der.size()), nullptr);
    word32 at = 0;
    ready_ = ready_ && size > 0 &&
             wc_EccPrivateKeyDecode(der.data(), &at, &key_, static_cast<word32>(size)) == 0 &&
             wc_ecc_get_curve_id(key_.idx) == ECC_SECP256R1;
    // A key that was written without its public part has none yet.
    if (ready_ && key_.type == ECC_PRIVATEKEY_ONLY) {
        ready_ = wc_ecc_make_pub_ex(&key_, nullptr, &rng_) == 0;
    }
    secure_wipe(std::as_writable_bytes(std::span{der}));
}

QUICCHAT_RARE_DECL SigningKey::~SigningKey() {
    wc_ecc_free(&key_);
    wc_FreeRng(&rng_);
}

QUICCHAT_RARE_DECL Der self_sign(::Cert& cert, SigningKey& key) {
    Der der(4096 + static_cast<std::size_t>(cert.altNamesSz));
    const auto capacity = static_cast<word32>(der.size());
    int size = wc_MakeCert(&cert, der.data(), capacity, nullptr, key.key(), key.rng());
    if (size > 0) {
        size = wc_SignCert(cert.bodySz, cert.sigType, der.data(), capacity, nullptr, key.key(),
                           key.rng());
    }
    der.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return der;
}

QUICCHAT_RARE_DECL std::string make_certificate(const std::vector<std::string>& names, int days,
                                                WallTime now, SigningKey& key) {
    const std::optional<Der> alt_names = encode_alt_names(names);
    const auto cert = std::make_unique<::Cert>();  // 20 KiB: too much for a stack
    if (names.empty() || !alt_names || !key.ready() || wc_InitCert(cert.get()) != 0) return {};
    std::strncpy(cert->subject.commonName, names.front().c_str(), CTC_NAME_SIZE - 1);
    cert->sigType = CTC_SHA256wECDSA;
    cert->selfSigned = 1;
    std::memcpy(cert->altNames, alt_names->data(), alt_names->size());
    cert->altNamesSz = static_cast<int>(alt_names->size());
    const std::string begin = encode_date(now - self_made_margin);
    const std::string end = encode_date(now + std::chrono::hours{24} * days);
    std::memcpy(cert->beforeDate, begin.data(), begin.size());
    std::memcpy(cert->afterDate, end.data(), end.size());
    cert->beforeDateSz = static_cast<int>(begin.size());
    cert->afterDateSz = static_cast<int>(end.size());
    wc_SetKeyUsage(cert.get(), "digitalSignature");
    wc_SetExtKeyUsage(cert.get(), "serverAuth");
    const Der certificate = self_sign(*cert, key);
    return certificate.empty() ? std::string{} : to_pem(certificate, CERT_TYPE);
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_RARE_DECL Result<CertificatePair> make_self_signed(const std::vector<std::string>& names,
                                                            int days, WallTime now) {
    detail::SigningKey key;
    std::string certificate_pem = detail::make_certificate(names, days, now, key);
    if (certificate_pem.empty()) return make_error_code(CertificateError::failed);
    Der private_key(256);
    const int size =
        wc_EccKeyToDer(key.key(), private_key.data(), static_cast<word32>(private_key.size()));
    if (size <= 0) return make_error_code(CertificateError::failed);
    private_key.resize(static_cast<std::size_t>(size));
    std::string key_pem = detail::to_pem(private_key, ECC_PRIVATEKEY_TYPE);
    if (key_pem.empty()) return make_error_code(CertificateError::failed);
    return CertificatePair{std::move(certificate_pem), std::move(key_pem)};
}

QUICCHAT_RARE_DECL Result<std::string> renew_self_signed(std::string_view certificate_pem,
                                                         std::string_view key_pem,
                                                         const std::vector<std::string>& names,
                                                         int days, WallTime now) {
    const std::error_code problem = check_pair(certificate_pem, key_pem, now);
    const bool is_usable = !problem || problem == CertificateError::expired ||
                           problem == CertificateError::not_yet_valid;
    if (!is_usable) return problem;
    const auto facts = certificate_facts(certificates_from_pem(certificate_pem).front());
    if (!facts || !facts->is_self_signed) {
        return make_error_code(CertificateError::not_self_signed);
    }
    detail::SigningKey key{key_pem};
    if (!key.ready()) return make_error_code(CertificateError::key_unusable);
    const std::vector<std::string>& kept = facts->names.empty() ? names : facts->names;
    std::string renewed = detail::make_certificate(kept, days, now, key);
    if (renewed.empty()) return make_error_code(CertificateError::failed);
    return renewed;
}

QUICCHAT_RARE_DECL bool is_self_made(std::string_view certificate_pem, std::string_view key_pem) {
    const std::vector<Der> certificates = certificates_from_pem(certificate_pem);
    if (certificates.size() != 1) return false;
    const auto facts = certificate_facts(certificates.front());
    if (!facts || !facts->is_self_signed) return false;
    const auto has = [&](const char* name) {
        return std::ranges::find(facts->names, name) != facts->names.end();
    };
    const auto time = facts->validity.end - facts->validity.begin;
    const bool is_ours = time % std::chrono::hours{24} == detail::self_made_margin;
    return is_ours && has("localhost") && has("127.0.0.1") && detail::SigningKey{key_pem}.ready();
}

QUICCHAT_RARE_DECL std::error_code write_private_file(const std::string& path,
                                                      std::string_view text) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return {errno, std::system_category()};
    int error = 0;
    while (!text.empty() && error == 0) {
        const ssize_t written = write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) error = errno;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (close(file) != 0 && error == 0) error = errno;
    if (error != 0) unlink(path.c_str());
    return {error, std::system_category()};
}

}  // namespace quicchat::quic

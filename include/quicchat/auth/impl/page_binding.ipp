#pragma once

#include "quicchat/auth/page_binding.hpp"

#include <algorithm>
#include <string>

#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL bool is_page_host(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (text.size() > PageBinding::host_bytes_max || colon == 0 ||
        colon == std::string_view::npos) {
        return false;
    }
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.front() == '0') return false;
    unsigned number = 0;
    for (const char digit : port) {
        if (digit < '0' || digit > '9') return false;
        number = number * 10 + static_cast<unsigned>(digit - '0');
    }
    if (number > 0xffff) return false;
    const std::string_view host = text.substr(0, colon);
    const auto all_of = [](std::string_view part, std::string_view others) {
        return !part.empty() && std::all_of(part.begin(), part.end(), [&](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                   others.find(c) != std::string_view::npos;
        });
    };
    if (!host.starts_with('[')) return all_of(host, ".-_");
    return host.ends_with(']') && all_of(host.substr(1, host.size() - 2), ":");
}

QUICCHAT_RARE_DECL Result<PageBinding> PageBinding::to_certificates(
    std::span<const CertificateHash> pinned) {
    if (pinned.empty() || pinned.size() > certificates_max) return Errc::invalid_request;
    Buffer bytes{static_cast<std::byte>(Kind::certificates), static_cast<std::byte>(pinned.size())};
    for (const CertificateHash& hash : pinned) {
        if (detail::is_missing(hash)) return Errc::invalid_request;
        append(bytes, hash);
    }
    return PageBinding{std::move(bytes)};
}

QUICCHAT_RARE_DECL Result<PageBinding> PageBinding::to_host(std::string_view host,
                                                            std::uint16_t port) {
    const std::string text = std::string{host} + ':' + std::to_string(port);
    if (!is_page_host(text)) return Errc::invalid_request;
    Buffer bytes{static_cast<std::byte>(Kind::host), static_cast<std::byte>(text.size())};
    append(bytes, as_bytes(text));
    return PageBinding{std::move(bytes)};
}

QUICCHAT_RARE_DECL std::optional<PageBinding> PageBinding::take(BytesView& data) {
    if (data.size() < 2) return std::nullopt;
    const auto kind = static_cast<Kind>(data[0]);
    const auto count = std::to_integer<std::size_t>(data[1]);
    std::size_t length = count;
    if (kind == Kind::certificates) {
        if (count == 0 || count > certificates_max) return std::nullopt;
        length = count * sizeof(CertificateHash);
    } else if (kind != Kind::host) {
        return std::nullopt;
    }
    if (data.size() - 2 < length) return std::nullopt;
    PageBinding binding{Buffer(data.begin(), data.begin() + 2 + static_cast<long>(length))};
    if (kind == Kind::host && !is_page_host(binding.host())) return std::nullopt;
    data = data.subspan(2 + length);
    return binding;
}

QUICCHAT_RARE_DECL bool PageBinding::has_certificate(const CertificateHash& certificate) const {
    if (kind() != Kind::certificates || detail::is_missing(certificate)) return false;
    for (BytesView rest = value(); !rest.empty(); rest = rest.subspan(certificate.size())) {
        if (std::ranges::equal(rest.first(certificate.size()), certificate)) return true;
    }
    return false;
}

QUICCHAT_RARE_DECL std::string_view PageBinding::host() const {
    return kind() == Kind::host ? as_text(value()) : std::string_view{};
}

}  // namespace quicchat

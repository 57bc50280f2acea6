#pragma once

#include "quicchat/transport/fingerprint.hpp"

#include <cstddef>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::string format_fingerprint(const Fingerprint& fingerprint) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text{fingerprint_prefix};
    for (const std::byte octet : fingerprint) {
        const auto value = std::to_integer<std::size_t>(octet);
        text += digits[value >> 4];
        text += digits[value & 15];
    }
    return text;
}

QUICCHAT_DECL Result<Fingerprint> parse_fingerprint(std::string_view text) {
    Fingerprint fingerprint;
    if (!text.starts_with(fingerprint_prefix)) return Errc::invalid_text;
    text.remove_prefix(fingerprint_prefix.size());
    if (text.size() != 2 * fingerprint.size()) return Errc::invalid_text;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f')) return Errc::invalid_text;
        const auto value = static_cast<std::byte>(digit ? c - '0' : c - 'a' + 10);
        fingerprint[i / 2] = i % 2 == 0 ? value << 4 : fingerprint[i / 2] | value;
    }
    return fingerprint;
}

}  // namespace quicchat

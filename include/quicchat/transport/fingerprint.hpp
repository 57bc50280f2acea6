#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

inline constexpr std::string_view fingerprint_prefix = "sha256:";

/// The form in which people compare and pin keys: "sha256:" and 64 lower-case hexadecimal digits.
inline std::string format_fingerprint(const Fingerprint& fingerprint) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text{fingerprint_prefix};
    for (const std::byte octet : fingerprint) {
        const auto value = std::to_integer<std::size_t>(octet);
        text += digits[value >> 4];
        text += digits[value & 15];
    }
    return text;
}

/// Reads that form; nothing else is taken, so that a pin that was cut short does not match by its
/// beginning. Every failure is `invalid_text`.
inline Result<Fingerprint> parse_fingerprint(std::string_view text) {
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

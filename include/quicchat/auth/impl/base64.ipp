#pragma once

#include "quicchat/auth/base64.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::string encode_base64(BytesView bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t k) {
            return i + k < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0u;
        };
        const std::uint32_t group = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        text += detail::base64_alphabet[group >> 18];
        text += detail::base64_alphabet[(group >> 12) & 63];
        text += i + 1 < bytes.size() ? detail::base64_alphabet[(group >> 6) & 63] : '=';
        text += i + 2 < bytes.size() ? detail::base64_alphabet[group & 63] : '=';
    }
    return text;
}

QUICCHAT_DECL Result<Buffer> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) return Errc::invalid_text;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }

    Buffer bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::uint32_t value = 0;
        if (i < text.size() - padding) {
            value = detail::base64_values[static_cast<unsigned char>(text[i])];
            if (value == detail::not_base64) return Errc::invalid_text;
        }
        group = (group << 6) | value;
        if (i % 4 != 3) continue;
        for (int shift = 16; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<std::byte>((group >> shift) & 0xff));
        }
        group = 0;
    }
    for (; padding > 0; --padding) {
        if (bytes.back() != std::byte{0}) return Errc::invalid_text;  // bits that nobody sent
        bytes.pop_back();
    }
    return bytes;
}

QUICCHAT_RARE_DECL std::string encode_base64url(BytesView bytes) {
    std::string text = encode_base64(bytes);
    text.erase(std::min(text.find('='), text.size()));
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

QUICCHAT_RARE_DECL Result<Buffer> decode_base64url(std::string_view text) {
    if (text.size() % 4 == 1 || text.find_first_of("+/=") != std::string_view::npos) {
        return Errc::invalid_text;
    }
    std::string plain{text};
    std::replace(plain.begin(), plain.end(), '-', '+');
    std::replace(plain.begin(), plain.end(), '_', '/');
    plain.append((4 - plain.size() % 4) % 4, '=');
    return decode_base64(plain);
}

}  // namespace quicchat

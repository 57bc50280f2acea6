#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {
namespace detail {

inline constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

inline constexpr std::uint8_t not_base64 = 0xff;

inline constexpr auto base64_values = [] {
    std::array<std::uint8_t, 256> values{};
    for (auto& value : values) value = not_base64;
    for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
        values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

}  // namespace detail

/// Base64 with padding and without line breaks (RFC 4648 §4).
QUICCHAT_DECL std::string encode_base64(BytesView bytes);

/// The bytes, if `text` is the one text that `encode_base64` makes of them. Otherwise
/// `invalid_text`.
///
/// RFC 4648 §3.5 lets us refuse encodings whose pad bits are not zero, and §3.3 demands that
/// characters outside the alphabet are refused. With both, no two texts stand for the same proof.
QUICCHAT_DECL Result<Buffer> decode_base64(std::string_view text);

/// Base64 for URLs, without padding (RFC 4648 §5), as JSON Web Tokens have it (RFC 7515 §2).
QUICCHAT_DECL std::string encode_base64url(BytesView bytes);

/// The bytes, if `text` is the one text that `encode_base64url` makes of them. Otherwise
/// `invalid_text`.
QUICCHAT_DECL Result<Buffer> decode_base64url(std::string_view text);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/base64.ipp"
#endif

#pragma once

#include <cstddef>
#include <string_view>

#include "quicchat/base/text.hpp"

namespace quicchat {

/// A password in UTF-8. Long enough for any sentence, short enough to hash without a thought.
inline constexpr std::size_t password_bytes_max = 1024;

/// True for what can be a password: UTF-8, 1 to 1024 bytes, no control characters.
///
/// This is the part of the OpaqueString profile (RFC 8265 §4.2) that needs no Unicode tables. The
/// profile also maps to Normalization Form C and turns every non-ASCII space into U+0020; that is
/// the caller's part, because the same password typed on two keyboards may differ in bytes. The
/// Python package does it with `unicodedata.normalize("NFC", ...)`; a C++ program must pass such
/// text. For passwords in ASCII there is nothing to do.
constexpr bool is_password(std::string_view password) {
    if (password.empty() || password.size() > password_bytes_max) return false;
    while (!password.empty()) {
        const detail::DecodedCharacter c = detail::first_character(password);
        if (c.bytes == 0 || detail::is_control(c.code_point)) return false;
        password.remove_prefix(c.bytes);
    }
    return true;
}

}  // namespace quicchat

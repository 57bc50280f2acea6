#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/wire/act.hpp"

// What an act must look like; the same for who publishes it and for who stores it.

namespace quicchat {

/// True for acts that are about a message, which must be there.
constexpr bool has_target(const Act& act) {
    switch (act.kind) {
        case Act::Kind::message:
        case Act::Kind::file:
            return act.target != 0;
        case Act::Kind::edit:
        case Act::Kind::deletion:
        case Act::Kind::reaction:
        case Act::Kind::unreaction:
            return true;
        default:
            return false;
    }
}

/// True for the SHA-256 of a file in hexadecimal digits, in lower case.
constexpr bool is_hex_digest(std::string_view text) {
    constexpr auto is_digit = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    };
    return text.size() == 2 * digest_bytes_max && std::all_of(text.begin(), text.end(), is_digit);
}

/// True for what people say: others can answer it, react to it, and delete it.
constexpr bool is_said(Act::Kind kind) {
    return kind == Act::Kind::message || kind == Act::Kind::file;
}

/// False for a role or an access that is none.
constexpr bool has_known_value(const Act& act) {
    if (act.kind == Act::Kind::file) return true;
    if (act.kind == Act::Kind::role) return act.value <= static_cast<std::uint64_t>(Role::owner);
    const bool has_access = act.kind == Act::Kind::access || act.kind == Act::Kind::creation;
    return act.value <= (has_access ? static_cast<std::uint64_t>(RoomAccess::archived) : 0);
}

namespace detail {

/// Only the fields that an act of that kind has are set.
QUICCHAT_DECL bool has_shape(const Act& act);

/// How long the text of an act may be: of a deletion and a role it is the reason.
QUICCHAT_DECL std::size_t text_bytes_max(Act::Kind kind, std::size_t message_bytes_max);

QUICCHAT_DECL bool needs_text(Act::Kind kind);

}  // namespace detail

/// `Errc{}`, or why an act cannot be published. Whether the attributes are JSON is not looked at.
QUICCHAT_DECL Errc check_form(const Act& act, std::string_view text, std::string_view attributes,
                              std::size_t message_bytes_max, std::size_t attributes_bytes_max);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/act_form.ipp"
#endif

#pragma once

#include "quicchat/auth/device_token.hpp"

#include <algorithm>
#include <cstddef>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat::detail {

QUICCHAT_RARE_DECL void append_big_endian(Buffer& buffer, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        buffer.push_back(static_cast<std::byte>((number >> shift) & 0xff));
    }
}

QUICCHAT_RARE_DECL void append_user_name(Buffer& buffer, std::string_view user) {
    assert(is_user_name(user));  // so the length fits a byte
    buffer.push_back(static_cast<std::byte>(user.size()));
    append(buffer, as_bytes(user));
}

QUICCHAT_RARE_DECL Buffer token_auth_message(std::string_view user, const DeviceId& device,
                                             std::uint64_t generation,
                                             const ChannelBinding& binding) {
    Buffer message;
    append(message, as_bytes("quicchat token login"));
    append_user_name(message, user);
    append(message, device.bytes);
    append_big_endian(message, generation);
    append(message, binding);
    return message;
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_RARE_DECL bool is_device_token(const DeviceToken& token) {
    return token.generation != 0 && token.key.view().size() == device_token_bytes;
}

QUICCHAT_RARE_DECL Buffer encode_token_claim(const TokenClaim& claim) {
    Buffer message;
    detail::append_user_name(message, claim.user);
    detail::append_big_endian(message, claim.generation);
    append(message, claim.proof);
    return message;
}

QUICCHAT_RARE_DECL Result<TokenClaim> parse_token_claim(BytesView message) {
    constexpr std::size_t generation_bytes = 8;
    TokenClaim claim;
    if (message.empty()) return Errc::token_refused;
    const std::size_t name_bytes = std::to_integer<std::size_t>(message[0]);
    if (message.size() != 1 + name_bytes + generation_bytes + claim.proof.size()) {
        return Errc::token_refused;
    }
    claim.user = to_string(message.subspan(1, name_bytes));
    for (const std::byte octet : message.subspan(1 + name_bytes, generation_bytes)) {
        claim.generation = (claim.generation << 8) | std::to_integer<std::uint64_t>(octet);
    }
    std::ranges::copy(message.last(claim.proof.size()), claim.proof.begin());
    if (!is_user_name(claim.user) || claim.generation == 0) return Errc::token_refused;
    return claim;
}

}  // namespace quicchat

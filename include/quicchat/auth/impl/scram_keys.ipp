#pragma once

#include "quicchat/auth/scram_keys.hpp"

#include <cstddef>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL ScramKeys::~ScramKeys() {
    secure_wipe(client_key);
    secure_wipe(server_key);
}

}  // namespace quicchat

namespace quicchat::detail {

QUICCHAT_RARE_DECL std::string scram_auth_message(std::string_view client_first_bare,
                                                  std::string_view server_first,
                                                  std::string_view client_final_without_proof) {
    std::string message;
    message.reserve(client_first_bare.size() + server_first.size() +
                    client_final_without_proof.size() + 2);
    message.append(client_first_bare).append(1, ',');
    message.append(server_first).append(1, ',');
    return message.append(client_final_without_proof);
}

QUICCHAT_RARE_DECL Digest exclusive_or(const Digest& a, BytesView b) {
    Digest result{};
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = a[i] ^ b[i];
    return result;
}

QUICCHAT_RARE_DECL Buffer scram_cbind_input(std::string_view gs2_header, BytesView binding) {
    Buffer input;
    append(input, as_bytes(gs2_header));
    append(input, binding);
    return input;
}

QUICCHAT_RARE_DECL bool is_missing(BytesView binding) {
    for (const std::byte byte : binding) {
        if (byte != std::byte{0}) return false;
    }
    return true;
}

}  // namespace quicchat::detail

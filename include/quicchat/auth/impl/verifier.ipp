#pragma once

#include "quicchat/auth/verifier.hpp"

#include <algorithm>

#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/scram_message.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL std::string format_verifier(const Verifier& verifier) {
    return "SCRAM-SHA-256$" + std::to_string(verifier.iterations) + ":" +
           encode_base64(verifier.salt) + "$" + encode_base64(verifier.stored_key) + ":" +
           encode_base64(verifier.server_key);
}

QUICCHAT_RARE_DECL Result<Verifier> parse_verifier(std::string_view text) {
    bool complete = true;
    const auto take_until = [&](char end) {
        const std::size_t size = text.find(end);
        complete = complete && size != std::string_view::npos;
        const std::string_view field = text.substr(0, size);
        text.remove_prefix(size == std::string_view::npos ? text.size() : size + 1);
        return field;
    };
    const std::string_view scheme = take_until('$');
    const std::string_view digits = take_until(':');
    const std::string_view salt_text = take_until('$');
    const std::string_view stored_key_text = take_until(':');
    if (!complete || scheme != "SCRAM-SHA-256") return Errc::invalid_text;

    const auto iterations = detail::parse_scram_iterations(digits);
    const Result<Buffer> salt = decode_base64(salt_text);
    const auto stored_key = detail::decode_digest(stored_key_text);
    const auto server_key = detail::decode_digest(text);
    if (!iterations || !salt || !stored_key || !server_key) return Errc::invalid_text;

    Verifier verifier;
    if (*iterations < scram_iterations_floor || *iterations > scram_iterations_max ||
        salt->size() != verifier.salt.size()) {
        return Errc::invalid_text;
    }
    verifier.iterations = *iterations;
    std::ranges::copy(*salt, verifier.salt.begin());
    std::ranges::copy(*stored_key, verifier.stored_key.begin());
    std::ranges::copy(*server_key, verifier.server_key.begin());
    return verifier;
}

}  // namespace quicchat

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/password.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/auth/scram_message.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {

/// Random and unique for each password. All salts are equally long, so that one that was made up
/// for an unknown user does not stand out.
using ScramSalt = std::array<std::byte, 16>;

/// What a server keeps instead of a password (RFC 5802 §3). It does not log anybody in, but whoever
/// steals it can pose as the server, and can log in after watching one login (RFC 5802 §9): keep it
/// in a file of mode 0600.
struct Verifier {
    ScramSalt salt{};
    std::uint32_t iterations = 0;
    Digest stored_key{};
    Digest server_key{};

    friend bool operator==(const Verifier&, const Verifier&) = default;
};

/// Makes the verifier of a new password: as slow as the iterations. `salt` comes from the caller's
/// generator. Fails with `invalid_text` if `is_password` refuses the password, and with
/// `invalid_request` for iterations outside 4096 to 2 million.
template <ScramCrypto Crypto>
Result<Verifier> make_verifier(std::string_view password, const ScramSalt& salt,
                               std::uint32_t iterations = scram_iterations_default) {
    if (!is_password(password)) return Errc::invalid_text;
    if (iterations < scram_iterations_floor || iterations > scram_iterations_max) {
        return Errc::invalid_request;
    }
    const ScramKeys keys = derive_scram_keys<Crypto>(as_bytes(password), salt, iterations);
    // RFC 5802 §3: StoredKey := H(ClientKey)
    return Verifier{salt, iterations, Crypto::sha256(keys.client_key), keys.server_key};
}

/// The text form of RFC 5803 §2: `SCRAM-SHA-256$600000:<salt>$<StoredKey>:<ServerKey>`, the three
/// in base64. PostgreSQL writes the same.
inline std::string format_verifier(const Verifier& verifier) {
    return "SCRAM-SHA-256$" + std::to_string(verifier.iterations) + ":" +
           encode_base64(verifier.salt) + "$" + encode_base64(verifier.stored_key) + ":" +
           encode_base64(verifier.server_key);
}

/// Reads the text form, strictly: RFC 5803 §4 warns of iteration counts and base64 that nobody
/// checked. Every failure is `invalid_text`.
inline Result<Verifier> parse_verifier(std::string_view text) {
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

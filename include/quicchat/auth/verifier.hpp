#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/password.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat {

/// Random and unique for each password. All salts are equally long, so that one that was made up
/// for an unknown user does not stand out.
using ScramSalt = std::array<std::byte, 16>;

/// What a server keeps instead of a password (RFC 5802 §3). It does not log anybody in, but whoever
/// steals it can pose as the server, and can log in after watching one login (RFC 5802 §9): keep it
/// in a file of mode 0600.
struct Verifier {
    ScramSalt salt{};              ///< Told to everybody who asks for the account.
    std::uint32_t iterations = 0;  ///< 4096 to 2 million; 0 in one that was not made yet.
    Digest stored_key{};           ///< H(ClientKey): by this the server checks a proof.
    Digest server_key{};           ///< By this the server proves that it knows the account.

    /// For accounts that are compared, not for proofs: the time depends on the content.
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
QUICCHAT_DECL std::string format_verifier(const Verifier& verifier);

/// Reads the text form, strictly: RFC 5803 §4 warns of iteration counts and base64 that nobody
/// checked. Every failure is `invalid_text`.
QUICCHAT_DECL Result<Verifier> parse_verifier(std::string_view text);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/verifier.ipp"
#endif

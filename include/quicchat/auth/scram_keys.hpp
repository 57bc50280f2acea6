#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

namespace quicchat {

/// The least iterations that anybody may use. RFC 7677 §4: "at least 4096".
inline constexpr std::uint32_t scram_iterations_floor = 4096;

/// What new passwords get: a third of a second of the client's time, none of the server's.
inline constexpr std::uint32_t scram_iterations_default = 600'000;

/// Above this a client would wait for a second or more; a stored verifier has no more either.
inline constexpr std::uint32_t scram_iterations_max = 2'000'000;

/// What a password becomes for one salt and number of iterations (RFC 5802 §3). Whoever has these
/// keys can log in, and can pose as the server: they are as secret as the password.
struct ScramKeys {
    Digest client_key{};  ///< Its hash is the StoredKey of a Verifier.
    Digest server_key{};  ///< By this the server proves itself.

    ScramKeys() = default;
    /// Each copy is wiped when it ends.
    /// @{
    ScramKeys(const ScramKeys&) = default;
    ScramKeys& operator=(const ScramKeys&) = default;
    /// @}

    ~ScramKeys();
};

/// Computes the keys. Slow on purpose.
template <ScramCrypto Crypto>
ScramKeys derive_scram_keys(BytesView password, BytesView salt, std::uint32_t iterations) {
    // RFC 5802 §3: SaltedPassword := Hi(Normalize(password), salt, i)
    Digest salted = Crypto::pbkdf2_hmac_sha256(password, salt, iterations);
    ScramKeys keys;
    keys.client_key = Crypto::hmac_sha256(salted, as_bytes("Client Key"));
    keys.server_key = Crypto::hmac_sha256(salted, as_bytes("Server Key"));
    secure_wipe(salted);
    return keys;
}

namespace detail {

/// RFC 5802 §3: AuthMessage := client-first-message-bare + "," + server-first-message + "," +
/// client-final-message-without-proof
QUICCHAT_DECL std::string scram_auth_message(std::string_view client_first_bare,
                                             std::string_view server_first,
                                             std::string_view client_final_without_proof);

/// ClientKey and ClientProof are one the other, XOR ClientSignature (RFC 5802 §3).
QUICCHAT_DECL Digest exclusive_or(const Digest& a, BytesView b);

/// What `c=` stands for: the GS2 header and the binding (RFC 5802 §7, cbind-input).
QUICCHAT_DECL Buffer scram_cbind_input(std::string_view gs2_header, BytesView binding);

/// True for a binding that nobody filled in. A login that is bound to nothing is refused, since two
/// ends that are wrong in the same way would find their bindings equal.
QUICCHAT_DECL bool is_missing(BytesView binding);

}  // namespace detail
}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/scram_keys.ipp"
#endif

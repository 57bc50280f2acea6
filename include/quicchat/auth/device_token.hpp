#pragma once

#include <cassert>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/device.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

// The login by device token (PROTOCOL.md §5.8): one message each way, without input or output. It
// is SCRAM without its challenge. A token has 256 random bits, so it needs neither salt nor slow
// hashing; and the channel binding, which no other connection has, stands for both nonces.

namespace quicchat {

/// The mechanism of a login by device token.
inline constexpr std::string_view token_mechanism = "QUICCHAT-TOKEN";

/// A device that did not log in for so long needs the password again.
inline constexpr std::chrono::hours token_lifetime{90 * 24};

/// What a client claims: to be that user and to hold the device's token of that generation.
struct TokenClaim {
    std::string user;  ///< Whom the client claims to be.
    /// Of the token, see DeviceToken: each new one of a device has a higher one.
    std::uint64_t generation = 0;
    Digest proof{};  ///< ClientProof of RFC 5802 §3.
};

namespace detail {

/// Eight bytes, the highest first.
QUICCHAT_DECL void append_big_endian(Buffer& buffer, std::uint64_t number);

/// The name with its length before it.
QUICCHAT_DECL void append_user_name(Buffer& buffer, std::string_view user);

/// PROTOCOL.md §5.8: AuthMessage := "quicchat token login" length(user) user device generation
/// binding. Everything but the name has one length, and the name's own is before it, so no two
/// logins have the same message.
QUICCHAT_DECL Buffer token_auth_message(std::string_view user, const DeviceId& device,
                                        std::uint64_t generation, const ChannelBinding& binding);

/// RFC 5802 §3, with the token in place of SaltedPassword.
template <ScramCrypto Crypto>
ScramKeys derive_token_client_keys(BytesView token) {
    assert(token.size() == device_token_bytes);
    ScramKeys keys;
    keys.client_key = Crypto::hmac_sha256(token, as_bytes("Client Key"));
    keys.server_key = Crypto::hmac_sha256(token, as_bytes("Server Key"));
    return keys;
}

}  // namespace detail

/// True for what can be a token: 32 bytes with a generation.
QUICCHAT_DECL bool is_device_token(const DeviceToken& token);

/// What a server keeps of a token.
template <ScramCrypto Crypto>
TokenKeys derive_token_keys(const DeviceToken& token) {
    const ScramKeys keys = detail::derive_token_client_keys<Crypto>(token.key.view());
    // RFC 5802 §3: StoredKey := H(ClientKey)
    return {token.generation, Crypto::sha256(keys.client_key), keys.server_key};
}

/// What a client needs for one login by token.
struct TokenLogin {
    TokenClaim claim;           ///< To be sent, see `encode_token_claim`.
    Digest server_signature{};  ///< What the server must answer with.
};

/// The client's side. `user` is a user's name and `token` a token.
template <ScramCrypto Crypto>
TokenLogin make_token_login(std::string_view user, const DeviceId& device, const DeviceToken& token,
                            const ChannelBinding& binding) {
    const ScramKeys keys = detail::derive_token_client_keys<Crypto>(token.key.view());
    const Buffer message = detail::token_auth_message(user, device, token.generation, binding);
    // RFC 5802 §3: ClientProof := ClientKey XOR HMAC(StoredKey, AuthMessage)
    const Digest signature = Crypto::hmac_sha256(Crypto::sha256(keys.client_key), message);
    return {{std::string{user}, token.generation, detail::exclusive_or(keys.client_key, signature)},
            Crypto::hmac_sha256(keys.server_key, message)};
}

/// What a server found out about a claim.
struct TokenVerdict {
    bool proven = false;        ///< False: everything else here means nothing.
    Digest server_signature{};  ///< By this the client recognises the server, if it is proven.
};

/// The server's side: whether the claim was made with the token of these keys, for this device, on
/// this connection. It always computes the same.
template <ScramCrypto Crypto>
TokenVerdict verify_token_claim(const TokenClaim& claim, const DeviceId& device,
                                const ChannelBinding& binding, const TokenKeys& keys) {
    const Buffer message =
        detail::token_auth_message(claim.user, device, claim.generation, binding);
    // RFC 5802 §3: "The server verifies the client's proof" by taking ClientSignature off it, which
    // leaves ClientKey, the preimage of StoredKey.
    const Digest signature = Crypto::hmac_sha256(keys.stored_key, message);
    Digest client_key = detail::exclusive_or(signature, claim.proof);
    TokenVerdict verdict;
    verdict.proven = equal_in_constant_time(Crypto::sha256(client_key), keys.stored_key);
    verdict.server_signature = Crypto::hmac_sha256(keys.server_key, message);
    secure_wipe(client_key);
    return verdict;
}

/// The client's message: length of the name, the name, the generation, the proof.
QUICCHAT_DECL Buffer encode_token_claim(const TokenClaim& claim);

/// Reads the client's message: nothing may be missing, wrong or left over. Every failure is
/// `token_refused`.
QUICCHAT_DECL Result<TokenClaim> parse_token_claim(BytesView message);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/device_token.ipp"
#endif

#pragma once

#include "quicchat/auth/scram_server.hpp"

namespace quicchat {

template <ScramCrypto Crypto>
Result<std::monostate> ScramServer<Crypto>::handle_client_first(BytesView message) {
    if (state_ != State::fresh) return fail();
    const Result<ScramClientFirst> first = parse_scram_client_first(message, gs2_header_);
    // Which names are possible is no secret, so nothing leaks by refusing the others early.
    if (!first || !is_user_name(first->user) || detail::is_missing(binding_)) return fail();

    user_ = first->user;
    client_first_bare_ = first->bare;
    nonce_ = std::string{first->nonce} + nonce_;
    state_ = State::look_up_awaited;
    return std::monostate{};
}

template <ScramCrypto Crypto>
Result<Buffer> ScramServer<Crypto>::provide(const ScramLookUp& account) {
    if (state_ != State::look_up_awaited) return fail();
    account_ = account;
    server_first_ = "r=" + nonce_ + ",s=" + encode_base64(account.verifier.salt) +
                    ",i=" + std::to_string(account.verifier.iterations);
    state_ = State::proof_awaited;
    const BytesView bytes = as_bytes(server_first_);
    // RFC 5802 has no limit, our client has: a user name and two nonces stay far below it.
    if (bytes.size() > sasl_bytes_max) return fail();
    return Buffer(bytes.begin(), bytes.end());
}

template <ScramCrypto Crypto>
Result<Buffer> ScramServer<Crypto>::handle_client_final(BytesView message) {
    if (state_ != State::proof_awaited) return fail();
    const Result<ScramClientFinal> final = parse_scram_client_final(message);
    if (!final) return fail();

    // RFC 5802 §6: the server checks that `c=` holds the header it got and the binding of its
    // own end. §5.1: the nonce must be the one that the server sent, all of it.
    const Buffer cbind_input = detail::scram_cbind_input(gs2_header_, binding_);
    const bool binding_matches = equal_in_constant_time(final->channel_binding, cbind_input);
    const bool nonce_matches = equal_in_constant_time(as_bytes(final->nonce), as_bytes(nonce_));

    // RFC 5802 §3: "The server verifies the client's proof" by taking ClientSignature off it,
    // which leaves ClientKey, the preimage of StoredKey.
    const Verifier& verifier = account_.verifier;
    const std::string auth_message =
        detail::scram_auth_message(client_first_bare_, server_first_, final->without_proof);
    const Digest client_signature =
        Crypto::hmac_sha256(verifier.stored_key, as_bytes(auth_message));
    Digest client_key = detail::exclusive_or(client_signature, final->proof);
    const bool proof_matches =
        equal_in_constant_time(Crypto::sha256(client_key), verifier.stored_key);
    secure_wipe(client_key);
    const Digest server_signature =
        Crypto::hmac_sha256(verifier.server_key, as_bytes(auth_message));

    // Everything was computed, whatever failed first.
    const bool accepted =
        static_cast<bool>(static_cast<int>(binding_matches) & static_cast<int>(nonce_matches) &
                          static_cast<int>(proof_matches) & static_cast<int>(account_.may_log_in));
    if (!accepted) return fail();
    state_ = State::dead;
    const std::string text = "v=" + encode_base64(server_signature);
    const BytesView bytes = as_bytes(text);
    return Buffer(bytes.begin(), bytes.end());
}

template <ScramCrypto Crypto>
Errc ScramServer<Crypto>::fail() {
    state_ = State::dead;
    return Errc::login_failed;
}

}  // namespace quicchat

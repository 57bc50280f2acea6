#pragma once

#include "quicchat/auth/scram_client.hpp"

namespace quicchat {

template <ScramCrypto Crypto>
Result<Buffer> ScramClient<Crypto>::initial() {
    if (state_ != State::fresh) return fail();
    if (detail::is_missing(binding_)) return end(), Errc::internal_error;
    state_ = State::challenge_awaited;
    // A user name needs no escaping: neither `,` nor `=` can be in it.
    client_first_bare_ = "n=" + credentials_.user + ",r=" + nonce_;
    return to_buffer(std::string{gs2_header_} + client_first_bare_);
}

template <ScramCrypto Crypto>
Result<Buffer> ScramClient<Crypto>::handle_challenge(BytesView message,
                                                     const ClientKeyCache* cache) {
    if (const auto read = read_challenge(message); !read) return read.error();
    const ScramKeys* known = cache == nullptr ? nullptr
                                              : cache->find(credentials_.user, salt_, iterations_,
                                                            credentials_.password_check.view());
    return answer(known != nullptr ? *known
                                   : derive_scram_keys<Crypto>(credentials_.password.view(), salt_,
                                                               iterations_));
}

template <ScramCrypto Crypto>
Result<std::monostate> ScramClient<Crypto>::read_challenge(BytesView message) {
    if (state_ != State::challenge_awaited) return fail();
    const Result<ScramServerFirst> challenge = parse_scram_server_first(message);
    if (!challenge) return fail();
    // RFC 5802 §5.1: "The client MUST verify that the initial part of the nonce used in
    // subsequent messages is the same as the nonce it initially specified." And something of
    // the server's own must follow, or an old answer could be played back.
    if (!challenge->nonce.starts_with(nonce_) || challenge->nonce.size() == nonce_.size()) {
        return fail();
    }
    if (challenge->iterations < credentials_.iterations.min ||
        challenge->iterations > credentials_.iterations.max) {
        return fail();
    }
    server_first_ = as_text(message);
    server_nonce_ = challenge->nonce;
    salt_ = challenge->salt;
    iterations_ = challenge->iterations;
    state_ = State::keys_awaited;
    return std::monostate{};
}

template <ScramCrypto Crypto>
Result<Buffer> ScramClient<Crypto>::answer(const ScramKeys& keys) {
    if (state_ != State::keys_awaited) return fail();
    keys_ = keys;
    credentials_.password.wipe();
    const Buffer cbind_input = detail::scram_cbind_input(gs2_header_, binding_);
    const std::string without_proof = "c=" + encode_base64(cbind_input) + ",r=" + server_nonce_;
    const std::string auth_message =
        detail::scram_auth_message(client_first_bare_, server_first_, without_proof);

    // RFC 5802 §3: ClientProof := ClientKey XOR HMAC(H(ClientKey), AuthMessage)
    Digest stored_key = Crypto::sha256(keys_.client_key);
    const Digest signature = Crypto::hmac_sha256(stored_key, as_bytes(auth_message));
    const Digest proof = detail::exclusive_or(keys_.client_key, signature);
    secure_wipe(stored_key);
    server_signature_ = Crypto::hmac_sha256(keys_.server_key, as_bytes(auth_message));
    state_ = State::success_awaited;
    return to_buffer(without_proof + ",p=" + encode_base64(proof));
}

template <ScramCrypto Crypto>
Result<std::monostate> ScramClient<Crypto>::handle_success(BytesView message,
                                                           ClientKeyCache* cache) {
    if (state_ != State::success_awaited) return fail();
    const Result<ScramServerFinal> success = parse_scram_server_final(message);
    if (!success || !equal_in_constant_time(success->signature, server_signature_)) {
        return fail();
    }
    if (cache != nullptr) {
        cache->remember(credentials_.user, salt_, iterations_, credentials_.password_check.view(),
                        keys_);
    }
    end();
    return std::monostate{};
}

template <ScramCrypto Crypto>
Errc ScramClient<Crypto>::fail() {
    end();
    return Errc::server_not_verified;
}

template <ScramCrypto Crypto>
void ScramClient<Crypto>::end() {
    state_ = State::dead;
    credentials_.password.wipe();
    keys_ = {};
    secure_wipe(server_signature_);
}

template <ScramCrypto Crypto>
Buffer ScramClient<Crypto>::to_buffer(std::string_view text) {
    const BytesView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

}  // namespace quicchat

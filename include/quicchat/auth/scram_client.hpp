#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/client_key_cache.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/password.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/auth/scram_message.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// How many iterations a client computes for a server that asks. Too few would let a hostile server
/// guess the password cheaply; too many would let it stop the client (RFC 5802 §9).
struct ScramIterationRange {
    std::uint32_t min = 100'000;
    std::uint32_t max = scram_iterations_max;
};

/// Who logs in.
struct ScramCredentials {
    std::string user;  ///< `is_user_name`
    Secret password;   ///< `is_password`, in Normalization Form C
    /// Tells this password apart in a cache that is shared; see `scram_password_check`.
    Secret password_check{};
    ScramIterationRange iterations{};
};

/// The client's side of one SCRAM-SHA-256-PLUS exchange (RFC 5802, 7677, 9266): `initial`, then
/// `handle_challenge`, then `handle_success`. After a failure, and after the end, it is dead: every
/// call fails. The user is logged in only when `handle_success` said so; before that nothing proves
/// that the server is the right one.
template <ScramCrypto Crypto>
class ScramClient {
public:
    /// `nonce` is printable, has no comma, and is made of at least 18 random bytes, used once.
    ScramClient(ScramCredentials credentials, const ChannelBinding& binding, std::string nonce)
        : credentials_(std::move(credentials)), binding_(binding), nonce_(std::move(nonce)) {
        assert(is_user_name(credentials_.user));
        assert(is_password(as_text(credentials_.password.view())));
        assert(detail::is_scram_nonce(nonce_));
    }

    /// The client-first-message.
    Result<Buffer> initial() {
        if (state_ != State::fresh) return fail();
        if (detail::is_missing(binding_)) return end(), Errc::internal_error;
        state_ = State::challenge_awaited;
        // A user name needs no escaping: neither `,` nor `=` can be in it.
        client_first_bare_ = "n=" + credentials_.user + ",r=" + nonce_;
        return to_buffer(std::string{scram_gs2_header} + client_first_bare_);
    }

    /// Takes the server-first-message and answers with the client-final-message. It computes for as
    /// long as the iterations take, unless `cache` knows the keys.
    Result<Buffer> handle_challenge(BytesView message, const ClientKeyCache* cache = nullptr) {
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
        salt_ = challenge->salt;
        iterations_ = challenge->iterations;
        load_keys(cache);

        const Buffer cbind_input = detail::scram_cbind_input(scram_gs2_header, binding_);
        const std::string without_proof =
            "c=" + encode_base64(cbind_input) + ",r=" + std::string{challenge->nonce};
        const std::string auth_message =
            detail::scram_auth_message(client_first_bare_, as_text(message), without_proof);

        // RFC 5802 §3: ClientProof := ClientKey XOR HMAC(H(ClientKey), AuthMessage)
        Digest stored_key = Crypto::sha256(keys_.client_key);
        const Digest signature = Crypto::hmac_sha256(stored_key, as_bytes(auth_message));
        const Digest proof = detail::exclusive_or(keys_.client_key, signature);
        secure_wipe(stored_key);
        server_signature_ = Crypto::hmac_sha256(keys_.server_key, as_bytes(auth_message));
        state_ = State::success_awaited;
        return to_buffer(without_proof + ",p=" + encode_base64(proof));
    }

    /// Takes the server-final-message. Only a value means that the login succeeded and that the
    /// server knows the account; its keys are then put into `cache`.
    ///
    /// RFC 5802 §5: if the signatures differ, "the client MUST consider the authentication exchange
    /// to be unsuccessful". The error is `server_not_verified`, and nothing may be sent any more.
    Result<std::monostate> handle_success(BytesView message, ClientKeyCache* cache = nullptr) {
        if (state_ != State::success_awaited) return fail();
        const Result<ScramServerFinal> success = parse_scram_server_final(message);
        if (!success || !equal_in_constant_time(success->signature, server_signature_)) {
            return fail();
        }
        if (cache != nullptr) {
            cache->remember(credentials_.user, salt_, iterations_,
                            credentials_.password_check.view(), keys_);
        }
        end();
        return std::monostate{};
    }

private:
    enum class State { fresh, challenge_awaited, success_awaited, dead };

    void load_keys(const ClientKeyCache* cache) {
        const ScramKeys* known = cache == nullptr
                                     ? nullptr
                                     : cache->find(credentials_.user, salt_, iterations_,
                                                   credentials_.password_check.view());
        keys_ = known != nullptr
                    ? *known
                    : derive_scram_keys<Crypto>(credentials_.password.view(), salt_, iterations_);
        credentials_.password.wipe();
    }

    Errc fail() {
        end();
        return Errc::server_not_verified;
    }

    void end() {
        state_ = State::dead;
        credentials_.password.wipe();
        keys_ = {};
        secure_wipe(server_signature_);
    }

    static Buffer to_buffer(std::string_view text) {
        const BytesView bytes = as_bytes(text);
        return {bytes.begin(), bytes.end()};
    }

    State state_ = State::fresh;
    ScramCredentials credentials_;
    ChannelBinding binding_;
    std::string nonce_;
    std::string client_first_bare_;
    Buffer salt_;
    std::uint32_t iterations_ = 0;
    ScramKeys keys_;
    Digest server_signature_{};
};

/// Tells passwords apart in a shared ClientKeyCache. It is slow too, by the floor of RFC 7677, so
/// that the cache is no quick way to try passwords.
template <ScramCrypto Crypto>
Secret scram_password_check(std::string_view user, BytesView password) {
    const std::string salt = "quicchat client key cache:" + canonical_name(user);
    Digest check = Crypto::pbkdf2_hmac_sha256(password, as_bytes(salt), scram_iterations_floor);
    Secret result{check};
    secure_wipe(check);
    return result;
}

}  // namespace quicchat

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
#include "quicchat/base/match.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// How many iterations a client computes for a server that asks. Too few would let a hostile server
/// guess the password cheaply; too many would let it stop the client (RFC 5802 §9).
struct ScramIterationRange {
    /// Both are allowed themselves.
    /// @{
    std::uint32_t min = 100'000;
    std::uint32_t max = scram_iterations_max;
    /// @}
};

/// Who logs in.
struct ScramCredentials {
    std::string user;  ///< `is_user_name`
    Secret password;   ///< `is_password`, in Normalization Form C
    /// Tells this password apart in a cache that is shared; see `scram_password_check`.
    Secret password_check{};
    ScramIterationRange iterations{};  ///< A server that asks for another number is not answered.
};

/// The client's side of one SCRAM-SHA-256-PLUS exchange (RFC 5802, 7677, 9266): `initial`, then
/// `handle_challenge`, then `handle_success`. After a failure, and after the end, it is dead: every
/// call fails. The user is logged in only when `handle_success` said so; before that nothing proves
/// that the server is the right one.
///
/// `handle_challenge` is `read_challenge` and `answer` in one; in between, whoever wants to
/// computes the keys elsewhere.
template <ScramCrypto Crypto>
class ScramClient {
public:
    /// `nonce` is printable, has no comma, and is made of at least 18 random bytes, used once. The
    /// header says what kind of binding it is.
    ScramClient(ScramCredentials credentials, const ChannelBinding& binding, std::string nonce,
                std::string_view gs2_header = scram_gs2_header)
        : credentials_(std::move(credentials)),
          gs2_header_(gs2_header),
          binding_(binding),
          nonce_(std::move(nonce)) {
        assert(is_user_name(credentials_.user));
        assert(is_password(as_text(credentials_.password.view())));
        assert(detail::is_scram_nonce(nonce_));
    }

    /// The client-first-message.
    Result<Buffer> initial();

    /// Takes the server-first-message and answers with the client-final-message. It computes for as
    /// long as the iterations take, unless `cache` knows the keys.
    Result<Buffer> handle_challenge(BytesView message, const ClientKeyCache* cache = nullptr);

    /// Takes the server-first-message, which says which keys it wants.
    Result<std::monostate> read_challenge(BytesView message);

    /// The client-final-message, by the keys of the password for `salt` and `iterations`.
    Result<Buffer> answer(const ScramKeys& keys);

    /// A challenge was read and not answered.
    bool wants_keys() const { return state_ == State::keys_awaited; }
    /// What the server's challenge asked for. Empty and 0 before it was read.
    /// @{
    const Buffer& salt() const { return salt_; }
    std::uint32_t iterations() const { return iterations_; }
    /// @}

    /// Takes the server-final-message. Only a value means that the login succeeded and that the
    /// server knows the account; its keys are then put into `cache`.
    ///
    /// RFC 5802 §5: if the signatures differ, "the client MUST consider the authentication exchange
    /// to be unsuccessful". The error is `server_not_verified`, and nothing may be sent any more.
    Result<std::monostate> handle_success(BytesView message, ClientKeyCache* cache = nullptr);

private:
    enum class State { fresh, challenge_awaited, keys_awaited, success_awaited, dead };

    Errc fail();

    void end();

    static Buffer to_buffer(std::string_view text);

    State state_ = State::fresh;
    ScramCredentials credentials_;
    std::string_view gs2_header_;
    ChannelBinding binding_;
    std::string nonce_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string server_nonce_;  ///< Ours, and the server's behind it.
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

#include "quicchat/auth/impl/scram_client.ipp"

#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/device_token.hpp"
#include "quicchat/auth/scram_keys.hpp"
#include "quicchat/auth/scram_message.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// The server's side of one SCRAM-SHA-256-PLUS exchange (RFC 5802, 7677, 9266):
/// `handle_client_first`, then `provide` what is known of `user()`, at once or later, then
/// `handle_client_final`. After a failure, and after the end, it is dead: every call fails. All
/// failures are `login_failed`; which check it was is told to nobody.
///
/// RFC 9266 §4.1 wants one exchange per connection: after a failure the connection is closed.
template <ScramCrypto Crypto>
class ScramServer {
public:
    /// `nonce` is printable, has no comma, and is made of at least 18 random bytes, used once. The
    /// header says what kind of binding it is.
    ScramServer(const ChannelBinding& binding, std::string nonce,
                std::string_view gs2_header = scram_gs2_header)
        : gs2_header_(gs2_header), binding_(binding), nonce_(std::move(nonce)) {
        assert(detail::is_scram_nonce(nonce_));
    }

    /// Takes the client-first-message. Afterwards `user()` is who wants to log in.
    Result<std::monostate> handle_client_first(BytesView message);

    /// Who wants to log in, as the client spelt it.
    const std::string& user() const { return user_; }

    /// Takes what `AccountStore::find_or_fake` says about the user, and makes the
    /// server-first-message.
    Result<Buffer> provide(const ScramLookUp& account);

    /// Takes the client-final-message. A value means that the user is logged in; it is the
    /// server-final-message, by which the client recognises the server.
    Result<Buffer> handle_client_final(BytesView message);

private:
    enum class State { fresh, look_up_awaited, proof_awaited, dead };

    Errc fail();

    State state_ = State::fresh;
    std::string_view gs2_header_;
    ChannelBinding binding_;
    std::string nonce_;  // the server's part, then both
    std::string user_;
    std::string client_first_bare_;
    std::string server_first_;
    ScramLookUp account_;
};

}  // namespace quicchat

#include "quicchat/auth/impl/scram_server.ipp"

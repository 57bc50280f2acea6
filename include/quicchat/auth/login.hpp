#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/auth/device.hpp"
#include "quicchat/base/background.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"

// How users prove who they are, as Client and Server see it. Both know nothing of mechanisms; they
// carry the bytes (PROTOCOL.md §5).

namespace quicchat {

/// Random bytes that a login is given for its nonce: above the 18 that RFC 5802's nonces need, and
/// base64 without padding.
inline constexpr std::size_t login_entropy_bytes = 24;

/// How a client begins.
struct LoginStart {
    std::string mechanism;  ///< Its name (PROTOCOL.md §5).
    Buffer data;            ///< As the mechanism has it.
    /// The server asks nothing back, so requests may follow in the same flight.
    bool one_flight = false;
};

/// What a client began with, as the server received it.
struct LoginRequest {
    std::string mechanism;            ///< Its name (PROTOCOL.md §5).
    BytesView data;                   ///< As the mechanism has it.
    const ChannelBinding& binding;    ///< Of the server's end of the connection; zeros for a page.
    DeviceId device{};                ///< That the client says it is.
    std::string_view peer_address{};  ///< Address and port.
    Now now{};                        ///< Of this turn.
    const PageSession* page = nullptr;  ///< Nullptr: it is no page.
};

/// The server asks something back.
struct LoginChallenge {
    Buffer data;  ///< As the mechanism has it.
};

/// The user is logged in.
struct LoginAccepted {
    std::string user;  ///< In the spelling that others see.
    Buffer data;       ///< By this the client recognises the server.
};

/// Nobody is logged in, and the connection is to be closed with that error.
struct LoginRefused {
    Errc errc = Errc::login_failed;  ///< Or what else was refused, or why accounts are unreadable.
    /// A token was copied, so its device was removed: end its open connections as well.
    bool device_removed = false;
};

/// The answer is not known yet: `poll` will give it.
struct LoginPending {};

/// After LoginAccepted, once it is safe at the server: the device's token for the next login.
struct TokenIssued {
    std::uint64_t generation = 0;  ///< Which token of the device it is: 1 for the first.
    Buffer key;                    ///< `device_token_bytes` random bytes.
};

/// What the server does next.
using LoginStep =
    std::variant<LoginChallenge, LoginAccepted, LoginRefused, LoginPending, TokenIssued>;

/// The client's part. One per client; `start` begins anew for every connection. After a failure
/// every call fails until then.
class ClientLogin {
public:
    virtual ~ClientLogin() = default;

    /// False: it is bound to something that it was told, as in a page, and `start` is given zeros
    /// if the transport has no channel binding. Otherwise the connection fails then.
    virtual bool wants_channel_binding() const { return true; }
    /// Begins a login. `entropy` is `login_entropy_bytes` random bytes, used once. It fails rather
    /// than sending anything when it lacks a channel binding that it needs.
    virtual Result<LoginStart> start(const ChannelBinding& binding, DeviceId device,
                                     BytesView entropy) = 0;
    /// The answer to the server's challenge; nothing if it takes longer: then `poll` will give it.
    /// Fails on a second challenge.
    virtual Result<std::optional<Buffer>> respond(BytesView challenge) = 0;
    /// After a `respond` without an answer it gives it once, or fails. It has none at any other
    /// time, and may be called at any.
    virtual Result<std::optional<Buffer>> poll() { return std::optional<Buffer>{}; }
    /// True while `poll` may come to have one.
    virtual bool is_computing() const { return false; }
    /// Judges by what the server shows last. Only a value means that the user is logged in, and
    /// that the server is the right one.
    virtual Result<std::monostate> finish(BytesView success) = 0;
    /// Takes the token for the next login. The one before stays good until that was used.
    virtual void keep(DeviceToken token) = 0;
    /// The server refused a login, and why. True: the next `start` begins in another way, with the
    /// password instead of a token, so that it is worth trying again.
    virtual bool recover(Errc why) = 0;
    /// What a program may keep for its next run; nullptr: there is none.
    virtual const DeviceToken* token() const { return nullptr; }

    /// What takes long is done there from now on, and not within `respond`. Of this login alone.
    virtual void compute_in(std::shared_ptr<Background>) {}

protected:
    ClientLogin() = default;  // a model decides itself whether it can be copied or moved
    /// Of a model.
    ClientLogin(const ClientLogin&) = default;
    /// Of a model.
    ClientLogin(ClientLogin&&) = default;
    /// Of a model.
    ClientLogin& operator=(const ClientLogin&) = default;
    /// Of a model.
    ClientLogin& operator=(ClientLogin&&) = default;
};

/// One login at the server, one per connection. After LoginAccepted or LoginRefused, on a second
/// `start`, and on anything that comes while it `waits`, everything is refused.
class LoginExchange {
public:
    virtual ~LoginExchange() = default;

    /// What the client begins with.
    virtual LoginStep start(const LoginRequest& request) = 0;
    /// What the client answers to a challenge.
    virtual LoginStep respond(BytesView response) = 0;
    /// True after LoginPending, and after LoginAccepted while a token is to come: then `poll` is
    /// called at every wake-up, and at `deadline` at the latest.
    virtual bool waits() const { return false; }
    /// What it waited for, if that is there.
    virtual std::optional<LoginStep> poll(Now);
    /// When `poll` will have something, whatever happens; nothing: that is not known.
    virtual std::optional<TimePoint> deadline() const;
    /// Whom the peer claims to be, for logs; empty if it named nobody.
    virtual const std::string& claimed_user() const = 0;

protected:
    LoginExchange() = default;
    /// Of a model.
    LoginExchange(const LoginExchange&) = default;
    /// Of a model.
    LoginExchange(LoginExchange&&) = default;
    /// Of a model.
    LoginExchange& operator=(const LoginExchange&) = default;
    /// Of a model.
    LoginExchange& operator=(LoginExchange&&) = default;
};

/// The server's part: makes an exchange for each connection. Exchanges may outlive the
/// authenticator.
class Authenticator {
public:
    virtual ~Authenticator() = default;

    /// An exchange for one connection. `entropy` is `login_entropy_bytes` random bytes, used once.
    virtual std::unique_ptr<LoginExchange> begin(BytesView entropy) = 0;
    /// How the account of that name is spelled, so that others may write to it while it is away;
    /// nothing if there is none, or if only a login can tell.
    virtual std::optional<std::string> find_account(const std::string& name) const = 0;

protected:
    Authenticator() = default;
    /// Of a model.
    Authenticator(const Authenticator&) = default;
    /// Of a model.
    Authenticator(Authenticator&&) = default;
    /// Of a model.
    Authenticator& operator=(const Authenticator&) = default;
    /// Of a model.
    Authenticator& operator=(Authenticator&&) = default;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/login.ipp"
#endif

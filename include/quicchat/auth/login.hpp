#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/auth/device.hpp"
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
    std::string mechanism;
    Buffer data;
    /// The server asks nothing back, so requests may follow in the same flight.
    bool one_flight = false;
};

/// What a client began with, as the server received it.
struct LoginRequest {
    std::string mechanism;
    BytesView data;
    const ChannelBinding& binding;  ///< Of the server's end of the connection.
    DeviceId device{};
    std::string_view peer_address{};
    Now now{};
};

/// The server asks something back.
struct LoginChallenge {
    Buffer data;
};

/// The user is logged in.
struct LoginAccepted {
    std::string user;  ///< In the spelling that others see.
    Buffer data;       ///< By this the client recognises the server.
};

/// Nobody is logged in, and the connection is to be closed with that error.
struct LoginRefused {
    Errc errc = Errc::login_failed;  ///< Or `token_refused`, or why accounts cannot be read.
    /// A token was copied, so its device was removed: end its open connections as well.
    bool device_removed = false;
};

/// The answer is not known yet: `poll` will give it.
struct LoginPending {};

/// After LoginAccepted, once it is safe at the server: the device's token for the next login.
struct TokenIssued {
    std::uint64_t generation = 0;
    Buffer key;
};

using LoginStep =
    std::variant<LoginChallenge, LoginAccepted, LoginRefused, LoginPending, TokenIssued>;

/// The client's part. One per client; `start` begins anew for every connection.
///
/// Beyond the signatures it promises that
///  - `start` fails rather than sending anything when it lacks a channel binding it needs;
///  - `respond` fails on a second challenge, and every call fails after a failure, until `start`;
///  - only a value from `finish` means that the user is logged in and the server is the right one;
///  - `keep` takes the token for the next login; the one before stays good until that was used;
///  - `recover` is told why the server refused a login. True: the next `start` begins in another
///    way, with the password instead of a token, so that it is worth trying again.
template <class L>
concept ClientLogin = std::movable<L> &&
    requires(L login, const ChannelBinding& binding, DeviceId device, BytesView bytes,
             DeviceToken token, Errc why) {
    { login.start(binding, device, bytes) } -> std::same_as<Result<LoginStart>>;
    { login.respond(bytes) } -> std::same_as<Result<Buffer>>;
    { login.finish(bytes) } -> std::same_as<Result<std::monostate>>;
    { login.keep(token) } -> std::same_as<void>;
    { login.recover(why) } -> std::same_as<bool>;
};

/// One login at the server, one per connection. After LoginAccepted or LoginRefused, on a second
/// `start`, and on anything that comes while it `waits`, everything is refused.
template <class E>
concept LoginExchange = std::movable<E> &&
    requires(E exchange, const E& view, const LoginRequest& request, BytesView bytes, Now now) {
    { exchange.start(request) } -> std::same_as<LoginStep>;
    { exchange.respond(bytes) } -> std::same_as<LoginStep>;
    // True after LoginPending, and after LoginAccepted while a token is to come: then `poll` is
    // called at every wake-up, and at `deadline` at the latest.
    { view.waits() } -> std::same_as<bool>;
    { exchange.poll(now) } -> std::same_as<std::optional<LoginStep>>;
    { view.deadline() } -> std::same_as<std::optional<TimePoint>>;
    // Whom the peer claims to be, for logs; empty if it named nobody.
    { view.claimed_user() } -> std::same_as<const std::string&>;
};

/// The server's part: makes an exchange for each connection, out of `login_entropy_bytes` random
/// bytes. Exchanges may outlive the authenticator.
template <class A>
concept Authenticator = std::movable<A> && LoginExchange<typename A::Exchange> &&
    requires(A authenticator, const A& view, BytesView entropy, const std::string& name) {
    { authenticator.begin(entropy) } -> std::same_as<typename A::Exchange>;
    // How the account of that name is spelled, so that others may write to it while it is away;
    // nothing if there is none, or if only a login can tell.
    { view.find_account(name) } -> std::same_as<std::optional<std::string>>;
};

}  // namespace quicchat

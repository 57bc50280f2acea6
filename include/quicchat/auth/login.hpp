#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <variant>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/result.hpp"
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
};

/// What a client began with, as the server received it.
struct LoginRequest {
    std::string mechanism;
    BytesView data;
    const ChannelBinding& binding;  ///< Of the server's end of the connection.
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

/// Nobody is logged in, and the connection is to be closed with `login_failed`.
struct LoginRefused {};

using LoginStep = std::variant<LoginChallenge, LoginAccepted, LoginRefused>;

/// The client's part. One per client; `start` begins anew for every connection.
///
/// Beyond the signatures it promises that
///  - `start` fails rather than sending anything when it lacks a channel binding it needs;
///  - `respond` fails on a second challenge, and every call fails after a failure, until `start`;
///  - only a value from `finish` means that the user is logged in and the server is the right one.
template <class L>
concept ClientLogin = std::movable<L> &&
    requires(L login, const ChannelBinding& binding, BytesView bytes) {
    { login.start(binding, bytes) } -> std::same_as<Result<LoginStart>>;
    { login.respond(bytes) } -> std::same_as<Result<Buffer>>;
    { login.finish(bytes) } -> std::same_as<Result<std::monostate>>;
};

/// One login at the server, one per connection. After LoginAccepted or LoginRefused, and on a
/// second `start`, everything is refused.
template <class E>
concept LoginExchange = std::movable<E> &&
    requires(E exchange, const E& view, const LoginRequest& request, BytesView bytes) {
    { exchange.start(request) } -> std::same_as<LoginStep>;
    { exchange.respond(bytes) } -> std::same_as<LoginStep>;
    // Whom the peer claims to be, for logs; empty if it named nobody.
    { view.claimed_user() } -> std::same_as<const std::string&>;
};

/// The server's part: makes an exchange for each connection, out of `login_entropy_bytes` random
/// bytes. Exchanges may outlive the authenticator.
template <class A>
concept Authenticator = std::movable<A> && LoginExchange<typename A::Exchange> &&
    requires(A authenticator, BytesView entropy) {
    { authenticator.begin(entropy) } -> std::same_as<typename A::Exchange>;
};

}  // namespace quicchat

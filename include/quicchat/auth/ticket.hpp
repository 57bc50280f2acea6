#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/time.hpp"

// One-time tickets: JSON Web Tokens (RFC 7519) that the back end of a site makes for those who are
// logged in there, and its page shows to the chat server (PROTOCOL.md §5.10).

namespace quicchat {

/// A ticket is good for so long at most.
inline constexpr std::chrono::seconds ticket_lifetime_max{300};
/// So far a back end's clock may be ahead of the server's.
inline constexpr std::chrono::seconds ticket_clock_skew_max{60};
/// Characters of a ticket's `jti`: 16 random bytes in base64 without padding have 22.
inline constexpr std::size_t ticket_id_bytes_min = 22;
inline constexpr std::size_t ticket_id_bytes_max = 128;  ///< The most that is taken.
/// Bytes of a key: RFC 7518 §3.2 wants "the same size as the hash output" or more.
inline constexpr std::size_t ticket_key_bytes_min = 32;
inline constexpr std::size_t ticket_key_bytes_max = 512;  ///< The most that is taken.
/// Bytes of a server's name in tickets, and of an origin.
inline constexpr std::size_t ticket_text_bytes_max = 255;
/// How deep JSON may nest in a ticket. What else it says is up to the site, and not looked at.
inline constexpr std::size_t ticket_json_depth_max = 8;

/// What a ticket says, times in seconds since 1970. The names of RFC 7519 §4.1 are in brackets.
struct TicketClaims {
    std::string user;                          ///< [sub]
    std::string audience;                      ///< The server that it is for. [aud]
    std::string id;                            ///< Random, so that it is used once. [jti]
    std::int64_t issued = 0;                   ///< [iat]
    std::int64_t expiry = 0;                   ///< [exp]
    std::optional<std::int64_t> not_before{};  ///< [nbf]
    std::optional<std::string> origin{};       ///< Pages of this origin alone may use it.
};

/// Reads head "." body of a ticket whose signature was good. Nothing if it is not as PROTOCOL.md
/// §5.10 says: another algorithm, or what a claim must not be; whether they hold is not looked at.
QUICCHAT_DECL std::optional<TicketClaims> read_ticket(std::string_view signed_part);

namespace detail {

/// Head "." body.
QUICCHAT_DECL std::string ticket_signed_part(const TicketClaims& claims);

/// `invalid_name`, or `invalid_request` for what no server would take; 0: it is right.
QUICCHAT_DECL Errc check_claims(const TicketClaims& claims, BytesView key);

}  // namespace detail

/// What a ticket is to say.
struct TicketOrder {
    std::string user;      ///< Who logs in by it, as the chat server is to know him.
    std::string audience;  ///< The name of the chat server, as it is configured there.
    std::string origin{};  ///< "https://chat.example.org": only its pages may use it; empty: any.
    std::chrono::seconds lifetime{60};  ///< 1 to 300.
};

/// The compact form of a ticket.
template <ScramCrypto Crypto>
Result<std::string> sign_ticket(const TicketClaims& claims, BytesView key) {
    if (const Errc errc = detail::check_claims(claims, key); errc != Errc{}) return errc;
    std::string text = detail::ticket_signed_part(claims);
    Digest signature = Crypto::hmac_sha256(key, as_bytes(text));
    text += '.' + encode_base64url(signature);
    secure_wipe(signature);
    return text;
}

/// A new ticket, as the back end of a site makes it. `invalid_name` for what is no user's name;
/// `invalid_request` for a key of less than 32 bytes, a lifetime above 300 s, or names that are too
/// long.
template <ScramCrypto Crypto>
Result<std::string> make_ticket(const TicketOrder& order, BytesView key, WallTime now,
                                Entropy& entropy) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    TicketClaims claims{.user = order.user,
                        .audience = order.audience,
                        .id = encode_base64url(entropy.draw<16>()),
                        .issued = seconds,
                        .expiry = seconds + order.lifetime.count()};
    if (!order.origin.empty()) claims.origin = order.origin;
    return sign_ticket<Crypto>(claims, key);
}

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/ticket.ipp"
#endif

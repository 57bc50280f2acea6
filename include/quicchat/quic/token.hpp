#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/address.hpp"
#include "quicchat/quic/random.hpp"

namespace quicchat::quic {

/// The same time for ngtcp2, in nanoseconds.
/// @{
QUICCHAT_DECL ngtcp2_tstamp to_tstamp(TimePoint time);

QUICCHAT_DECL ngtcp2_duration to_ngtcp2(Duration duration);
/// @}

/// A client answers a Retry at once; this is a slow round trip and a retransmission.
inline constexpr Duration retry_token_lifetime = std::chrono::seconds{10};

/// How long a client may come back from the same address without another round trip.
inline constexpr Duration new_token_lifetime = std::chrono::hours{1};

/// Longer address tokens a client does not keep: ours have 41 bytes, and with one that fills a
/// packet it could not begin.
inline constexpr std::size_t address_token_bytes_max = 512;

/// The same for who was logged in: a token is given at the login only, and may be needed when a
/// long connection has ended.
inline constexpr Duration known_token_lifetime = std::chrono::hours{24 * 7};

/// What a token in an Initial packet proves.
struct TokenVerdict {
    /// What is known of the client's address.
    enum Kind : std::uint8_t {
        none,                    ///< Nothing; as if there was no token.
        retry,                   ///< The client received our Retry packet at that address.
        regular,                 ///< The client was at that address before.
        known,                   ///< And was logged in there.
        invalid,                 ///< It is a Retry token of ours, but too old or from elsewhere.
    } kind = none;               ///< See Kind.
    ngtcp2_cid original_dcid{};  ///< Of the Initial that caused the Retry.
};

/// What others may know as well: the next process, or other shards. Drawn at random where it is
/// missing.
struct TokenSecrets {
    /// Should outlive a restart, so that the new process can reset the connections of the old one.
    std::optional<Seed> resets{};
    std::optional<Seed> addresses{};  ///< Behind tokens that prove an address.
};

/// Makes and checks what RFC 9000 §8.1 and §10.3 let a server remember outside of its memory:
/// tokens that prove an address, and stateless reset tokens.
class Tokens {
public:
    /// Draws the secrets that are missing.
    Tokens(Random& random, const TokenSecrets& secrets);

    /// The token of a Retry packet, RFC 9000 §8.1.2. `original_dcid`: of the Initial that it
    /// answers.
    std::vector<std::uint8_t> make_retry(std::uint32_t version, const SocketAddress& remote,
                                         const ngtcp2_cid& retry_scid,
                                         const ngtcp2_cid& original_dcid, TimePoint now) const;

    /// The token of a NEW_TOKEN frame, RFC 9000 §8.1.3, for anybody who has connected.
    std::vector<std::uint8_t> make_regular(const SocketAddress& remote, TimePoint now) const;

    /// The same for who is logged in.
    std::vector<std::uint8_t> make_known(const SocketAddress& remote, TimePoint now) const;

    /// What the token of an Initial from `remote` proves. `dcid`: where that Initial went.
    TokenVerdict check(std::span<const std::uint8_t> token, std::uint32_t version,
                       const SocketAddress& remote, const ngtcp2_cid& dcid, TimePoint now) const;

    /// RFC 9000 §10.3.2: a pseudorandom function of the connection id and a static key.
    ngtcp2_stateless_reset_token reset_token(const ngtcp2_cid& cid) const;

private:
    static constexpr std::uint8_t known_mark = 1;

    std::vector<std::uint8_t> make_new(std::span<const std::uint8_t> mark,
                                       const SocketAddress& remote, TimePoint now) const;

    /// Of a token that is not too old: `regular` or `known`.
    TokenVerdict::Kind check_new(std::span<const std::uint8_t> token, const SocketAddress& remote,
                                 Duration lifetime, TimePoint now) const;

    Seed address_secret_;
    Seed reset_secret_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/token.ipp"
#endif

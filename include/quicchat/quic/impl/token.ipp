#pragma once

#include "quicchat/quic/token.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

QUICCHAT_DECL ngtcp2_tstamp to_tstamp(TimePoint time) {
    return static_cast<ngtcp2_tstamp>(time.time_since_epoch().count());
}

QUICCHAT_DECL ngtcp2_duration to_ngtcp2(Duration duration) {
    return static_cast<ngtcp2_duration>(duration.count());
}

QUICCHAT_DECL Tokens::Tokens(Random& random, const TokenSecrets& secrets)
    : address_secret_(secrets.addresses ? *secrets.addresses : random.next_seed()),
      reset_secret_(secrets.resets ? *secrets.resets : random.next_seed()) {}

QUICCHAT_DECL std::vector<std::uint8_t> Tokens::make_retry(std::uint32_t version,
                                                           const SocketAddress& remote,
                                                           const ngtcp2_cid& retry_scid,
                                                           const ngtcp2_cid& original_dcid,
                                                           TimePoint now) const {
    std::vector<std::uint8_t> token(NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2);
    const ngtcp2_ssize size = ngtcp2_crypto_generate_retry_token2(
        token.data(), address_secret_.data(), address_secret_.size(), version, remote.data(),
        remote.size(), &retry_scid, &original_dcid, to_tstamp(now));
    token.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return token;
}

QUICCHAT_DECL std::vector<std::uint8_t> Tokens::make_regular(const SocketAddress& remote,
                                                             TimePoint now) const {
    return make_new({}, remote, now);
}

QUICCHAT_DECL std::vector<std::uint8_t> Tokens::make_known(const SocketAddress& remote,
                                                           TimePoint now) const {
    return make_new({&known_mark, 1}, remote, now);
}

QUICCHAT_DECL std::vector<std::uint8_t> Tokens::make_new(std::span<const std::uint8_t> mark,
                                                         const SocketAddress& remote,
                                                         TimePoint now) const {
    std::vector<std::uint8_t> token(NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN + mark.size());
    const ngtcp2_ssize size = ngtcp2_crypto_generate_regular_token2(
        token.data(), address_secret_.data(), address_secret_.size(), remote.data(), remote.size(),
        mark.data(), mark.size(), to_tstamp(now));
    token.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return token;
}

QUICCHAT_DECL TokenVerdict Tokens::check(std::span<const std::uint8_t> token, std::uint32_t version,
                                         const SocketAddress& remote, const ngtcp2_cid& dcid,
                                         TimePoint now) const {
    TokenVerdict verdict;
    if (token.empty()) return verdict;
    if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2) {
        const int error = ngtcp2_crypto_verify_retry_token2(
            &verdict.original_dcid, token.data(), token.size(), address_secret_.data(),
            address_secret_.size(), version, remote.data(), remote.size(), &dcid,
            to_ngtcp2(retry_token_lifetime), to_tstamp(now));
        // RFC 9000 §8.1.2: a server that can tell that a Retry token is invalid "SHOULD
        // immediately close the connection with an INVALID_TOKEN error".
        if (error == 0) verdict.kind = TokenVerdict::retry;
        if (error == NGTCP2_CRYPTO_ERR_VERIFY_TOKEN) verdict.kind = TokenVerdict::invalid;
    } else if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR) {
        verdict.kind = check_new(token, remote, new_token_lifetime, now);
        if (verdict.kind == TokenVerdict::none) {
            const auto older = check_new(token, remote, known_token_lifetime, now);
            if (older == TokenVerdict::known) verdict.kind = older;
        }
    }
    return verdict;
}

QUICCHAT_DECL TokenVerdict::Kind Tokens::check_new(std::span<const std::uint8_t> token,
                                                   const SocketAddress& remote, Duration lifetime,
                                                   TimePoint now) const {
    std::uint8_t mark = 0;
    const ngtcp2_ssize size = ngtcp2_crypto_verify_regular_token2(
        &mark, 1, token.data(), token.size(), address_secret_.data(), address_secret_.size(),
        remote.data(), remote.size(), to_ngtcp2(lifetime), to_tstamp(now));
    if (size < 0) return TokenVerdict::none;
    return size == 1 && mark == known_mark ? TokenVerdict::known : TokenVerdict::regular;
}

QUICCHAT_DECL ngtcp2_stateless_reset_token Tokens::reset_token(const ngtcp2_cid& cid) const {
    ngtcp2_stateless_reset_token token{};
    ngtcp2_crypto_generate_stateless_reset_token(token.data, reset_secret_.data(),
                                                 reset_secret_.size(), &cid);
    return token;
}

}  // namespace quicchat::quic

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

QUICCHAT_DECL Tokens::Tokens(Random& random, const std::optional<Seed>& reset_secret)
    : address_secret_(random.next_seed()),
      reset_secret_(reset_secret ? *reset_secret : random.next_seed()) {}

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
    std::vector<std::uint8_t> token(NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN);
    const ngtcp2_ssize size = ngtcp2_crypto_generate_regular_token(
        token.data(), address_secret_.data(), address_secret_.size(), remote.data(), remote.size(),
        to_tstamp(now));
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
    } else if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR &&
               ngtcp2_crypto_verify_regular_token(
                   token.data(), token.size(), address_secret_.data(), address_secret_.size(),
                   remote.data(), remote.size(), to_ngtcp2(new_token_lifetime),
                   to_tstamp(now)) == 0) {
        verdict.kind = TokenVerdict::regular;
    }
    return verdict;
}

QUICCHAT_DECL ngtcp2_stateless_reset_token Tokens::reset_token(const ngtcp2_cid& cid) const {
    ngtcp2_stateless_reset_token token{};
    ngtcp2_crypto_generate_stateless_reset_token(token.data, reset_secret_.data(),
                                                 reset_secret_.size(), &cid);
    return token;
}

}  // namespace quicchat::quic

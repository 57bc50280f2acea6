#pragma once

#include "quicchat/quic/doorman.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/connection_id.hpp"

namespace quicchat::quic {

QUICCHAT_DECL void Replies::push(Reply reply) {
    if (replies_.size() < waiting_max && !reply.bytes.empty()) {
        replies_.push_back(std::move(reply));
    }
}

QUICCHAT_DECL Transmit Replies::pop() {
    current_ = std::move(replies_.front());
    replies_.pop_front();
    return {.local = current_.local,
            .remote = current_.remote,
            .bytes = std::as_bytes(std::span{current_.bytes}),
            .segment_size = current_.bytes.size()};
}

QUICCHAT_DECL Doorman::Doorman(const Config& config, ServerConfig server, Random& random,
                               const Tokens& tokens)
    : shard_(config.shard),
      connections_max_(config.limits.connections_max),
      handshakes_per_prefix_(config.limits.connections_per_prefix),
      policy_(server.retry),
      half_open_max_(server.half_open_max),
      random_(random),
      tokens_(tokens),
      answers_by_prefix_(random),
      resets_by_prefix_(random),
      retries_by_prefix_(random),
      regular_uses_(random, new_token_lifetime, 1 << 13),
      known_uses_(random, known_token_lifetime, 1 << 16) {}

QUICCHAT_DECL void Doorman::set_limits(const Limits& limits) {
    connections_max_ = limits.connections_max;
    handshakes_per_prefix_ = limits.connections_per_prefix;
}

QUICCHAT_DECL void Doorman::negotiate_version(const Datagram& datagram,
                                              const ngtcp2_version_cid& head, TimePoint now,
                                              Replies& replies) {
    if (datagram.bytes.size() < initial_bytes_min) return void(++stats_.dropped_malformed);
    if (!may_answer(datagram.remote, now)) return;
    ++stats_.versions_negotiated;
    // RFC 9000 §6.3: a version of the form 0x?a?a?a?a keeps clients used to unknown ones. It must
    // not be the client's own, or the client takes the answer for a forgery (§6.2).
    const std::uint32_t unknown = head.version == 0x1a2a3a4a ? 0x2a3a4a5a : 0x1a2a3a4a;
    const std::array<std::uint32_t, 3> versions = {unknown, supported_versions[0],
                                                   supported_versions[1]};
    Reply reply = answer(datagram);
    const ngtcp2_ssize size = ngtcp2_pkt_write_version_negotiation(
        reply.bytes.data(), reply.bytes.size(), random_byte(), head.scid, head.scidlen, head.dcid,
        head.dcidlen, versions.data(), versions.size());
    send(std::move(reply), size, replies);
}

QUICCHAT_DECL void Doorman::reset(const Datagram& datagram, const ngtcp2_cid& id, TimePoint now,
                                  Replies& replies) {
    // Each answer is shorter than its question, so two forgetful servers do not answer each
    // other for ever (RFC 9000 §10.3.3). A keep-alive has less than 42 bytes, and needs one.
    constexpr std::size_t answer_bytes_min = 21;
    constexpr std::size_t answer_bytes_max = 42;
    if (datagram.bytes.size() <= answer_bytes_min) return void(++stats_.dropped_malformed);
    if (!allow(datagram.remote, resets_by_prefix_, answers_per_prefix, resets_, resets_rate, now)) {
        return void(++stats_.dropped_answers);
    }
    ++stats_.resets;
    Reply reply = answer(datagram);
    const ngtcp2_stateless_reset_token token = tokens_.reset_token(id);
    std::array<std::uint8_t, answer_bytes_max - sizeof token.data> padding{};
    random_.fill(padding);
    const std::size_t padding_bytes =
        std::min(answer_bytes_max, datagram.bytes.size() - 1) - sizeof token.data;
    const ngtcp2_ssize size = ngtcp2_pkt_write_stateless_reset2(
        reply.bytes.data(), reply.bytes.size(), &token, padding.data(), padding_bytes);
    send(std::move(reply), size, replies);
}

QUICCHAT_DECL std::optional<Admission> Doorman::admit(const Datagram& datagram,
                                                      std::size_t half_open,
                                                      std::size_t established, TimePoint now,
                                                      Replies& replies) {
    // RFC 9000 §14.1: "A server MUST discard an Initial packet that is carried in a UDP
    // datagram with a payload that is smaller than the smallest allowed maximum datagram size".
    ngtcp2_pkt_hd head{};
    if (datagram.bytes.size() < initial_bytes_min || !decode(datagram, head)) {
        ++stats_.dropped_malformed;
        return std::nullopt;
    }

    const std::span<const std::uint8_t> token{head.token, head.tokenlen};
    TokenVerdict verdict = tokens_.check(token, head.version, datagram.remote, head.dcid, now);
    if (verdict.kind == TokenVerdict::invalid) {
        ++stats_.refused_token;
        refuse(datagram, head, NGTCP2_INVALID_TOKEN, "", now, replies);
        return std::nullopt;
    }
    // Uses count while they are worth something.
    const bool wanted = wants_proof(half_open, now);
    TokenUses* uses = wanted ? uses_of(verdict.kind) : nullptr;
    if (uses != nullptr && !uses->may_use(token, now)) verdict.kind = TokenVerdict::none;
    if (verdict.kind == TokenVerdict::none && wanted) {
        send_retry(datagram, head, now, replies);
        return std::nullopt;
    }
    if (established >= connections_max_) {
        ++stats_.refused_full;
        refuse(datagram, head, NGTCP2_CONNECTION_REFUSED, "the server is full", now, replies);
        return std::nullopt;
    }
    if (!has_time_for(datagram.remote, verdict.kind, now)) {
        ++stats_.dropped_rate;
        return std::nullopt;
    }
    // Only now: a packet that is dropped comes again.
    if (uses != nullptr) uses->note_use(token, now);
    Opening opening{.local = datagram.local,
                    .remote = datagram.remote,
                    .version = head.version,
                    .peer_id = head.scid,
                    .initial_id = head.dcid};
    // ngtcp2 lifts the anti-amplification limit for any token that it is given, so it is given
    // only those that prove something.
    if (verdict.kind != TokenVerdict::none) opening.token = token;
    if (verdict.kind == TokenVerdict::retry) opening.retry_of = verdict.original_dcid;
    return Admission{opening, verdict.kind == TokenVerdict::known};
}

QUICCHAT_DECL void Doorman::send_retry(const Datagram& datagram, TimePoint now, Replies& replies) {
    ngtcp2_pkt_hd head{};
    if (decode(datagram, head)) send_retry(datagram, head, now, replies);
}

QUICCHAT_DECL bool Doorman::decode(const Datagram& datagram, ngtcp2_pkt_hd& head) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(datagram.bytes.data());
    return ngtcp2_accept(&head, bytes, datagram.bytes.size()) == 0 &&
           head.dcid.datalen >= NGTCP2_MIN_INITIAL_DCIDLEN;
}

QUICCHAT_DECL bool Doorman::wants_proof(std::size_t half_open, TimePoint now) const {
    const bool are_many =
        half_open >= half_open_max_ || unproven_.wait(unproven_rate, 1, now) > Duration{};
    return policy_ == RetryPolicy::always || (policy_ == RetryPolicy::under_load && are_many);
}

QUICCHAT_DECL bool Doorman::has_time_for(const SocketAddress& remote, TokenVerdict::Kind proof,
                                         TimePoint now) {
    if (proof == TokenVerdict::none) {  // under a forged address it would be others' budget
        unproven_.spend(unproven_rate, 1, now);
        return true;
    }
    if (now >= next_sweep_) {
        next_sweep_ = now + sweep_period;
        handshakes_of_strangers_.sweep(now);
        handshakes_of_known_.sweep(now);
    }
    NetworkBudgets& handshakes =
        proof == TokenVerdict::known ? handshakes_of_known_ : handshakes_of_strangers_;
    const std::string prefix = address_prefix(remote.to_string());
    return handshakes.take(prefix, handshakes_per_prefix_, now) == Duration{};
}

QUICCHAT_DECL TokenUses* Doorman::uses_of(TokenVerdict::Kind kind) {
    if (kind == TokenVerdict::known) return &known_uses_;
    return kind == TokenVerdict::regular ? &regular_uses_ : nullptr;
}

QUICCHAT_DECL bool Doorman::may_answer(const SocketAddress& remote, TimePoint now) {
    if (allow(remote, answers_by_prefix_, answers_per_prefix, answers_, answers_rate, now)) {
        return true;
    }
    ++stats_.dropped_answers;
    return false;
}

QUICCHAT_DECL bool Doorman::allow(const SocketAddress& remote, PrefixBudgets& by_prefix,
                                  const Rate& prefix_rate, Budget& budget, const Rate& rate,
                                  TimePoint now) {
    if (!by_prefix.take(address_prefix(remote.to_string()), prefix_rate, now)) return false;
    if (budget.wait(rate, 1, now) > Duration{}) return false;
    budget.spend(rate, 1, now);
    return true;
}

QUICCHAT_DECL void Doorman::send_retry(const Datagram& datagram, const ngtcp2_pkt_hd& head,
                                       TimePoint now, Replies& replies) {
    if (!allow(datagram.remote, retries_by_prefix_, handshakes_per_prefix_, answers_, answers_rate,
               now)) {
        return void(++stats_.dropped_answers);
    }
    const ngtcp2_cid id = new_connection_id(random_, shard_);
    const std::vector<std::uint8_t> token =
        tokens_.make_retry(head.version, datagram.remote, id, head.dcid, now);
    if (token.empty()) return;
    ++stats_.retries;
    Reply reply = answer(datagram);
    const ngtcp2_ssize size =
        ngtcp2_crypto_write_retry(reply.bytes.data(), reply.bytes.size(), head.version, &head.scid,
                                  &id, &head.dcid, token.data(), token.size());
    send(std::move(reply), size, replies);
}

QUICCHAT_DECL void Doorman::refuse(const Datagram& datagram, const ngtcp2_pkt_hd& head,
                                   std::uint64_t code, std::string_view text, TimePoint now,
                                   Replies& replies) {
    if (!may_answer(datagram.remote, now)) return;
    Reply reply = answer(datagram);
    const ngtcp2_ssize size = ngtcp2_crypto_write_connection_close(
        reply.bytes.data(), reply.bytes.size(), head.version, &head.scid, &head.dcid, code,
        reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    send(std::move(reply), size, replies);
}

QUICCHAT_DECL Reply Doorman::answer(const Datagram& question) {
    return {.local = question.local,
            .remote = question.remote,
            .bytes = std::vector<std::uint8_t>(initial_bytes_min)};
}

QUICCHAT_DECL void Doorman::send(Reply reply, ngtcp2_ssize size, Replies& replies) {
    if (size <= 0) return;
    reply.bytes.resize(static_cast<std::size_t>(size));
    replies.push(std::move(reply));
}

}  // namespace quicchat::quic

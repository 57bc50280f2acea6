#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "quicchat/base/budget.hpp"
#include "quicchat/base/network.hpp"
#include "quicchat/quic/config.hpp"
#include "quicchat/quic/connection.hpp"
#include "quicchat/quic/prefix_budgets.hpp"
#include "quicchat/quic/token.hpp"
#include "quicchat/quic/token_uses.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat::quic {

/// A packet that belongs to no connection.
struct Reply {
    /// From which of our addresses to whom. Without bytes it is not sent.
    /// @{
    SocketAddress local;
    SocketAddress remote;
    std::vector<std::uint8_t> bytes;
    /// @}
};

/// Somebody who may come in.
struct Admission {
    Opening opening;     ///< For `Connection::create`. Points into the datagram that led to it.
    bool known = false;  ///< He was logged in from there before.
};

/// Replies that wait for the next turn. Who floods us finds the queue full.
class Replies {
public:
    static constexpr std::size_t waiting_max = 512;  ///< Above that a reply is dropped.

    /// Drops a reply without bytes, and one too many.
    void push(Reply reply);
    /// Whether none waits.
    bool empty() const { return replies_.empty(); }

    /// The next one. Its bytes stay valid until the next call.
    Transmit pop();

private:
    std::deque<Reply> replies_;
    Reply current_;
};

/// Deals with packets of strangers at a server, without keeping anything about them: negotiates the
/// version, makes them prove their address, refuses, resets. Answers never have more bytes than the
/// question, so nobody can use us to flood others. Each network has its own budget for them, so
/// that a flood starves only itself.
class Doorman {
public:
    /// `random` and `tokens` must outlive this.
    Doorman(const Config& config, ServerConfig server, Random& random, const Tokens& tokens);

    /// From now on.
    void set_limits(const Limits& limits);

    /// RFC 9000 §6.1: answers a version that we do not speak with those that we do.
    void negotiate_version(const Datagram& datagram, const ngtcp2_version_cid& head, TimePoint now,
                           Replies& replies);

    /// RFC 9000 §10.3: tells a peer that we have forgotten its connection.
    void reset(const Datagram& datagram, const ngtcp2_cid& id, TimePoint now, Replies& replies);

    /// The first packet of a stranger: what a connection needs to begin, or nothing, and perhaps an
    /// answer. The opening refers to the datagram's bytes. Handshakes cost us time, so there are so
    /// many a second for each network of those that have proved their address, and as many again of
    /// those that were logged in before: what is beyond that is dropped, and the client tries
    /// again.
    std::optional<Admission> admit(const Datagram& datagram, std::size_t half_open,
                                   std::size_t established, TimePoint now, Replies& replies);

    /// Asks the client to begin again and to show that it received this (RFC 9000 §8.1.2).
    void send_retry(const Datagram& datagram, TimePoint now, Replies& replies);

    /// What it has done about strangers since its start.
    const StrangerStats& stats() const { return stats_; }

private:
    static constexpr std::size_t initial_bytes_min = NGTCP2_MAX_UDP_PAYLOAD_SIZE;  // 1200

    static bool decode(const Datagram& datagram, ngtcp2_pkt_hd& head);

    bool wants_proof(std::size_t half_open, TimePoint now) const;

    /// Whether a handshake may begin now, of a client that has proved as much. It is counted.
    bool has_time_for(const SocketAddress& remote, TokenVerdict::Kind proof, TimePoint now);

    /// Where uses of such a token are counted; nullptr: nowhere.
    TokenUses* uses_of(TokenVerdict::Kind kind);

    /// False if there were too many already, for that network or in all. It is counted.
    static bool allow(const SocketAddress& remote, PrefixBudgets& by_prefix,
                      const Rate& prefix_rate, Budget& budget, const Rate& rate, TimePoint now);
    bool may_answer(const SocketAddress& remote, TimePoint now);

    void send_retry(const Datagram& datagram, const ngtcp2_pkt_hd& head, TimePoint now,
                    Replies& replies);

    void refuse(const Datagram& datagram, const ngtcp2_pkt_hd& head, std::uint64_t code,
                std::string_view text, TimePoint now, Replies& replies);

    static Reply answer(const Datagram& question);

    static void send(Reply reply, ngtcp2_ssize size, Replies& replies);

    std::uint8_t random_byte() { return static_cast<std::uint8_t>(random_.next()); }

    std::uint8_t shard_;
    std::size_t connections_max_;
    Rate handshakes_per_prefix_;
    RetryPolicy policy_;
    std::size_t half_open_max_;
    Random& random_;
    const Tokens& tokens_;
    static constexpr Rate answers_rate{1000, 10'000};  // as a core can make beside its other work
    static constexpr Rate resets_rate{1000, 10'000};
    static constexpr Rate answers_per_prefix{.burst = 100, .per_second = 50};
    static constexpr Rate unproven_rate{100, 100};  // without a Retry; a forger has no other ones
    static constexpr Duration sweep_period = std::chrono::seconds{10};
    Budget answers_;
    Budget resets_;
    Budget unproven_;
    PrefixBudgets answers_by_prefix_;
    PrefixBudgets resets_by_prefix_;
    PrefixBudgets retries_by_prefix_;
    TokenUses regular_uses_;
    TokenUses known_uses_;
    NetworkBudgets handshakes_of_strangers_;
    NetworkBudgets handshakes_of_known_;
    TimePoint next_sweep_{};
    StrangerStats stats_;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/doorman.ipp"
#endif

#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "input.hpp"
#include "quic/certificate_files.hpp"
#include "quicchat/quic/endpoint.hpp"
#include "stack/seeded_random.hpp"

namespace quicchat::test {

/// Sees what an endpoint is about to seal, a packet's payload in the clear, and may alter it. Its
/// length stays. seal_hook.cpp puts it between ngtcp2 and its encryption.
using SealHook =
    std::function<void(std::span<std::uint8_t> payload, std::span<const std::uint8_t> header)>;
inline SealHook* seal_hook = nullptr;
inline std::uint64_t altered_packets = 0;  ///< seal_hook.cpp says it at the end.

/// A server and a client, joined by nothing but calls, on a virtual clock. What one of them seals
/// may be altered; everything is the same for the same input.
class QuicPair {
public:
    struct End {
        quic::Endpoint endpoint;
        quic::SocketAddress address;
        bool consumes = true;
        bool echoes = false;
        std::optional<ConnectionId> up{};  ///< Its newest connection, while it is there.
        bool was_up = false;
        std::vector<StreamId> streams{};
        std::size_t unconsumed = 0;
    };

    explicit QuicPair(quic::RetryPolicy retry = quic::RetryPolicy::under_load)
        : server{make_server(retry), *quic::SocketAddress::from_numeric("192.0.2.1", 4433)},
          client{make_client(), *quic::SocketAddress::from_numeric("198.51.100.7", 50'000)} {}

    static const quic::CertificatePair& pair() {
        static const auto pair = certificate_pair("ed25519");
        return pair;
    }
    static const quic::Der& certificate() {
        static const auto der = quic::certificates_from_pem(pair().certificate_pem).at(0);
        return der;
    }

    void connect() {
        if (client.endpoint.connections() == 0) (void)client.endpoint.connect(now);
    }

    /// Packets go to and fro at this time, at most so often. What `altered` seals goes through
    /// `seal_hook` first.
    void exchange(int rounds, End* altered = nullptr) {
        while (rounds-- > 0) {
            bool moved = turn(client, server, altered);
            moved |= turn(server, client, altered);
            if (!moved) return;
            now += std::chrono::milliseconds{1};
        }
    }

    /// Time passes up to the next moment at which somebody has something to do, at most so much.
    void wait(Duration at_most) {
        auto next = earlier(client.endpoint.next_deadline(), server.endpoint.next_deadline());
        next = earlier(next, now + at_most);
        now = std::max(now, *next);
    }

    /// A handshake, altered or not, comes to its end or to none.
    void shake_hands(End* altered = nullptr) {
        connect();
        for (int i = 0; i < 60 && !(client.up && server.up); ++i) {
            exchange(20, altered);
            if (client.endpoint.connections() == 0 && server.endpoint.connections() == 0) return;
            if (!(client.up && server.up)) wait(std::chrono::seconds{2});
        }
    }

    /// The other end is never heard again: nothing of its connections may stay.
    void bury_alone(End& end) {
        const TimePoint last = now + std::chrono::minutes{10};
        for (int turns = 0; now < last; ++turns) {
            must(turns < 2000);
            end.endpoint.handle_timeout(now);
            read(end);
            while (end.endpoint.poll_transmit(now)) {
            }
            now = std::min(last, std::max(now + std::chrono::milliseconds{1},
                                          end.endpoint.next_deadline().value_or(last)));
        }
        must(!end.up && end.endpoint.connections() == 0 && end.endpoint.half_open() == 0);
        must(end.endpoint.unacknowledged() == 0 && end.endpoint.connection_ids() == 0);
    }

    void give(End& to, const End& from, BytesView bytes) {
        to.endpoint.handle_datagram({to.address, from.address, 0, bytes}, now);
    }

    /// All that happened, in the order that is promised.
    void read(End& end) {
        while (const auto event = end.endpoint.poll_event()) {
            if (const auto* connected = std::get_if<Connected>(&*event)) {
                must(!end.up);
                end.up = connected->connection;
                end.was_up = true;
            } else if (std::holds_alternative<Disconnected>(*event)) {
                end.up.reset();
                end.streams.clear();
                end.unconsumed = 0;
            } else if (const auto* data = std::get_if<StreamData>(&*event)) {
                take(end, *data);
            } else if (const auto* reset = std::get_if<StreamReset>(&*event)) {
                must(reset->connection == end.up);
            }
        }
    }

    TimePoint now{std::chrono::seconds{1000}};
    End server;
    End client;

private:
    static quic::Config config(std::uint64_t seed) {
        quic::Config config;
        config.seed = quic::test_seed(seed);
        config.udp_payload_bytes_max = quic::PacketSize::ordinary;
        return config;
    }
    static quic::Endpoint make_server(quic::RetryPolicy retry) {
        quic::initialise_tls();
        seed_tls(1);
        return quic::Endpoint::server({.certificate_pem = pair().certificate_pem,
                                       .key_pem = pair().key_pem,
                                       .retry = retry,
                                       .reset_secret = quic::test_seed(3)},
                                      config(1))
            .value();
    }
    static quic::Endpoint make_client() {
        quic::ClientConfig client{
            .remote = *quic::SocketAddress::from_numeric("192.0.2.1", 4433),
            .local = *quic::SocketAddress::from_numeric("198.51.100.7", 50'000),
            .server_name = "localhost",
            .trust = quic::Trust::pinned({*quic::fingerprint_of(certificate())})};
        return quic::Endpoint::client(std::move(client), config(2)).value();
    }

    void take(End& end, const StreamData& data) {
        must(data.connection == end.up);
        if (std::ranges::count(end.streams, data.stream) == 0) end.streams.push_back(data.stream);
        end.unconsumed += data.bytes.size();
        must(end.unconsumed <= Limits{}.connection_receive_window);
        if (end.echoes) (void)end.endpoint.write(*end.up, data.stream, data.bytes, data.fin);
        if (!end.consumes) return;
        end.endpoint.consume(*end.up, data.stream, data.bytes.size());
        end.unconsumed -= data.bytes.size();
    }

    bool turn(End& from, End& to, End* altered) {
        SealHook* const hook = seal_hook;
        if (altered != &from) seal_hook = nullptr;
        bool moved = false;
        from.endpoint.handle_timeout(now);
        read(from);
        while (const auto transmit = from.endpoint.poll_transmit(now)) {
            moved = true;
            BytesView rest = transmit->bytes;
            while (!rest.empty()) {
                const BytesView one = rest.first(std::min(transmit->segment_size, rest.size()));
                rest = rest.subspan(one.size());
                give(to, from, one);
            }
        }
        read(from);
        seal_hook = hook;
        return moved;
    }
};

/// The hook as long as this lives.
class Altering {
public:
    explicit Altering(SealHook hook) : hook_(std::move(hook)) { seal_hook = &hook_; }
    ~Altering() { seal_hook = nullptr; }
    Altering(const Altering&) = delete;
    Altering& operator=(const Altering&) = delete;

private:
    SealHook hook_;
};

/// Frames of another's making, or bytes changed in those that are there.
inline void alter(std::span<std::uint8_t> payload, std::uint8_t how, FuzzInput& input) {
    const std::size_t place = how % 3 == 0 ? 0 : input.octet() * (how % 3 == 2 ? 5u : 1u);
    const BytesView bytes = input.take(input.octet());
    if (how % 3 == 0) std::ranges::fill(payload, std::uint8_t{0});  // PADDING
    for (std::size_t i = 0; i < bytes.size() && place + i < payload.size(); ++i) {
        payload[place + i] = std::to_integer<std::uint8_t>(bytes[i]);
    }
    ++altered_packets;
}

}  // namespace quicchat::test

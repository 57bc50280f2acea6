#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "input.hpp"
#include "quic_pair.hpp"

namespace quicchat::test {

/// A peer that has finished its handshake, and seals any frames in its packets.
class PacketFuzz {
public:
    explicit PacketFuzz(bool to_server)
        : victim_(to_server ? pair_.server : pair_.client),
          attacker_(to_server ? pair_.client : pair_.server) {}

    void run(BytesView bytes) {
        FuzzInput input{bytes};
        const std::uint8_t flags = input.octet();
        victim_.consumes = (flags & 1) == 0;
        victim_.echoes = (flags & 2) != 0;
        pair_.shake_hands();
        must(pair_.client.up && pair_.server.up);
        stream_ = pair_.client.endpoint.open_stream(*pair_.client.up).value();
        write(pair_.client, 10);
        pair_.exchange(10);

        std::uint8_t how = 0;
        const Altering altering{[&](auto payload, auto) {
            if (!input.empty() && how % 4 != 3) alter(payload, how, input);
        }};
        while (!input.empty() && victim_.up && attacker_.up) {
            how = input.octet();
            provoke(how / 4u % 8, input);
            pair_.exchange(3, &attacker_);
            if (how >= 192) pair_.wait(std::chrono::seconds{how % 8 < 4 ? 1 : 20});
        }
        pair_.bury_alone(victim_);
    }

private:
    void write(QuicPair::End& end, std::size_t size) {
        if (end.up) (void)end.endpoint.write(*end.up, stream_, Bytes{Buffer(size)}, false);
    }

    /// The attacker has something to send, or the victim has.
    void provoke(unsigned what, FuzzInput& input) {
        switch (what) {
            case 4:
                (void)attacker_.endpoint.send_datagram(*attacker_.up, Bytes{Buffer(100)});
                return;
            case 5:
                write(victim_, 2000);
                return;
            case 6:
                (void)attacker_.endpoint.update_keys(*attacker_.up, pair_.now);
                write(attacker_, 10);
                return;
            case 7:
                attacker_.endpoint.reset_stream(*attacker_.up, stream_, input.octet());
                if (const auto next = attacker_.endpoint.open_stream(*attacker_.up)) {
                    stream_ = *next;
                }
                write(attacker_, 10);
                return;
            default:
                write(attacker_, 40 + 300 * what);
        }
    }

    QuicPair pair_;
    QuicPair::End& victim_;
    QuicPair::End& attacker_;
    StreamId stream_{};
};

inline void fuzz_packets_to_server(BytesView bytes) { PacketFuzz{true}.run(bytes); }
inline void fuzz_packets_to_client(BytesView bytes) { PacketFuzz{false}.run(bytes); }

/// A handshake whose messages are altered at one end before they are sealed: the TLS of the other
/// end, and what ngtcp2 makes of it. Whoever connects has agreed with the other on the same.
inline void fuzz_handshakes(BytesView bytes) {
    FuzzInput input{bytes};
    const std::uint8_t flags = input.octet();
    QuicPair pair{(flags & 2) != 0 ? quic::RetryPolicy::always : quic::RetryPolicy::under_load};
    QuicPair::End& attacker = (flags & 1) != 0 ? pair.client : pair.server;
    QuicPair::End& victim = (flags & 1) != 0 ? pair.server : pair.client;
    {
        const Altering altering{[&](auto payload, auto) {
            const std::uint8_t how = input.octet();
            if (how % 4 != 0) alter(payload, how / 4, input);
        }};
        pair.shake_hands(&attacker);
    }
    if (pair.client.up && pair.server.up) {
        must(pair.client.endpoint.channel_binding(*pair.client.up).value() ==
             pair.server.endpoint.channel_binding(*pair.server.up).value());
    }
    if (pair.client.up) {
        must(pair.client.endpoint.peer_certificate(*pair.client.up) == QuicPair::certificate());
    }
    pair.bury_alone(victim);
}

}  // namespace quicchat::test

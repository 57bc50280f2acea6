#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "input.hpp"
#include "quic_pair.hpp"
#include "quicchat/quic/token.hpp"

namespace quicchat::test {

/// Datagrams that nobody sealed, at both ends of a handshake: garbage, Retry, Version Negotiation,
/// and first packets with tokens of any making.
class StrangerFuzz {
public:
    void run(BytesView bytes) {
        FuzzInput input{bytes};
        const std::uint8_t flags = input.octet();
        check_tokens(input);
        for (int steps = 0; !input.empty() && steps < 20; ++steps) {
            const std::uint8_t order = input.octet();
            const std::size_t length = input.octet() * (order >= 128 ? 6u : 1u);
            act(order % 8, order, input.take(length));
            pair_.read(pair_.server);
            pair_.read(pair_.client);
        }
        if (pair_.client.up && pair_.server.up) {
            must(pair_.client.endpoint.channel_binding(*pair_.client.up).value() ==
                 pair_.server.endpoint.channel_binding(*pair_.server.up).value());
        }
        if (flags % 4 == 0) {  // who comes next is served
            pair_.bury_alone(pair_.client);
            pair_.bury_alone(pair_.server);
            pair_.client.endpoint.set_address_token({});
            pair_.shake_hands();
            must(pair_.client.up && pair_.server.up);
        }
        pair_.bury_alone(flags % 2 == 0 ? pair_.server : pair_.client);
    }

private:
    void act(unsigned what, std::uint8_t order, BytesView bytes) {
        switch (what) {
            case 0:
                return pair_.give(pair_.server, pair_.client, bytes);
            case 1:
                return pair_.give(pair_.client, pair_.server, bytes);
            case 2: {  // as long as a first packet must be
                Buffer longer{bytes.begin(), bytes.end()};
                longer.resize(std::max<std::size_t>(longer.size(), 1200));
                return pair_.give(pair_.server, pair_.client, longer);
            }
            case 3:
                return send_retry(bytes, (order & 8) != 0);
            case 4:
                return negotiate(bytes);
            case 5:
                pair_.client.endpoint.set_address_token(octets(bytes));
                return pair_.connect();
            case 6:
                return pair_.exchange(1 + order / 8 % 4);
            case 7:
                return pair_.wait(std::chrono::milliseconds{20 * (1 + order / 8)});
        }
    }

    static std::vector<std::uint8_t> octets(BytesView bytes) {
        std::vector<std::uint8_t> result(bytes.size());
        std::ranges::transform(bytes, result.begin(),
                               [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
        return result;
    }

    /// The client's first packet, if it has one to send.
    std::optional<Buffer> first_packet() {
        pair_.connect();
        pair_.client.endpoint.handle_timeout(pair_.now);
        const auto transmit = pair_.client.endpoint.poll_transmit(pair_.now);
        if (!transmit) return std::nullopt;
        const BytesView one =
            transmit->bytes.first(std::min(transmit->segment_size, transmit->bytes.size()));
        return Buffer{one.begin(), one.end()};
    }

    static std::optional<ngtcp2_version_cid> head_of(const Buffer& packet) {
        ngtcp2_version_cid head{};
        const auto* data = reinterpret_cast<const std::uint8_t*>(packet.data());
        if (ngtcp2_pkt_decode_version_cid(&head, data, packet.size(), 8) != 0) return std::nullopt;
        if (head.version == 0) return std::nullopt;
        return head;
    }

    /// A Retry as a server makes it, with any token, or with a tag that is wrong.
    void send_retry(BytesView token, bool wrong) {
        const auto packet = first_packet();
        const auto head = packet ? head_of(*packet) : std::nullopt;
        if (!head || token.empty()) return;
        ngtcp2_cid to{};
        ngtcp2_cid original{};
        ngtcp2_cid own{};
        ngtcp2_cid_init(&to, head->scid, head->scidlen);
        ngtcp2_cid_init(&original, head->dcid, head->dcidlen);
        const std::array<std::uint8_t, 8> number{1, 2, 3, 4, 5, 6, 7, 8};
        ngtcp2_cid_init(&own, number.data(), number.size());
        if (ngtcp2_cid_eq(&own, &original)) return;  // it has had one
        Buffer retry(2000);
        const std::vector<std::uint8_t> text = octets(token);
        const ngtcp2_ssize size = ngtcp2_crypto_write_retry(
            reinterpret_cast<std::uint8_t*>(retry.data()), retry.size(), head->version, &to, &own,
            &original, text.data(), text.size());
        if (size <= 0) return;
        retry.resize(static_cast<std::size_t>(size));
        if (wrong) retry.back() ^= std::byte{1};
        pair_.give(pair_.client, pair_.server, retry);
    }

    void negotiate(BytesView bytes) {
        const auto packet = first_packet();
        const auto head = packet ? head_of(*packet) : std::nullopt;
        if (!head) return;
        std::vector<std::uint32_t> versions;
        for (FuzzInput input{bytes}; !input.empty();) {
            std::uint32_t version = 0;
            for (int i = 0; i < 4; ++i) version = version << 8 | input.octet();
            versions.push_back(version);
        }
        Buffer answer(2000);
        const ngtcp2_ssize size = ngtcp2_pkt_write_version_negotiation(
            reinterpret_cast<std::uint8_t*>(answer.data()), answer.size(), 0, head->scid,
            head->scidlen, head->dcid, head->dcidlen, versions.data(), versions.size());
        if (size <= 0) return;
        answer.resize(static_cast<std::size_t>(size));
        pair_.give(pair_.client, pair_.server, answer);
    }

    /// A token that is not as the server made it proves nothing.
    void check_tokens(FuzzInput& input) {
        quic::Random random{quic::test_seed(5)};
        const quic::Tokens tokens{random, {}};
        const auto& remote = pair_.client.address;
        ngtcp2_cid cid{};
        const std::array<std::uint8_t, 8> number{8, 7, 6, 5, 4, 3, 2, 1};
        ngtcp2_cid_init(&cid, number.data(), number.size());
        const std::uint8_t which = input.octet();
        std::vector<std::uint8_t> token = which % 3 == 0 ? tokens.make_regular(remote, pair_.now)
                                          : which % 3 == 1
                                              ? tokens.make_known(remote, pair_.now)
                                              : tokens.make_retry(1, remote, cid, cid, pair_.now);
        const std::vector<std::uint8_t> genuine = token;
        const std::size_t place = input.octet();
        const BytesView change = input.take(input.octet() % 16u);
        for (std::size_t i = 0; i < change.size(); ++i) {
            if (place + i >= token.size()) token.push_back(0);
            token[std::min(place + i, token.size() - 1)] ^=
                std::to_integer<std::uint8_t>(change[i]);
        }
        if (which >= 128) token.resize(std::min(token.size(), place));
        const auto kind = tokens.check(token, 1, remote, cid, pair_.now).kind;
        const bool proves = kind == quic::TokenVerdict::regular ||
                            kind == quic::TokenVerdict::known || kind == quic::TokenVerdict::retry;
        must(proves == (token == genuine));
    }

    QuicPair pair_;
};

inline void fuzz_strangers(BytesView bytes) { StrangerFuzz{}.run(bytes); }

}  // namespace quicchat::test

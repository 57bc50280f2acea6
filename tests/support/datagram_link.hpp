#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/address.hpp"

namespace quicchat::test {

/// How unkind the network is. Chances are in thousandths.
struct LinkConfig {
    std::uint64_t seed = 1;
    unsigned loss = 0;
    unsigned duplicate = 0;
    Duration delay_min = std::chrono::milliseconds{10};
    Duration delay_max = std::chrono::milliseconds{10};  ///< Above the least: reordering.
    std::size_t datagram_bytes_max = 1500;               ///< Longer ones vanish, as on Ethernet.
};

/// Carries UDP datagrams on a virtual clock. The same seed and the same calls give the same run.
class DatagramLink {
public:
    struct Letter {
        quic::SocketAddress from;
        quic::SocketAddress to;
        std::uint8_t ecn = 0;
        Buffer bytes;
    };

    explicit DatagramLink(LinkConfig config = {}) : config_(config), state_(config.seed) {}

    LinkConfig& config() { return config_; }

    void send(TimePoint now, Letter letter) {
        ++sent_;
        if (letter.bytes.size() > config_.datagram_bytes_max) return;
        if (chance(config_.loss)) return;
        if (chance(config_.duplicate)) deliver(now, letter);
        deliver(now, std::move(letter));
    }

    std::optional<TimePoint> next_arrival() const {
        if (letters_.empty()) return std::nullopt;
        return letters_.begin()->first.first;
    }

    /// The next letter that has arrived by `now`.
    std::optional<Letter> receive(TimePoint now) {
        if (letters_.empty() || letters_.begin()->first.first > now) return std::nullopt;
        Letter letter = std::move(letters_.begin()->second);
        letters_.erase(letters_.begin());
        return letter;
    }

    std::uint64_t draw(std::uint64_t below) {  // splitmix64: the same numbers everywhere
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) % below;
    }

    std::size_t in_flight() const { return letters_.size(); }
    std::uint64_t sent() const { return sent_; }

private:
    bool chance(unsigned thousandths) { return thousandths > 0 && draw(1000) < thousandths; }

    void deliver(TimePoint now, Letter letter) {
        const auto spread = (config_.delay_max - config_.delay_min).count();
        const Duration extra{
            spread > 0 ? static_cast<Duration::rep>(draw(static_cast<std::uint64_t>(spread))) : 0};
        letters_.emplace(std::pair{now + config_.delay_min + extra, sequence_++},
                         std::move(letter));
    }

    LinkConfig config_;
    std::uint64_t state_;
    std::uint64_t sequence_ = 0;
    std::uint64_t sent_ = 0;
    std::map<std::pair<TimePoint, std::uint64_t>, Letter> letters_;
};

}  // namespace quicchat::test

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/quic/address.hpp"

namespace quicchat::test {

/// What one direction of a way does to datagrams. Chances are in thousandths.
struct Weather {
    unsigned loss = 0;
    unsigned loss_again = 0;  ///< Of the one behind a lost one, if that is more.
    unsigned duplicate = 0;
    unsigned corrupt = 0;     ///< A bit is turned, or the end is cut off.
    unsigned congestion = 0;  ///< ECN says so.
    Duration delay = std::chrono::milliseconds{10};
    Duration jitter{};                   ///< At most so much more; others may overtake it.
    std::uint64_t bytes_per_second = 0;  ///< 0: as many as there are.
    std::size_t queue_bytes = 64 * 1024;
    std::size_t datagram_bytes_max = 1472;  ///< UDP payload; longer ones vanish.
    bool dead = false;
};

/// A datagram under way.
struct Letter {
    quic::SocketAddress from;
    quic::SocketAddress to;
    std::uint8_t ecn = 0;
    Buffer bytes{};
};

/// Virtual datagrams on a virtual clock, over ways of two directions each. The same seed and the
/// same calls give the same run.
class Net {
public:
    enum class Direction : std::uint8_t { up, down };
    struct Arrival {
        std::size_t way = 0;
        Direction direction = Direction::up;
        Letter letter;
    };

    explicit Net(std::uint64_t seed) : random_(Entropy::seeded(seed)) {}

    std::size_t add_way(Weather up, Weather down) {
        ways_.push_back({{up}, {down}});
        return ways_.size() - 1;
    }
    Weather& weather(std::size_t way, Direction direction) { return side(way, direction).weather; }

    void send(TimePoint now, std::size_t way, Direction direction, Letter letter) {
        note(now, way, direction, letter);
        ++sent_;
        Side& s = side(way, direction);
        const Weather& w = s.weather;
        if (w.dead || letter.bytes.size() > w.datagram_bytes_max) return;
        s.lost = chance(s.lost ? std::max(w.loss, w.loss_again) : w.loss);
        if (s.lost) return;
        if (w.bytes_per_second != 0) {
            s.free_at = std::max(s.free_at, now);
            const Duration waits = s.free_at - now;
            if (waits > time_of(w, w.queue_bytes)) return;
            s.free_at += time_of(w, letter.bytes.size());
        }
        const TimePoint leaves = w.bytes_per_second != 0 ? s.free_at : now;
        if (chance(w.corrupt)) damage(letter.bytes);
        if (letter.ecn != 0 && chance(w.congestion)) letter.ecn = 3;
        if (chance(w.duplicate)) put(leaves + delay(w), {way, direction, letter});
        put(leaves + delay(w), {way, direction, std::move(letter)});
    }

    std::optional<TimePoint> next_arrival() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.front().at;
    }

    /// The next one that has arrived by `now`.
    std::optional<Arrival> receive(TimePoint now) {
        if (heap_.empty() || heap_.front().at > now) return std::nullopt;
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const std::size_t slot = heap_.back().slot;
        heap_.pop_back();
        free_.push_back(slot);
        return std::move(slots_[slot]);
    }

    std::uint64_t sent() const { return sent_; }
    /// Of all datagrams that were sent: their bytes, times and ways.
    std::uint64_t trace_hash() const { return hash_; }

    std::function<void(TimePoint, std::size_t, Direction, const Letter&)> spy;

private:
    struct Side {
        Weather weather;
        TimePoint free_at{};
        bool lost = false;
    };
    struct Way {
        Side up;
        Side down;
    };
    struct Entry {
        TimePoint at;
        std::uint64_t sequence;
        std::size_t slot;
    };

    static bool later(const Entry& a, const Entry& b) {
        return std::pair{a.at, a.sequence} > std::pair{b.at, b.sequence};
    }

    static Duration time_of(const Weather& w, std::size_t bytes) {
        return Duration{static_cast<Duration::rep>(bytes * 1'000'000'000 / w.bytes_per_second)};
    }

    Side& side(std::size_t way, Direction direction) {
        return direction == Direction::up ? ways_[way].up : ways_[way].down;
    }

    std::uint64_t draw(std::uint64_t below) { return random_.draw_number() % below; }
    bool chance(unsigned thousandths) { return thousandths > 0 && draw(1000) < thousandths; }

    Duration delay(const Weather& w) {
        const auto spread = static_cast<std::uint64_t>(w.jitter.count());
        const auto extra = spread > 0 ? static_cast<Duration::rep>(draw(spread)) : 0;
        return w.delay + Duration{extra};
    }

    void damage(Buffer& bytes) {
        if (bytes.empty()) return;
        const std::size_t place = draw(bytes.size());
        if (draw(8) == 0) {
            bytes.resize(place);
        } else {
            bytes[place] ^= static_cast<std::byte>(1u << draw(8));
        }
    }

    void put(TimePoint at, Arrival arrival) {
        if (free_.empty()) {
            free_.push_back(slots_.size());
            slots_.emplace_back();
        }
        const std::size_t slot = free_.back();
        free_.pop_back();
        slots_[slot] = std::move(arrival);
        heap_.push_back({at, sequence_++, slot});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }

    void note(TimePoint now, std::size_t way, Direction direction, const Letter& letter) {
        mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
        mix(letter.bytes.size() * 64 + way * 2 + (direction == Direction::up ? 1 : 0));
        const std::byte* bytes = letter.bytes.data();
        for (std::size_t left = letter.bytes.size(); left > 0;) {
            const std::size_t count = std::min<std::size_t>(left, 8);
            std::uint64_t word = 0;
            std::memcpy(&word, bytes, count);
            mix(word);
            bytes += count;
            left -= count;
        }
        if (spy) spy(now, way, direction, letter);
    }
    void mix(std::uint64_t word) {
        hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15;
        hash_ ^= hash_ >> 29;
    }

    Entropy random_;
    std::vector<Way> ways_;
    std::vector<Entry> heap_;
    std::vector<Arrival> slots_;
    std::vector<std::size_t> free_;
    std::uint64_t sequence_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t hash_ = 0;
};

}  // namespace quicchat::test

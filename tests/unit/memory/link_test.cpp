#include <chrono>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory/link.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

namespace quicchat::memory {
namespace {

using namespace std::chrono_literals;

Buffer counting(std::size_t length) {
    Buffer bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
    return bytes;
}

/// Takes all pieces off the wire, checking that each is small and none overtakes another.
Buffer take_all(Link& link, const NetworkConfig& config, bool* fin = nullptr) {
    Buffer all;
    TimePoint last{};
    while (link.front() != nullptr) {
        const Piece piece = link.take();
        CHECK(piece.arrival >= last);
        CHECK(piece.bytes.size() <= config.piece_bytes_max);
        CHECK((piece.fin || !piece.bytes.empty()));
        last = piece.arrival;
        append(all, piece.bytes.view());
        if (fin != nullptr) *fin = piece.fin;
    }
    return all;
}

TEST_CASE("a link", "[memory]") {
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    Random random{seed};
    const NetworkConfig config{.delay_min = 1ms, .delay_max = 50ms, .piece_bytes_max = 10};
    Link link{1000};
    const auto transmit = [&](TimePoint now, std::size_t allowance = 1'000'000) {
        return link.transmit(now, TimePoint{}, allowance, config, random);
    };

    SECTION("delivers what was written, in order, in small pieces") {
        const Buffer data = counting(900);
        for (std::size_t at = 0; at < data.size();) {
            const auto part =
                static_cast<std::size_t>(random.draw(1, std::min<std::size_t>(40, 900 - at)));
            link.write(Bytes::copy_of(BytesView{data}.subspan(at, part)), false);
            at += part;
        }
        CHECK(link.backlog() == 900);
        CHECK(transmit(TimePoint{}) == 900);
        CHECK(link.backlog() == 0);
        CHECK(take_all(link, config) == data);
        CHECK(link.unconsumed() == 900);
    }
    SECTION("delays every piece by what the network takes, at least") {
        link.write(Bytes{counting(500)}, false);
        transmit(TimePoint{5s});
        while (link.front() != nullptr) {
            const Piece piece = link.take();
            CHECK(piece.arrival >= TimePoint{5s + 1ms});
            CHECK(piece.arrival <= TimePoint{5s + 50ms});
        }
        link.write(Bytes{counting(5)}, false);
        link.transmit(TimePoint{6s}, TimePoint{9s}, 5, config, random);
        CHECK(link.front()->arrival == TimePoint{9s});
    }
    SECTION("sends no more than the window, until there is credit") {
        link.write(Bytes{counting(2500)}, true);
        CHECK(transmit(TimePoint{}) == 1000);
        CHECK(link.backlog() == 1500);
        CHECK(link.sendable() == 0);
        CHECK(transmit(TimePoint{}) == 0);
        Buffer all = take_all(link, config);
        CHECK(link.consume(300) == 300);
        CHECK(link.sendable() == 0);  // the sender does not know yet
        link.credit(300);
        CHECK(link.sendable() == 300);
        CHECK(transmit(TimePoint{1s}, 100) == 100);
        CHECK(link.outstanding() == 800);
        CHECK(transmit(TimePoint{1s}) == 200);
        append(all, take_all(link, config));
        link.credit(link.consume(1000));
        CHECK_FALSE(link.fin_sent());
        CHECK(transmit(TimePoint{2s}) == 1000);
        bool fin = true;
        append(all, take_all(link, config, &fin));
        CHECK_FALSE(fin);
        link.credit(link.consume(1000));
        transmit(TimePoint{3s});
        append(all, take_all(link, config, &fin));
        CHECK(fin);
        CHECK(all == counting(2500));
    }
    SECTION("sends its end with the last bytes, or after them, once") {
        int alone = 0;
        for (int i = 0; i < 100; ++i) {
            Link other{1000};
            other.write(Bytes{counting(5)}, true);
            other.transmit(TimePoint{}, TimePoint{}, 100, config, random);
            int ends = 0;
            while (other.front() != nullptr) {
                const Piece piece = other.take();
                ends += piece.fin;
                alone += piece.fin && piece.bytes.empty();
            }
            CHECK(ends == 1);
        }
        CHECK(alone > 10);
        CHECK(alone < 90);
    }
    SECTION("credits only what has arrived, and only once") {
        CHECK(link.consume(10) == 0);
        link.write(Bytes{counting(50)}, false);
        transmit(TimePoint{});
        CHECK(link.consume(10) == 0);
        take_all(link, config);
        CHECK(link.consume(40) == 40);
        CHECK(link.consume(40) == 10);
        CHECK(link.consume(40) == 0);
    }
    SECTION("keeps what was written by reference") {
        const NetworkConfig large{.piece_bytes_max = 100'000};
        const Bytes bytes{counting(900)};
        link.write(bytes, false);
        link.transmit(TimePoint{}, TimePoint{}, 900, large, random);
        CHECK(link.take().bytes.data() == bytes.data());
    }
    SECTION("forgets its backlog when it is dropped, and what is in flight likewise") {
        link.write(Bytes{counting(1500)}, false);
        transmit(TimePoint{});
        link.drop_backlog();
        CHECK(link.backlog() == 0);
        CHECK(link.front() != nullptr);
        link.drop_in_flight();
        CHECK(link.front() == nullptr);
        CHECK(link.outstanding() == 1000);
    }
}

TEST_CASE("random numbers for simulations", "[memory]") {
    SECTION("are those of SplitMix64, on every compiler") {
        Random random{1234567};
        CHECK(random.next() == 6457827717110365317u);
        CHECK(random.next() == 3203168211198807973u);
    }
    SECTION("stay between the borders and reach them") {
        Random random{1};
        bool low = false;
        bool high = false;
        for (int i = 0; i < 1000; ++i) {
            const std::uint64_t drawn = random.draw(3, 6);
            CHECK((drawn >= 3 && drawn <= 6));
            low = low || drawn == 3;
            high = high || drawn == 6;
        }
        CHECK((low && high));
        CHECK(random.draw(5, 5) == 5);
        random.draw(0, ~std::uint64_t{0});
        CHECK_FALSE(random.chance(0));
        CHECK(random.chance(100));
    }
}

}  // namespace
}  // namespace quicchat::memory

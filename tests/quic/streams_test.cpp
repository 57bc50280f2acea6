#include <catch2/catch_test_macros.hpp>

#include "quicchat/quic/stream.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

TEST_CASE("the streams of a connection", "[quic][streams]") {
    quic::Streams streams;
    for (const quic::StreamNumber number : {0, 4, 8, 12}) streams.handle_open(number);
    const auto at = [&](quic::StreamNumber number) -> quic::Stream& {
        return *streams.find(number);
    };
    const auto want_to_send = [&](quic::StreamNumber number) {
        streams.hold(at(number), text_bytes("hello"));
        streams.schedule(at(number));
    };
    const auto next = [&] {
        const quic::Stream* const stream = streams.next_sendable();
        return stream == nullptr ? -1 : stream->number;
    };
    const auto end = [&](quic::StreamNumber number) {
        streams.handle_closed(number);
        return streams.erase_if_spent(number);
    };
    const TimePoint begin{1s};

    SECTION("are found by their numbers, also when some are gone") {
        REQUIRE(end(4));
        for (const quic::StreamNumber number : {0, 8, 12}) CHECK(at(number).number == number);
        for (const quic::StreamNumber number : {2, 4, 16}) CHECK(streams.find(number) == nullptr);
        CHECK(streams.handle_open(3).number == 3);
        for (const quic::StreamNumber number : {0, 3, 8, 12}) CHECK(at(number).number == number);
        CHECK(&streams.handle_open(12) == &at(12));
        CHECK(streams.size() == 4);
    }
    SECTION("send in turns") {
        want_to_send(8);
        want_to_send(4);
        want_to_send(8);
        CHECK(next() == 8);
        streams.schedule(at(8));
        CHECK(next() == 4);
        CHECK(next() == 8);
        CHECK(next() == -1);
    }
    SECTION("are passed over when they end before their turn") {
        want_to_send(4);
        want_to_send(8);
        want_to_send(12);
        REQUIRE(end(4));
        (void)streams.cut(at(8));
        CHECK(next() == 12);
        CHECK(next() == -1);
        CHECK(streams.held() == 10);  // until QUIC has closed the stream that was cut
    }
    SECTION("wait for an acknowledgement since the first byte, or the latest answer") {
        CHECK_FALSE(streams.waits_since());
        for (const quic::StreamNumber number : {0, 4, 8}) {
            streams.hold(at(number), text_bytes("hello"));
            streams.handle_sent(at(number), 5, begin + number * 1s);
        }
        CHECK(streams.waits_since() == begin);
        streams.handle_acknowledged(at(0), 2, begin + 6s);
        CHECK(streams.waits_since() == begin + 4s);
        streams.handle_acknowledged(at(4), 5, begin + 9s);
        CHECK(streams.waits_since() == begin + 6s);
        streams.handle_acknowledged(at(0), 3, begin + 9s);
        CHECK(streams.waits_since() == begin + 8s);
        CHECK(streams.waiting().size() == 1);

        streams.hold(at(0), text_bytes("again"));
        streams.handle_sent(at(0), 5, begin + 20s);
        CHECK(streams.waits_since() == begin + 8s);
        (void)streams.cut(at(8));
        CHECK(streams.waits_since() == begin + 20s);
        REQUIRE(end(8));
        REQUIRE(end(0));
        CHECK_FALSE(streams.waits_since());
    }
}

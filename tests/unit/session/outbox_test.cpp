#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/outbox.hpp"

using namespace quicchat;

TEST_CASE("pending requests", "[session]") {
    using Kind = PendingRequests::Kind;
    PendingRequests pending{{.outbox_messages_max = 3, .outbox_bytes_max = 100}};
    const StreamId one{4};
    const StreamId two{8};
    const auto message = [](StreamId stream, std::size_t bytes) {
        return PendingRequests::Request{.stream = stream, .kind = Kind::message, .bytes = bytes};
    };

    SECTION("have ascending numbers from 1, each once") {
        CHECK(pending.add(message(one, 1)) == 1);
        CHECK(pending.add(message(one, 1)) == 2);
        CHECK(pending.take(2, one));
        CHECK(pending.add(message(one, 1)) == 3);
        CHECK_FALSE(pending.take(2, one));
    }

    SECTION("are bounded in number") {
        for (int i = 0; i < 3; ++i) CHECK(pending.add(message(one, 0)));
        CHECK_FALSE(pending.add(message(one, 0)));
        CHECK(pending.size() == 3);
        CHECK(pending.take(1, one));
        CHECK(pending.add(message(one, 0)));
    }

    SECTION("are bounded in bytes, which answers give back") {
        CHECK(pending.add(message(one, 60)));
        CHECK_FALSE(pending.add(message(one, 41)));
        CHECK(pending.add(message(one, 40)));
        CHECK_FALSE(pending.add(message(one, 1)));
        CHECK(pending.take(1, one)->bytes == 60);
        CHECK(pending.add(message(one, 60)));
    }

    SECTION("are answered on their own stream, by an answer of their kind") {
        CHECK(pending.add({.stream = one, .kind = Kind::members}) == 1);
        CHECK_FALSE(pending.take(1, two));
        CHECK_FALSE(pending.take(1, one, Kind::message));
        CHECK_FALSE(pending.take(0, one));
        CHECK(pending.take(1, one, Kind::members));
        CHECK_FALSE(pending.take(1, one));
    }

    SECTION("end with their stream") {
        CHECK(pending.add(message(one, 50)) == 1);
        CHECK(pending.add(message(two, 10)) == 2);
        CHECK(pending.add(message(one, 40)) == 3);
        CHECK(pending.take_all(one) == std::vector<RequestId>{1, 3});
        CHECK(pending.take_all(one).empty());
        CHECK(pending.size() == 1);
        CHECK(pending.add(message(one, 90)));
    }
}

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/outbox.hpp"

using namespace quicchat;

TEST_CASE("an outbox", "[session]") {
    using Kind = Outbox::Kind;
    Outbox outbox{{.outbox_messages_max = 3, .outbox_bytes_max = 100}};
    const StreamId one{4};
    const StreamId two{8};
    const auto message = [](std::size_t bytes, std::optional<StreamId> stream = StreamId{4}) {
        return Outbox::Request{.kind = Kind::message,
                               .room = "#lobby",
                               .stream = stream,
                               .text = std::string(bytes / 2, 'a'),
                               .attributes = std::string(bytes - bytes / 2, 'b')};
    };
    const auto numbers_of = [](const auto& taken) {
        std::vector<RequestId> numbers;
        for (const auto& [number, request] : taken) numbers.push_back(number);
        return numbers;
    };

    SECTION("gives ascending numbers from 1, each once") {
        CHECK(outbox.add(message(1)) == 1);
        CHECK(outbox.add(message(1)) == 2);
        CHECK(outbox.take(2, one));
        CHECK(outbox.add(message(1)) == 3);
        CHECK_FALSE(outbox.take(2, one));
    }

    SECTION("is bounded in number") {
        for (int i = 0; i < 3; ++i) {
            CHECK(outbox.has_room(0));
            outbox.add(message(0));
        }
        CHECK_FALSE(outbox.has_room(0));
        CHECK(outbox.size() == 3);
        CHECK(outbox.take(1, one));
        CHECK(outbox.has_room(0));
    }

    SECTION("is bounded in bytes, which answers give back") {
        outbox.add(message(60));
        CHECK_FALSE(outbox.has_room(41));
        CHECK(outbox.has_room(40));
        outbox.add(message(40));
        CHECK(outbox.has_room(0));
        CHECK_FALSE(outbox.has_room(1));
        CHECK(outbox.take(1, one)->text.size() == 30);
        CHECK(outbox.has_room(60));
        CHECK_FALSE(outbox.has_room(61));
    }

    SECTION("takes answers on their own stream, and of their kind") {
        CHECK(outbox.add({.kind = Kind::members, .stream = one}) == 1);
        CHECK_FALSE(outbox.take(1, two));
        CHECK_FALSE(outbox.take(1, one, Kind::message));
        CHECK_FALSE(outbox.take(1, two, Kind::members));
        CHECK_FALSE(outbox.take(0, one));
        CHECK(outbox.take(1, one, Kind::members));
        CHECK_FALSE(outbox.take(1, one));
    }

    SECTION("takes no answer to what was not sent") {
        CHECK(outbox.add(message(1, std::nullopt)) == 1);
        CHECK_FALSE(outbox.take(1, one));
        CHECK_FALSE(outbox.take(1, StreamId{0}));
        CHECK(outbox.size() == 1);
    }

    SECTION("keeps everything over the end of a connection, as not sent") {
        outbox.add(message(50));
        outbox.add(message(10, two));
        outbox.handle_disconnected();
        CHECK(outbox.size() == 2);
        CHECK_FALSE(outbox.has_room(41));
        CHECK_FALSE(outbox.take(1, one));
        CHECK_FALSE(outbox.requests().at(1).stream);
        CHECK(outbox.requests().at(1).text == std::string(25, 'a'));

        outbox.requests().at(1).stream = two;
        CHECK_FALSE(outbox.take(1, one));
        CHECK(outbox.take(1, two));
        CHECK(outbox.add(message(1)) == 3);
    }

    SECTION("gives out what is chosen, in the order of asking, with its bytes") {
        outbox.add(message(50));
        outbox.add(message(10, two));
        outbox.add(message(40));
        const auto taken = outbox.take_if([&](const auto& r) { return r.stream == one; });
        CHECK(numbers_of(taken) == std::vector<RequestId>{1, 3});
        CHECK(taken[0].second.text.size() == 25);
        CHECK(outbox.take_if([&](const auto& r) { return r.stream == one; }).empty());
        CHECK(outbox.size() == 1);
        CHECK(outbox.has_room(90));
        CHECK_FALSE(outbox.has_room(91));
    }
}

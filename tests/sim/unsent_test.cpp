#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t budget = 300 * 1024;
constexpr std::size_t hogs_max = 10;

MessageId message_id(std::uint8_t number) {
    MessageId id;
    id.bytes[0] = std::byte{number};
    return id;
}

/// Some who ask for much and read nothing of it, and Bob, who reads.
class Crowd {
public:
    explicit Crowd(std::uint64_t seed)
        : random_(Entropy::seeded(seed)),
          world({.seed = seed,
                 .limits = {.unsent_bytes_max = budget},
                 .network = {.delay_min = milliseconds{1}, .delay_max = milliseconds{60}}}) {
        ada = &world.add_in_room("ada");
        bob = &world.add_in_room("bob");
        for (int i = 0; i < 25; ++i) say(30'000);
        for (std::size_t i = 0; i < hogs_max; ++i) {
            hogs.push_back(world.add_scripted());
            controls.push_back(hogs.back().log_in("hog" + std::to_string(i)));
            rooms.push_back(hogs.back().join("#lobby"));
        }
        for (ScriptedPeer& hog : hogs) hog.stop_reading();
    }

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }

    void say(std::size_t length) {
        std::string text = std::to_string(++said);
        text.resize(std::max(text.size(), length), 'x');
        REQUIRE(ada->client.publish("#lobby", text));
        world.run();
    }

    /// One of them asks for something.
    void ask() {
        const std::size_t who = draw(0, hogs.size() - 1);
        ScriptedPeer& hog = hogs[who];
        Buffer asked;
        switch (draw(0, 3)) {
            case 0:
                append(asked, encode(wire::HistoryRequest{2, "#lobby", varint_max, 100, 0}));
                if (const auto stream = hog.transport().open_stream(hog.connection())) {
                    pages.emplace_back(who, *stream);
                    return hog.send_bytes(*stream, Bytes{asked}, true);
                }
                return;
            case 1:
                for (int i = 0; i < 50; ++i) append(asked, encode(wire::MembersRequest{3, ""}));
                return hog.send_bytes(rooms[who], Bytes{asked}, false);
            case 2:
                for (int i = 0; i < 50; ++i) append(asked, encode(wire::RoomsRequest{4, ""}));
                return hog.send_bytes(controls[who], Bytes{asked}, false);
            default:
                append(asked, encode(wire::Tell{5, message_id(++told), "bob",
                                                std::string(20'000, 'y'), "{}"}));
                return hog.send_bytes(controls[who], Bytes{asked}, false);
        }
    }

    void run_for(Duration time) {
        const TimePoint end = world.network.now() + time;
        while (world.network.now() < end) {
            world.run_for(milliseconds{2});
            most = std::max(most, world.server.unsent_bytes());
        }
    }

private:
    Entropy random_;

public:
    World world;
    Chatter* ada = nullptr;
    Chatter* bob = nullptr;
    std::deque<ScriptedPeer> hogs;
    std::vector<StreamId> controls;
    std::vector<StreamId> rooms;
    std::vector<std::pair<std::size_t, StreamId>> pages;
    std::size_t said = 0;
    std::uint8_t told = 0;
    std::size_t most = 0;
};

}  // namespace

TEST_CASE("what waits for all clients is bounded, and who reads goes on", "[sim]") {
    const auto seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{9}));
    CAPTURE(seed);
    Crowd crowd{seed};
    for (int i = 0; i < 60; ++i) {
        crowd.ask();
        if (crowd.draw(0, 2) == 0) crowd.say(crowd.draw(1, 30'000));
        crowd.run_for(milliseconds{crowd.draw(1, 20)});
    }
    crowd.run_for(seconds{10});

    // A share and a frame for each connection, beyond the budget.
    const std::size_t connections = hogs_max + 2;
    CHECK(crowd.most > budget / 2);
    CHECK(crowd.most <= budget + connections * (unsent_share_bytes + 64 * 1024));

    // Bob has everything, once and in order, and may ask for more.
    std::vector<std::string> numbers;
    for (const std::string& text : crowd.bob->texts()) {
        numbers.push_back(text.substr(0, text.find('x')));
    }
    REQUIRE(numbers.size() == crowd.said);
    for (std::size_t i = 0; i < numbers.size(); ++i) CHECK(numbers[i] == std::to_string(i + 1));
    CHECK(crowd.ada->texts().size() == crowd.said);
    REQUIRE(crowd.bob->client.request_history("#lobby", varint_max, 100, 0));
    crowd.run_for(seconds{20});
    CHECK(crowd.bob->count<HistoryPage>() == 1);

    // Those who begin to read go on where they were, and nobody was cut.
    for (ScriptedPeer& hog : crowd.hogs) hog.start_reading();
    crowd.run_for(seconds{20});
    for (int i = 0; i < 400; ++i) {
        for (ScriptedPeer& hog : crowd.hogs) (void)hog.next_frame(StreamId{4000});
        crowd.run_for(milliseconds{20});
    }
    for (const auto& [who, stream] : crowd.pages) CHECK(crowd.hogs[who].is_over(stream));
    for (ScriptedPeer& hog : crowd.hogs) CHECK_FALSE(hog.closed());
    CHECK(crowd.world.server.unsent_bytes() == 0);
}

TEST_CASE("what is asked is not read while its answers would be too much", "[sim]") {
    World world{{.seed = 7,
                 .limits = {.unsent_bytes_max = budget,
                            .requests_per_connection = {5000, 40},
                            .requests_per_account = {20'000, 40}},
                 .rooms = {"#0", "#1", "#2", "#3", "#4", "#5", "#6", "#7"}}};
    const bool is_one_account = GENERATE(false, true);
    CAPTURE(is_one_account);
    std::deque<ScriptedPeer> hogs;
    std::vector<std::pair<std::size_t, StreamId>> streams;
    for (std::size_t i = 0; i < hogs_max; ++i) {
        hogs.push_back(world.add_scripted());
        (void)hogs.back().log_in("somebody-with-a-longer-name-" +
                                 std::to_string(is_one_account ? 0 : i));
        for (int room = 0; room < 8; ++room) {
            streams.emplace_back(i, hogs.back().join("#" + std::to_string(room)));
        }
    }
    constexpr int asked_each = 200;
    for (ScriptedPeer& hog : hogs) hog.stop_reading();
    for (const auto& [who, stream] : streams) {
        Buffer asked;
        for (int i = 0; i < asked_each; ++i) append(asked, encode(wire::MembersRequest{2, ""}));
        hogs[who].send_bytes(stream, Bytes{asked}, false);
    }
    std::size_t most = 0;
    for (int i = 0; i < 200; ++i) {
        world.run_for(milliseconds{5});
        most = std::max(most, world.server.unsent_bytes());
    }
    CHECK(most > budget / 2);
    if (is_one_account) {
        CHECK(most <= budget / 2 + 64 * 1024);  // as much as it leaves to others, and a frame
    } else {
        CHECK(most <= budget + hogs_max * (unsent_share_bytes + 64 * 1024));
    }

    // All of it is answered, as they read.
    for (ScriptedPeer& hog : hogs) hog.start_reading();
    std::size_t answers = 0;
    for (int i = 0; i < 500; ++i) {
        world.run_for(milliseconds{20});
        for (const auto& [who, stream] : streams) {
            while (const auto frame = hogs[who].next_frame(stream)) {
                answers += std::holds_alternative<wire::Members>(*frame) ? 1 : 0;
            }
        }
    }
    CHECK(answers == streams.size() * asked_each);
    CHECK(world.server.unsent_bytes() == 0);
}

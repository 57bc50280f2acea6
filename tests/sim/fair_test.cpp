#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "sim/world.hpp"
#include "support/seed.hpp"

using namespace quicchat;
using namespace quicchat::test;

// Promise 6. Some do all that they may, as fast as they can; somebody else, who reads, stays
// connected and gets everything once and in order.

namespace {

using std::chrono::milliseconds;

/// Some accounts that do what comes into their heads, and Bob, who reads. A seed says what.
class Crowd {
public:
    explicit Crowd(std::uint64_t seed)
        : random_(Entropy::seeded(seed)),
          world({.seed = seed,
                 .network = {.delay_min = milliseconds{draw(0, 60)},
                             .delay_max = milliseconds{60 + draw(0, 240)}},
                 .tick = milliseconds{draw(0, 20)}}) {
        bob = &world.add_in_room("bob");
        for (int i = 0; i < 3; ++i) {
            actors.push_back(&world.add_in_room("actor" + std::to_string(i)));
        }
    }

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }

    /// One of them does something, many times over.
    void act() {
        Chatter& actor = *actors[draw(0, actors.size() - 1)];
        memory::Client& client = actor.client;
        const std::size_t length = draw(0, 3) == 0 ? 32'000 : draw(1, 2000);
        const std::uint64_t times = draw(1, 40);
        const std::uint64_t kind = draw(0, 8);
        for (std::uint64_t i = 0; i < times; ++i) {
            std::string text = actor.user + " " + std::to_string(++said_) + " ";
            text.resize(std::max(text.size(), length), 'x');
            switch (kind) {
                case 0:
                    note(client.tell("bob", text), text, "@bob");
                    break;
                case 1:
                    note(client.publish("#lobby", text), text, "#lobby");
                    break;
                case 2:
                    (void)client.mark_read("#lobby", said_ % 300, true);
                    break;
                case 3:
                    (void)client.set_display_name("Actor " + std::to_string(said_));
                    break;
                case 4:
                    client.say_typing("#lobby", world.network.now());
                    break;
                case 5:
                    (void)client.request_search("#lobby", "actor xx", varint_max, 50);
                    break;
                case 6:
                    (void)client.request_history("#lobby", varint_max, 100, 0);
                    break;
                case 7:
                    (void)client.act("#lobby", {.kind = Act::Kind::reaction, .target = 1 + i},
                                     "+1");
                    break;
                default:
                    (void)client.leave("#quiet");
                    (void)client.join("#quiet");
            }
        }
    }

    /// What Bob must have got, and how often he did.
    void check() {
        CHECK(bob->count<Reconnecting>() == 0);
        CHECK(bob->count<Offline>() == 0);
        CHECK(bob->online());
        std::map<std::string, std::size_t> got;
        std::map<std::string, Offset> newest;
        bool in_order = true;
        const auto take = [&](const std::string& room, Offset offset, const std::string& text) {
            ++got[text];
            in_order = in_order && offset > newest[room];
            newest[room] = offset;
        };
        for (const ClientEvent& event : bob->events) {
            if (const auto* m = std::get_if<RoomMessage>(&event)) take(m->room, m->offset, m->text);
            if (const auto* m = std::get_if<PrivateMessage>(&event)) {
                take(m->from, m->offset, m->text);
            }
        }
        CHECK(in_order);
        std::size_t acked = 0;
        std::size_t missed = 0;
        std::size_t twice = 0;
        for (Chatter* actor : actors) {
            CHECK(actor->online());
            CHECK(actor->count<Reconnecting>() == 0);
            for (const Acked& ack : actor->all<Acked>()) {
                const auto asked = asked_.find({actor->user, ack.request});
                if (asked == asked_.end()) continue;
                ++acked;
                const std::size_t times = got[asked->second];
                missed += times == 0 ? 1 : 0;
                twice += times > 1 ? 1 : 0;
            }
        }
        CHECK(missed == 0);
        CHECK(twice == 0);
        CHECK(bob->count<RoomGap>() == 0);
        told += acked;
    }

private:
    void note(const Result<RequestId>& request, const std::string& text, const std::string&) {
        if (!request) return;  // too much waits already
        for (Chatter* actor : actors) {
            if (text.starts_with(actor->user + " ")) asked_[{actor->user, *request}] = text;
        }
    }

    Entropy random_;
    std::uint64_t said_ = 0;
    std::map<std::pair<std::string, RequestId>, std::string> asked_;

public:
    World world;
    Chatter* bob = nullptr;
    std::vector<Chatter*> actors;
    std::size_t told = 0;
};

}  // namespace

TEST_CASE("whatever others do, who reads stays connected and gets everything once", "[sim]") {
    // QUICCHAT_SEED repeats one run; QUICCHAT_SIM_SEEDS asks for more of them, each of a second.
    const std::uint64_t first = seed_is_given() ? seed() : 1;
    const std::uint64_t count = seed_is_given() ? 1 : std::min<std::uint64_t>(seed_count(10), 500);
    std::size_t told = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        CAPTURE(seed);
        Crowd crowd{seed};
        for (int i = 0; i < 40; ++i) {
            crowd.act();
            if (crowd.draw(0, 2) == 0) crowd.world.run_for(milliseconds{crowd.draw(0, 500)});
        }
        crowd.world.run_for(std::chrono::seconds{30});
        crowd.check();
        told += crowd.told;
    }
    CHECK(told > 100 * (count - 1));
}

TEST_CASE("thirty private messages of 30 kB arrive once each, and cut nobody", "[sim]") {
    const std::uint64_t delay = GENERATE(0u, 10u, 40u, 150u);
    World world{{.seed = 40,
                 .network = {.delay_min = milliseconds{delay}, .delay_max = milliseconds{delay}}}};
    Chatter& ada = world.add_online("ada");
    Chatter& bob = world.add_online("bob");
    for (int i = 0; i < 30; ++i) REQUIRE(ada.client.tell("bob", std::string(30'000, 'x')));
    world.run_for(std::chrono::seconds{10});
    CHECK(ada.count<Acked>() == 30);
    CHECK(bob.count<PrivateMessage>() == 30);
    CHECK(ada.count<PrivateMessage>() == 30);  // her own, as her other devices get them
    CHECK(ada.count<Reconnecting>() + bob.count<Reconnecting>() == 0);
    std::set<Offset> offsets;
    for (const PrivateMessage& m : bob.all<PrivateMessage>()) offsets.insert(m.offset);
    CHECK(offsets.size() == 30);
}

TEST_CASE("marking every message as read costs nobody the connection", "[sim]") {
    World world{
        {.seed = 41, .network = {.delay_min = milliseconds{40}, .delay_max = milliseconds{40}}}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    for (int i = 0; i < 1500; ++i) {
        REQUIRE(ada.client.publish("#lobby", "hi"));
        if (i % 500 == 0) world.run_for(std::chrono::seconds{2});
    }
    world.run_for(std::chrono::seconds{20});
    const std::size_t before = bob.count<MarkerMoved>();
    for (Offset offset = 1; offset <= 1500; ++offset) {
        REQUIRE(ada.client.mark_read("#lobby", offset, true) == Errc{});
        if (offset % 10 == 0) world.turn();
    }
    world.run_for(std::chrono::seconds{60});
    CHECK(ada.online());
    CHECK(bob.online());
    CHECK(bob.count<Reconnecting>() == 0);
    CHECK(bob.last<MarkerMoved>().offset == 1500);  // the newest came
    CHECK(bob.count<MarkerMoved>() - before < 1500);
}

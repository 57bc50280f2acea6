#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// Asks for a room, byte by byte as it goes over the wire, and notes every byte that comes back and
/// in which step of the network.
class Curious {
public:
    explicit Curious(World& world) : world_(&world), peer_(world.add_scripted()) {
        control_ = peer_.log_in("eve");
    }

    template <class M>
    std::vector<std::string> ask_on_stream(const M& message, bool fin) {
        const StreamId stream = peer_.open_stream();
        (void)peer_.transport().write(peer_.connection(), stream, Bytes{encode(message)}, fin);
        return listen(stream);
    }
    template <class M>
    std::vector<std::string> ask(const M& message) {
        (void)peer_.transport().write(peer_.connection(), control_, Bytes{encode(message)}, false);
        return listen(control_);
    }

private:
    /// What comes: "step 2: 0e0d..." each, and "end".
    std::vector<std::string> listen(StreamId stream) {
        std::vector<std::string> heard;
        for (int step = 1; step <= 6; ++step) {
            world_->turn();
            const auto next = world_->network.next_event();
            if (next) world_->network.advance_to(*next);
            world_->turn();
            Buffer bytes;
            std::string other;
            while (std::optional<TransportEvent> event = peer_.transport().poll_event()) {
                if (const auto* data = std::get_if<StreamData>(&*event)) {
                    CHECK(data->stream == stream);
                    const BytesView view = data->bytes.view();
                    bytes.insert(bytes.end(), view.begin(), view.end());
                    if (data->fin) other += " end";
                } else {
                    other += " event " + std::to_string(event->index());
                }
            }
            if (bytes.empty() && other.empty()) continue;
            heard.push_back("step " + std::to_string(step) + ": " + to_hex(bytes) + other);
        }
        return heard;
    }

    World* world_;
    ScriptedPeer peer_;
    StreamId control_{};
};

}  // namespace

TEST_CASE("a room that one may not see answers as a room that does not exist", "[sim]") {
    World world{{.seed = seed(),
                 .limits = {.requests_per_connection = {10'000, 1000}},
                 .network = {.delay_min = std::chrono::milliseconds{1},
                             .delay_max = std::chrono::milliseconds{1}}}};
    Chatter& ada = world.add_online("ada");
    Chatter& bob = world.add_online("bob");
    REQUIRE(ada.client.create_room("#hidden", RoomAccess::invitation, "a topic"));
    world.run();
    REQUIRE(ada.client.join("#hidden"));
    REQUIRE(ada.client.publish("#hidden", "word"));
    REQUIRE(ada.client.tell("bob", "word"));
    world.run();
    REQUIRE(bob.client.join("@ada"));
    world.run();
    REQUIRE(bob.count<RoomJoined>() == 1);
    const Epoch epoch = ada.last<Acked>().epoch;

    Curious eve{world};
    const auto check = [&](const std::string& hidden, const std::string& absent) {
        INFO(hidden);
        const auto compare = [](const auto& answer_about, const std::string& one,
                                const std::string& other, bool answers) {
            const std::vector<std::string> heard = answer_about(one);
            CHECK(heard == answer_about(other));
            CHECK(heard.empty() != answers);
        };
        const auto on_stream = [&](auto make, bool fin) {
            compare([&](const std::string& room) { return eve.ask_on_stream(make(room), fin); },
                    hidden, absent, true);
        };
        for (const Position& position :
             {Position::from_now(), Position::last(5), Position::after(epoch, 0)}) {
            on_stream(
                [&](const std::string& room) {
                    return wire::Join{7, room, position};
                },
                false);
        }
        for (const Offset offset : {Offset{0}, Offset{2}, varint_max}) {
            on_stream(
                [&](const std::string& room) {
                    return wire::HistoryRequest{7, room, offset, 5, 5};
                },
                true);
            for (const char* words : {"word", "", "none", "\x1b"}) {
                on_stream(
                    [&](const std::string& room) {
                        return wire::SearchRequest{7, room, words, offset, 5};
                    },
                    true);
            }
        }
        for (const bool shared : {false, true}) {
            compare(
                [&](const std::string& room) {
                    return eve.ask(wire::MarkRead{room, epoch, 1, shared});
                },
                hidden, absent, false);
        }
        // Names are listed from behind that one on.
        compare(
            [&](const std::string& room) {
                return eve.ask(wire::RoomsRequest{7, room});
            },
            hidden, absent, true);
    };
    check("#hidden", "#absent");
    check("#HIDDEN", "#ABSENT");
    SECTION("also to who was in it before") {
        REQUIRE(ada.client.act("#hidden", {.kind = Act::Kind::role, .subject = "eve", .value = 3}));
        world.run();
        REQUIRE(ada.client.act("#hidden", {.kind = Act::Kind::role, .subject = "eve", .value = 1}));
        world.run();
        REQUIRE(ada.count<Acked>() == 5);
        check("#hidden", "#absent");
    }
}

TEST_CASE("asking for members of a room that one may not see ends like asking where none is",
          "[sim]") {
    const auto ending = [](const char* room) {
        World world{{.seed = 3}};
        Chatter& ada = world.add_online("ada");
        REQUIRE(ada.client.create_room("#hidden", RoomAccess::invitation));
        world.run();
        ScriptedPeer eve = world.add_scripted();
        (void)eve.log_in("eve");
        const StreamId stream = eve.open_stream();
        eve.send(stream, wire::Join{1, room, {}});
        CHECK(eve.expect<wire::Error>(stream).code == wire_code(Errc::no_such_room));
        eve.send(stream, wire::MembersRequest{2, ""});
        CHECK_FALSE(eve.next_frame(stream));
        CHECK(eve.is_over(stream));
        return eve.closed() ? eve.closed()->errc : Errc{};
    };
    CHECK(ending("#hidden") == ending("#absent"));
}

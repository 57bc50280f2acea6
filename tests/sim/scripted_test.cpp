#include <chrono>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

constexpr const char* hello = "02 06 00 00 00 02 7b7d";
constexpr const char* login =
    "06 1f 09 4e414d452d4f4e4c59 00000000000000000000000000000000 04 6576656c";  // NAME-ONLY,
                                                                                 // "evel"

/// A server with one honest member, who must not notice anything.
struct Scene {
    World world{{.seed = 11}};
    Chatter* witness = &world.add_in_room("witness");
    ScriptedPeer peer = world.add_scripted();

    Errc end() {
        world.run();
        REQUIRE(peer.closed());
        CHECK(peer.closed()->by_peer);
        check_witness(1);
        return peer.closed()->errc;
    }
    void check_witness(std::size_t connections) {
        CHECK(world.server.connection_count() == connections);
        REQUIRE(witness->client.publish("#lobby", "fine"));
        world.run();
        CHECK(witness->texts().back() == "fine");
    }
};

}  // namespace

TEST_CASE("a server closes on a stranger's first bytes", "[sim]") {
    Scene scene;
    const StreamId control = scene.peer.open_stream();
    using Case = std::pair<const char*, Errc>;

    SECTION("that are not what comes first") {
        const auto [bytes, errc] = GENERATE(values<Case>({
            {"06 14 01 4d 00000000000000000000000000000000 01 aa",
             Errc::unexpected_frame},                                  // a login without Hello
            {"20 05 01 02 2361 00", Errc::unexpected_frame},           // Join
            {"2c 02 01 00", Errc::unexpected_frame},                   // MembersRequest
            {"04 08 00 00 00 00 00 02 7b7d", Errc::unexpected_frame},  // a server's frame
            {"02 06 05 09 00 02 7b7d", Errc::version_mismatch},
            {"02 02 00 00", Errc::malformed_frame},
            {"02 06 00 00 00 02 5b5d", Errc::malformed_frame},
            {"12 02 01 00", Errc::unexpected_frame},  // Token
            {"14 00", Errc::unknown_frame},
            {"02 5001", Errc::frame_too_large},  // 4 097 before the login
            {"02 ffffffffffffffff", Errc::frame_too_large},
            {"35 ffffffffffffffff", Errc::frame_too_large},  // also if it could be skipped
        }));
        INFO(bytes);
        scene.peer.send(control, bytes);
        CHECK(scene.end() == errc);
    }
    SECTION("that are garbage") {
        scene.peer.send(control, "474554202f20485454502f312e310d0a0d0a");  // GET / HTTP/1.1
        CHECK(scene.end() == Errc::frame_too_large);
    }
    SECTION("and on the end of the control stream") {
        scene.peer.send(control, hello);
        scene.peer.send(control, "", true);
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("and when it is abandoned") {
        scene.peer.send(control, hello);
        scene.peer.reset(control);
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("but tells why in words") {
        scene.peer.send(control, "02 06 05 09 00 02 7b7d");
        CHECK(scene.end() == Errc::version_mismatch);
        CHECK(scene.peer.closed()->text ==
              "the server speaks quicchat/1.0 to 1.0, the client 1.5 to 1.9");
    }
}

TEST_CASE("a server closes on a bad login", "[sim]") {
    Scene scene;
    const StreamId control = scene.peer.open_stream();
    scene.peer.send(control, hello);
    (void)scene.peer.expect<wire::Welcome>(control);

    SECTION("of a mechanism that it does not have") {
        scene.peer.send(control,
                        "06 19 05 504c41494e 00000000000000000000000000000000 02 6162");  // PLAIN
        CHECK(scene.end() == Errc::login_failed);
    }
    SECTION("under an impossible name") {
        scene.peer.send(control,
                        "06 1d 09 4e414d452d4f4e4c59 00000000000000000000000000000000 02 611b");
        CHECK(scene.end() == Errc::login_failed);
    }
    SECTION("twice") {
        scene.peer.send(control, std::string{login} + login);
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("with an answer to no question") {
        scene.peer.send(control, "0a 02 01 aa");
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("without a channel binding") {
        scene.world.network.config().channel_binding_fails = true;
        scene.peer.send(control, login);
        CHECK(scene.end() == Errc::login_failed);
    }
}

TEST_CASE("a server closes on frames that do not belong on a stream", "[sim]") {
    Scene scene;
    const StreamId control = scene.peer.log_in("raw");

    SECTION("a request before Join") {
        const StreamId stream = scene.peer.open_stream();
        scene.peer.send(stream, wire::Publish{1, {}, "hi", "{}"});
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("members before Join") {
        scene.peer.send(scene.peer.open_stream(), wire::MembersRequest{1, ""});
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("Join twice") {
        const StreamId room = scene.peer.join("#lobby");
        scene.peer.send(room, wire::Join{2, "#quiet", {}});
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("Join on the control stream") {
        scene.peer.send(control, wire::Join{2, "#quiet", {}});
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("Tell on a room's stream") {
        const StreamId room = scene.peer.join("#lobby");
        scene.peer.send(room, wire::Tell{2, {}, "witness", "hi", "{}"});
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("a second request behind that of a page") {
        const StreamId page = scene.peer.open_stream();
        scene.peer.send(page, wire::HistoryRequest{1, "#lobby", 0, 0, 10});
        scene.peer.send(page, wire::HistoryRequest{2, "#lobby", 0, 0, 10});
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("Join behind a search") {
        const StreamId page = scene.peer.open_stream();
        scene.peer.send(page, wire::SearchRequest{1, "#lobby", "word", 0, 10});
        scene.peer.send(page, wire::Join{2, "#lobby", {}});
        CHECK(scene.end() == Errc::unexpected_frame);
    }
    SECTION("a request whose number is 0") {
        const StreamId room = scene.peer.join("#lobby");
        scene.peer.send(room, wire::MembersRequest{0, ""});
        CHECK(scene.end() == Errc::malformed_frame);
    }
    SECTION("garbage in a room") {
        const StreamId room = scene.peer.join("#lobby");
        scene.peer.send(room, "24 05 ffffffffff");
        CHECK(scene.end() == Errc::malformed_frame);
    }
    SECTION("a frame above the limit") {
        const StreamId room = scene.peer.join("#lobby");
        scene.peer.send(room, "24 80010001");
        CHECK(scene.end() == Errc::frame_too_large);
    }
    SECTION("a stream that ends inside a frame") {
        const StreamId room = scene.peer.join("#lobby");
        scene.peer.send(room, "24 05 01", true);
        CHECK(scene.end() == Errc::malformed_frame);
    }
}

TEST_CASE("a server takes what is odd but allowed", "[sim]") {
    Scene scene;
    const StreamId control = scene.peer.log_in("raw");
    const StreamId room = scene.peer.join("#lobby");

    SECTION("frames and extensions of later versions that may be skipped") {
        scene.peer.send(control, "35 03 ffffff 4035 00");
        scene.peer.send(room, "35 00");
        scene.peer.send(room, "2c 05 09 00 01 01 ff");
        CHECK(scene.peer.expect<wire::Members>(room).request == 9);
    }
    SECTION("half a frame, and then nothing for a long time") {
        scene.peer.send(room, "24 20 01 0001");
        scene.world.run_for(std::chrono::hours{1});
    }
    SECTION("streams that end before they began") {
        for (int i = 0; i < 300; ++i) {
            const StreamId stream = scene.peer.open_stream();
            scene.peer.send(stream, "", true);
            REQUIRE(scene.peer.is_over(stream));
        }
    }
    SECTION("what follows a request that it refused") {
        const StreamId page = scene.peer.open_stream();
        scene.peer.send(page, wire::HistoryRequest{1, "#nowhere", 0, 0, 10});
        CHECK(scene.peer.expect<wire::Error>(page).request == 1);
        scene.peer.send(page, wire::HistoryRequest{2, "#lobby", 0, 0, 10});
        CHECK_FALSE(scene.peer.next_frame(page));
        CHECK(scene.peer.is_over(page));
    }
    SECTION("a page that is answered before its stream is finished") {
        const StreamId page = scene.peer.open_stream();
        scene.peer.send(page, wire::HistoryRequest{1, "#lobby", 0, 0, 10});
        CHECK(scene.peer.expect<wire::HistoryEnd>(page).request == 1);
        CHECK(scene.peer.is_over(page));
        scene.peer.send(page, "", true);
    }
    SECTION("a room's stream that is abandoned") {
        scene.peer.reset(room);
        (void)scene.peer.join("#lobby");
    }
    CHECK_FALSE(scene.peer.closed());
    scene.check_witness(2);
}

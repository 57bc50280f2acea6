#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

TEST_CASE("a login that takes too long is ended", "[sim]") {
    World world{{.seed = 18}};
    Chatter& ada = world.add_online("ada");

    SECTION("by the server, if the client says nothing") {
        ScriptedPeer peer = world.add_scripted();
        world.run_for(14s);
        CHECK(world.server.connection_count() == 2);
        world.run_for(2s);
        peer.next_frame(StreamId{0});
        REQUIRE(peer.closed());
        CHECK(peer.closed()->errc == Errc::login_timeout);
    }
    SECTION("by the server, if the client says half of it") {
        ScriptedPeer peer = world.add_scripted();
        const StreamId control = peer.open_stream();
        peer.send(control, "02 06 00 00 00 02 7b7d 06");
        world.run_for(16s);
        peer.next_frame(control);
        REQUIRE(peer.closed());
        CHECK(peer.closed()->errc == Errc::login_timeout);
    }
    SECTION("by the client, if the server says nothing") {
        memory::Transport silent = world.network.listen("silent");
        memory::Client client{world.network.dial("silent"), *NameLogin::create("bob"),
                              Entropy::seeded(1)};
        client.connect(world.now());
        world.run();
        std::optional<ClientEvent> end;
        for (int i = 0; i < 20 && !end; ++i) {
            world.run_for(1s);
            client.process(world.now());
            world.run();
            client.process(world.now());
            end = client.poll_event();
            CHECK(end.has_value() == (client.state() == State::closed));
            if (i < 13) CHECK_FALSE(end);
        }
        REQUIRE(end);
        CHECK(std::get<Offline>(*end).reason.errc == Errc::login_timeout);
    }
    SECTION("but not a session that is long logged in") {
        world.run_for(1h);
        CHECK(ada.online());
    }
}

TEST_CASE("a client whose call is not answered gives up", "[sim]") {
    World world{{.seed = 19}};

    SECTION("because nobody listens") {
        world.network.config().dialling = memory::Dialling::refused;
        Chatter& ada = world.add("ada");
        world.run();
        CHECK(ada.last<Offline>().reason.errc == Errc::unreachable);
    }
    SECTION("because nobody answers") {
        world.network.config().dialling = memory::Dialling::unanswered;
        Chatter& ada = world.add("ada");
        world.run_for(20s);
        CHECK(ada.last<Offline>().reason.errc == Errc::handshake_timeout);
    }
    SECTION("because it closes itself") {
        world.network.config().dialling = memory::Dialling::unanswered;
        Chatter& ada = world.add("ada");
        ada.client.close();
        ada.client.close();
        world.run();
        CHECK(ada.last<Offline>().reason.errc == Errc::closed);
        CHECK(ada.count<Offline>() == 1);
    }
    SECTION("because it cannot bind the login to the connection") {
        world.network.config().channel_binding_fails = true;
        Chatter& ada = world.add("ada");
        world.run();
        CHECK(ada.count<Offline>() == 1);
        CHECK(ada.count<Online>() == 0);
    }
}

TEST_CASE("a server that shuts down", "[sim]") {
    World world{{.seed = 20}};
    Chatter& ada = world.add_in_room("ada");
    Chatter& bob = world.add_in_room("bob");
    ScriptedPeer stranger = world.add_scripted();
    world.server.shutdown(world.now());
    world.run();

    SECTION("says so first, and serves on for a while") {
        CHECK(ada.last<GoingAway>().errc == Errc::server_shutdown);
        CHECK(ada.last<GoingAway>().grace == 3s);
        REQUIRE(ada.client.publish("#lobby", "bye"));
        world.run();
        CHECK(bob.texts() == std::vector<std::string>{"bye"});
        CHECK_FALSE(world.server.finished());
    }
    SECTION("takes nobody new") {
        Chatter& late = world.add("late");
        world.run();
        CHECK(late.last<Offline>().reason.errc == Errc::server_shutdown);
    }
    SECTION("closes what is left when the time is over") {
        world.run_for(2900ms);
        CHECK(ada.online());
        world.run_for(200ms);
        stranger.next_frame(StreamId{0});
        CHECK(ada.last<Offline>().reason.errc == Errc::server_shutdown);
        CHECK(ada.last<Offline>().reason.by_peer);
        CHECK(bob.count<Offline>() == 1);
        CHECK(stranger.closed()->errc == Errc::server_shutdown);
        CHECK(world.server.finished());
        CHECK(world.server.connection_count() == 0);
    }
    SECTION("is finished at once when all are gone") {
        ada.client.close();
        bob.client.close();
        stranger.transport().close(stranger.connection(), Errc::closed, "");
        world.run();
        CHECK(world.server.finished());
    }
}

TEST_CASE("a server that is full", "[sim]") {
    World world{{.seed = 21, .limits = {.connections_max = 2}}};
    // The network's listener would refuse already; let it be more generous.
    memory::Server server{world.network.listen("small"),
                          MemoryLog{Entropy::seeded(1)},
                          NameAuthenticator{},
                          Entropy::seeded(2),
                          {.limits = {.connections_max = 2}}};
    std::vector<memory::Client> clients;
    for (const char* name : {"a", "b", "c"}) {
        clients.emplace_back(world.network.dial("small"), *NameLogin::create(name),
                             Entropy::seeded(3));
        clients.back().connect(world.now());
        do {
            server.process(world.now());
            for (memory::Client& client : clients) client.process(world.now());
        } while (world.network.step());
    }
    CHECK(clients[0].state() == State::ready);
    CHECK(clients[1].state() == State::ready);
    CHECK(clients[2].state() == State::closed);
    CHECK(std::get<Offline>(*clients[2].poll_event()).reason.errc == Errc::server_full);
    CHECK(server.connection_count() == 2);
}

TEST_CASE("a server tells its program who comes and goes", "[sim]") {
    World world{{.seed = 22}};
    Chatter& ada = world.add_online("ada");
    ada.client.close();
    world.run();
    CHECK(std::holds_alternative<PeerConnected>(*world.server.poll_event()));
    CHECK(std::get<PeerLoggedIn>(*world.server.poll_event()).user == "ada");
    CHECK(std::get<PeerDisconnected>(*world.server.poll_event()).user == "ada");
    CHECK_FALSE(world.server.poll_event());
}

TEST_CASE("a server with a room that cannot be ends at once", "[sim]") {
    memory::Network network{{.seed = 23}};
    memory::Server server{network.listen("chat"),
                          MemoryLog{Entropy::seeded(1)},
                          NameAuthenticator{},
                          Entropy::seeded(2),
                          {.rooms = {"lobby"}}};
    CHECK(std::get<ServerFailed>(*server.poll_event()).errc == Errc::invalid_name);
    server.process({network.now()});
    CHECK(server.finished());
}

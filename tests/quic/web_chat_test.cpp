#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/client.hpp"
#include "quicchat/quic_web.hpp"
#include "support/borrowed_endpoint.hpp"
#include "support/quic_world.hpp"
#include "support/seed.hpp"
#include "support/web_dialer.hpp"
#include "unit/auth/device_scene.hpp"
#include "unit/auth/ticket_scene.hpp"

// Pages and native clients at one server, with TLS and all, on a network in memory.

using namespace quicchat;
using namespace quicchat::test;
using namespace std::chrono_literals;

namespace {

using Transport = webtransport::Transport<Borrowed>;
using Dialer = WebDialer<Borrowed>;

/// A client, and what it was told.
template <class T>
struct Person {
    Person(T transport, Owned<ClientLogin> login, unsigned number)
        : client(std::move(transport), std::move(login), Entropy::seeded(number),
                 {.reconnect = {.enabled = false}, .device = device_id(number)}) {}

    void turn(Now now) {
        client.process(now);
        while (auto event = client.poll_event()) events.push_back(*std::move(event));
    }
    template <class E>
    const E* last() const {
        const E* found = nullptr;
        for (const ClientEvent& event : events) {
            if (const E* one = std::get_if<E>(&event)) found = one;
        }
        return found;
    }
    bool online() const { return client.state() == State::ready; }

    Client<T> client;
    std::vector<ClientEvent> events;
};

using Native = Person<Borrowed>;
using Page = Person<Dialer>;

class WebWorld {
public:
    WebWorld() {
        REQUIRE(tickets.book->add("ada", test_verifier("secret")));
        desk->set_rules(
            {.keys = {Secret{as_bytes(site_key)}}, .audience = "chat.example", .hosts = {}});
        quic::Config config = World::config(seed());
        config.alpn = {std::string{quic::default_alpn}, std::string{http3_alpn}};
        quic::Endpoint& endpoint = world.add_server({}, std::move(config)).endpoint;
        server.emplace(
            Transport{Borrowed{endpoint}, page_config()}, MemoryLog{Entropy::seeded(1)},
            PageAuthenticator{DeviceAuthenticator<ReferenceCrypto>{
                                  tickets.book, Buffer(32, std::byte{9}), Entropy::seeded(2)},
                              desk, tickets.book},
            Entropy::seeded(3));
        const auto certificates = quic::certificates_from_pem(test_pair().certificate_pem);
        hash = ReferenceCrypto::sha256(std::as_bytes(std::span{certificates.at(0)}));
    }

    Native& add_native() {
        native.emplace(dial(quic::default_alpn), password_login("ada", "secret"), 4);
        native->client.connect(now());
        return *native;
    }
    Page& add_page(std::string_view ticket, const CertificateHash& pinned) {
        PageLogin login{PageBinding::to_certificates(std::vector{pinned}).value()};
        REQUIRE(login.set_ticket(ticket));
        page.emplace(Dialer{dial(http3_alpn)}, std::move(login), 5);
        page->client.connect(now());
        return *page;
    }
    std::string new_ticket() {
        tickets.now = now();
        return tickets.ticket();
    }

    Now now() const {
        return {world.now,
                WallTime{500'000h + std::chrono::duration_cast<std::chrono::milliseconds>(
                                        world.now.time_since_epoch())}};
    }

    template <class Done>
    bool run_until(Done done, Duration time = 20s) {
        const TimePoint end = world.now + time;
        turn();
        while (!done() && world.now < end) {
            auto next = server->next_deadline();
            if (native) next = earlier(next, native->client.next_deadline());
            if (page) next = earlier(next, page->client.next_deadline());
            world.step_network(std::min(next.value_or(end), end));
            turn();
        }
        return done();
    }

    TicketScene tickets;
    World world{link()};
    std::shared_ptr<TicketDesk> desk = std::make_shared<TicketDesk>(now().wall);
    CertificateHash hash{};
    std::optional<quicchat::Server<Transport>> server;
    std::optional<Native> native;
    std::optional<Page> page;

private:
    static LinkConfig link() {
        LinkConfig config{.seed = seed()};
        config.delay_min = config.delay_max = 1ms;
        return config;
    }
    Borrowed dial(std::string_view alpn) {
        quic::Config config = World::config(seed() + world.hosts.size());
        config.alpn = {std::string{alpn}};
        return Borrowed{
            world.add_client({.trust = quic::Trust::insecure()}, std::move(config)).endpoint};
    }
    void turn() {
        server->process(now());
        if (native) native->turn(now());
        if (page) page->turn(now());
    }
};

TEST_CASE("a page and a native client are in one room", "[quic][webtransport]") {
    INFO("seed=" << seed());
    WebWorld world;
    Native& ada = world.add_native();
    Page& carol = world.add_page(world.new_ticket(), world.hash);
    REQUIRE(world.run_until([&] { return ada.online() && carol.online(); }));
    CHECK(carol.last<Online>()->user == "carol");
    REQUIRE(ada.client.join("#lobby"));
    REQUIRE(carol.client.join("#lobby"));
    REQUIRE(world.run_until(
        [&] { return ada.last<RoomJoined>() != nullptr && carol.last<RoomJoined>() != nullptr; }));

    REQUIRE(carol.client.publish("#lobby", "from a page"));
    REQUIRE(world.run_until([&] { return ada.last<RoomMessage>() != nullptr; }));
    CHECK(ada.last<RoomMessage>()->from == "carol");
    CHECK(ada.last<RoomMessage>()->text == "from a page");
    REQUIRE(ada.client.publish("#lobby", "to a page"));
    REQUIRE(world.run_until([&] {
        return carol.last<RoomMessage>() != nullptr && carol.last<RoomMessage>()->from == "ada";
    }));
    CHECK(carol.last<RoomMessage>()->text == "to a page");
}

TEST_CASE("a ticket is good for one connection to the server whose certificate the page pinned",
          "[quic][webtransport]") {
    INFO("seed=" << seed());
    WebWorld world;
    const std::string ticket = world.new_ticket();
    const auto refused = [&](const CertificateHash& pinned) {
        Page& page = world.add_page(ticket, pinned);
        REQUIRE(world.run_until([&] { return page.online() || page.last<Offline>() != nullptr; }));
        return !page.online() && page.last<Offline>()->reason.errc == Errc::ticket_refused;
    };
    // Somebody stands between the page and the server, and the page pinned what they showed it.
    CHECK(refused(certificate_hash("somebody else's")));
    CHECK_FALSE(refused(world.hash));
    CHECK(refused(world.hash));
}

TEST_CASE("a server that ends tells its pages, whatever is lost", "[quic][webtransport]") {
    INFO("seed=" << seed());
    WebWorld world;
    Page& carol = world.add_page(world.new_ticket(), world.hash);
    REQUIRE(world.run_until([&] { return carol.online(); }));
    const auto finished = [&] { return world.server->finished(); };
    const auto page_waits = [&] { return carol.last<Offline>() == nullptr; };

    world.server->shutdown(world.now());
    CHECK_FALSE(world.run_until(finished, Limits{}.drain_timeout - 1ms));
    const quic::SocketAddress page_address = world.world.hosts.back()->address;

    SECTION("once") {
        bool was_lost = false;
        world.world.tamper = [&](DatagramLink::Letter& letter) {
            if (letter.to == page_address && !std::exchange(was_lost, true)) letter.bytes.clear();
        };
        REQUIRE(world.run_until(finished));
        CHECK(was_lost);
        CHECK_FALSE(page_waits());
        CHECK(carol.last<Offline>()->reason.errc == Errc::server_shutdown);
    }
    SECTION("and waits no longer than a second for a page that is gone") {
        world.world.tamper = [&](DatagramLink::Letter& letter) { letter.bytes.clear(); };
        const TimePoint begin = world.world.now;
        REQUIRE(world.run_until(finished));
        CHECK(page_waits());
        CHECK(world.world.now - begin <= webtransport::farewell + 2ms);
    }
}

}  // namespace

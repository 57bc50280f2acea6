#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "unit/auth/device_scene.hpp"
#include "unit/auth/ticket_scene.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// A login that the test keeps a hand on, as the glue of a page does.
class HeldLogin : public ClientLogin {
public:
    explicit HeldLogin(std::shared_ptr<PageLogin> login) : login_(std::move(login)) {}

    bool wants_channel_binding() const override { return login_->wants_channel_binding(); }
    Result<LoginStart> start(const ChannelBinding& binding, DeviceId device,
                             BytesView entropy) override {
        return login_->start(binding, device, entropy);
    }
    Result<std::optional<Buffer>> respond(BytesView challenge) override {
        return login_->respond(challenge);
    }
    Result<std::monostate> finish(BytesView success) override { return login_->finish(success); }
    void keep(DeviceToken) override { ++tokens; }
    bool recover(Errc why) override { return login_->recover(why); }

    static inline int tokens = 0;

private:
    std::shared_ptr<PageLogin> login_;
};

/// A server, and a page at it over a simulated network.
struct PageWorld {
    PageWorld() {
        REQUIRE(tickets.book->add("ada", test_verifier("secret")));
        network.config().page = tickets.page;
        start_server();
    }

    void start_server(ServerConfig config = {}) {
        server.reset();
        desk = std::make_shared<TicketDesk>(now().wall);
        desk->set_rules(
            {.keys = {Secret{as_bytes(site_key)}}, .audience = "chat.example", .hosts = {}});
        server = std::make_unique<memory::Server>(
            network.listen("chat"), MemoryLog{Entropy::seeded(1)},
            PageAuthenticator{DeviceAuthenticator<ReferenceCrypto>{tickets.book,
                                                                   Buffer(32, std::byte{9}),
                                                                   Entropy::seeded(2),
                                                                   {},
                                                                   {.page_passwords = true}},
                              desk, tickets.book},
            Entropy::seeded(3), std::move(config));
    }

    void open(Owned<ClientLogin> login, Duration time = std::chrono::seconds{5}) {
        events.clear();
        client.emplace(network.dial("chat"), std::move(login), Entropy::seeded(4),
                       ClientConfig{.reconnect = {.delay_max = std::chrono::seconds{1}},
                                    .device = device_id(1)});
        client->connect(now());
        run_for(time);
    }

    /// A page whose back end gives it a ticket for each connection.
    void open_with_tickets() {
        ticket_login = std::make_shared<PageLogin>(pinned("ours"));
        gives_tickets = true;
        open(HeldLogin{ticket_login});
    }

    Now now() const {
        return {network.now(), WallTime{std::chrono::hours{500'000} +
                                        std::chrono::duration_cast<std::chrono::milliseconds>(
                                            network.now().time_since_epoch())}};
    }

    std::string new_ticket() {
        tickets.now = now();
        ++fetched;
        TicketClaims claims = tickets.claims();
        claims.origin = origin;
        return TicketScene::sign(claims);
    }

    void run_for(Duration duration) {
        const TimePoint end = network.now() + duration;
        turn();
        while (network.now() < end) {
            auto next = earlier(network.next_event(), server->next_deadline());
            next = earlier(next, client->next_deadline());
            network.advance_to(std::max(network.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }

    void turn() {
        server->process(now());
        while (const auto event = server->poll_event()) {
            if (const auto* refused = std::get_if<PeerRefused>(&*event)) {
                refusals.push_back(refused->errc);
            }
            locks += std::holds_alternative<LoginsLocked>(*event);
        }
        if (gives_tickets && network.connections_dialled() != served) {
            served = network.connections_dialled();
            REQUIRE(ticket_login->set_ticket(new_ticket()));
        }
        client->process(now());
        while (auto event = client->poll_event()) events.push_back(*std::move(event));
    }

    /// The latest one of that kind; nullptr: there was none.
    template <class E>
    const E* last() const {
        const E* found = nullptr;
        for (const ClientEvent& event : events) {
            if (const E* one = std::get_if<E>(&event)) found = one;
        }
        return found;
    }
    bool online() const { return client->state() == State::ready; }
    template <class E>
    std::size_t count() const {
        return static_cast<std::size_t>(std::count_if(
            events.begin(), events.end(),
            [](const ClientEvent& event) { return std::holds_alternative<E>(event); }));
    }

    TicketScene tickets;
    memory::Network network{{.seed = 5}};
    std::shared_ptr<TicketDesk> desk;
    std::unique_ptr<memory::Server> server;
    std::shared_ptr<PageLogin> ticket_login;
    bool gives_tickets = false;
    std::uint64_t served = 0;  ///< Connections that got a ticket.
    int fetched = 0;
    std::optional<std::string> origin{};  ///< That tickets are for.
    std::optional<memory::Client> client;
    std::vector<ClientEvent> events;
    std::vector<Errc> refusals;  ///< As the server tells its people.
    std::size_t locks = 0;       ///< The same, of too many.
};

}  // namespace

TEST_CASE("a page with tickets", "[sim]") {
    PageWorld world;
    HeldLogin::tokens = 0;

    SECTION("logs in, joins in the same flight, and gets no token") {
        world.open_with_tickets();
        REQUIRE(world.online());
        CHECK(world.last<Online>()->user == "carol");
        REQUIRE(world.client->join("#lobby"));
        world.run_for(std::chrono::seconds{1});
        CHECK(world.count<RoomJoined>() == 1);
        CHECK(HeldLogin::tokens == 0);
        CHECK(world.tickets.book->devices("carol").empty());
        CHECK(world.server->stats().logins == 1);
    }
    SECTION("comes back with another ticket, also to a server that was restarted") {
        world.open_with_tickets();
        REQUIRE(world.online());
        for (int i = 2; i <= 4; ++i) {
            if (i == 3) world.start_server();
            if (i != 3) world.network.cut(world.network.connections_dialled());
            world.run_for(std::chrono::seconds{100});
            CHECK(world.online());
            CHECK(world.fetched == i);
        }
    }
    SECTION("fetches one more ticket if one is refused, and then no more") {
        world.desk->set_rules(
            {.keys = {Secret{as_bytes(other_key)}}, .audience = "chat.example", .hosts = {}});
        world.open_with_tickets();
        CHECK_FALSE(world.online());
        CHECK(world.fetched == 2);
        CHECK(world.refusals == std::vector(2, Errc::ticket_refused));
        world.run_for(std::chrono::minutes{5});
        CHECK(world.fetched == 2);
        REQUIRE(world.last<Offline>() != nullptr);
        CHECK(world.last<Offline>()->reason.errc == Errc::ticket_refused);
    }
    SECTION("locks out nobody else by tickets that are refused") {
        world.desk->set_rules(
            {.keys = {Secret{as_bytes(other_key)}}, .audience = "chat.example", .hosts = {}});
        for (int i = 0; i < 20; ++i) world.open_with_tickets();
        world.gives_tickets = false;
        ScramLoginOptions options;
        options.iterations = {4096, 600'000};
        options.certificate = certificate_hash("ours");
        world.open(ScramLogin<ReferenceCrypto>::create("ada", "secret", options).value());
        CHECK(world.online());
    }
    SECTION("logs in by one that its site made for its own pages alone") {
        world.origin = world.tickets.page.origin;
        world.open_with_tickets();
        CHECK(world.online());
        world.origin = "https://www.example.net";
        world.open_with_tickets();
        CHECK_FALSE(world.online());
    }
    SECTION("is refused where no page is, though the ticket is good") {
        world.network.config().page.reset();
        world.open_with_tickets();
        CHECK_FALSE(world.online());
        CHECK(world.refusals == std::vector{Errc::login_failed});
        CHECK(world.desk->remembered() == 0);
    }
}

TEST_CASE("other logins of a page", "[sim]") {
    PageWorld world;
    ScramLoginOptions options;
    options.iterations = {4096, 600'000};

    SECTION("by password are bound to the certificate") {
        options.certificate = certificate_hash("ours");
        world.open(ScramLogin<ReferenceCrypto>::create("ada", "secret", options).value());
        CHECK(world.online());
        options.certificate = certificate_hash("theirs");
        world.open(ScramLogin<ReferenceCrypto>::create("ada", "secret", options).value());
        CHECK_FALSE(world.online());
    }
    SECTION("by password that fail lock the account there, as elsewhere") {
        options.certificate = certificate_hash("ours");
        const auto enter = [&](std::string_view password) {
            world.open(ScramLogin<ReferenceCrypto>::create("ada", password, options).value());
        };
        int failed = 0;
        while (world.locks == 0) {
            enter("wrong");
            REQUIRE(++failed < 100);
        }
        CHECK(world.refusals == std::vector(world.refusals.size(), Errc::login_failed));
        CHECK(world.refusals.size() > 3);
        enter("secret");
        CHECK_FALSE(world.online());
        world.run_for(std::chrono::hours{1});
        enter("secret");
        CHECK(world.online());
    }
    SECTION("by password that fail by many names lock that network, as elsewhere") {
        Limits limits;
        limits.failed_logins_per_prefix = {3, 1};
        world.start_server({.limits = limits});
        options.certificate = certificate_hash("ours");
        int failed = 0;
        while (world.locks == 0) {
            REQUIRE(++failed < 100);
            const std::string name = "nobody" + std::to_string(failed);
            world.open(ScramLogin<ReferenceCrypto>::create(name, "wrong", options).value(), {});
            // No longer than that takes, or what was counted is forgotten meanwhile.
            const std::size_t before = world.refusals.size();
            while (world.refusals.size() == before && world.locks == 0) {
                world.run_for(std::chrono::milliseconds{1});
            }
        }
        CHECK(failed > 3);
    }
    SECTION("that want the exporter say nothing at all") {
        world.open(ScramLogin<ReferenceCrypto>::create("ada", "secret", options).value());
        CHECK_FALSE(world.online());
        CHECK(world.refusals.empty());
    }
    SECTION("by a name with nothing to prove it are not in this server") {
        world.open(NameLogin::create("ada").value());
        CHECK_FALSE(world.online());
    }
}

#include <chrono>
#include <cstddef>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// What a client does from dialling to its third message. Returns false once it is cut off.
void live(World& world, Chatter& person) {
    world.run();
    if (!person.online() || !person.client.join("#lobby", Position::last(10))) return;
    for (int i = 0; i < 3; ++i) (void)person.client.publish("#lobby", "text" + std::to_string(i));
    (void)person.client.tell("witness", "psst");
    (void)person.client.request_members("#lobby");
    world.run();
}

}  // namespace

TEST_CASE("a connection may break at any byte", "[sim]") {
    bool lived_through = false;
    for (std::size_t bytes = 0; !lived_through; bytes += bytes < 150 ? 1 : 7) {
        INFO("cut after " << bytes << " bytes");
        World world{{.seed = 12 + bytes}};
        Chatter& witness = world.add_in_room("witness");
        world.network.config().cut_after_bytes = bytes;
        Chatter& person = world.add("ada");
        world.network.config().cut_after_bytes.reset();
        live(world, person);
        lived_through = person.online();

        if (!lived_through) {
            REQUIRE(person.client.state() == State::closed);
            REQUIRE(person.last<Offline>().reason.errc == Errc::transport_failed);
            REQUIRE(std::holds_alternative<Offline>(person.events.back()));
            REQUIRE(world.server.connection_count() == 1);
        }
        // Whatever was acknowledged is there, and is there once; the rest may be.
        const std::vector<RoomMessage> log = witness.all<RoomMessage>();
        for (const Acked& acked : person.all<Acked>()) {
            const bool in_room = acked.offset <= log.size() && log[acked.offset - 1].id == acked.id;
            const auto told = witness.all<PrivateMessage>();
            REQUIRE((in_room || (!told.empty() && told[0].id == acked.id)));
        }
        for (std::size_t i = 0; i < log.size(); ++i) {
            REQUIRE(log[i].offset == i + 1);
            REQUIRE(log[i].text == "text" + std::to_string(i));
        }
        REQUIRE(witness.online());
    }
}

TEST_CASE("a client that sends everything again after a cut loses nothing and repeats nothing",
          "[sim]") {
    for (std::size_t bytes = 100; bytes < 700; bytes += 13) {
        INFO("cut after " << bytes << " bytes");
        World world{{.seed = 13 + bytes}};
        Chatter& witness = world.add_in_room("witness");
        std::size_t attempts = 0;
        for (bool done = false; !done; ++attempts) {
            REQUIRE(attempts < 100);
            world.network.config().cut_after_bytes = bytes + 20 * attempts;
            Chatter& person = world.add("ada", {}, DeviceId{{std::byte{1}}});
            world.run();
            if (!person.online() || !person.client.join("#lobby")) continue;
            for (unsigned i = 0; i < 5; ++i) {
                const MessageId id{{std::byte{1}, static_cast<std::byte>(i)}};
                (void)person.client.publish("#lobby", "text" + std::to_string(i), "{}", id);
            }
            world.run();
            done = person.count<Acked>() == 5;
        }
        const std::vector<std::string> texts = witness.texts();
        REQUIRE(texts.size() == 5);
        for (std::size_t i = 0; i < 5; ++i) REQUIRE(texts[i] == "text" + std::to_string(i));
    }
}

TEST_CASE("a client that vanishes is missed after the idle timeout", "[sim]") {
    World world{{.seed = 14}};
    Chatter& witness = world.add_in_room("witness");
    Chatter& ada = world.add_in_room("ada");
    REQUIRE(ada.client.publish("#lobby", "last words"));
    world.run();
    world.vanish(ada);
    world.run_for(std::chrono::seconds{59});
    CHECK(witness.last<PresenceChanged>().present);
    world.run_for(std::chrono::seconds{2});
    CHECK(witness.last<PresenceChanged>().user == "ada");
    CHECK_FALSE(witness.last<PresenceChanged>().present);
    CHECK(world.server.connection_count() == 1);
    CHECK(witness.texts().back() == "last words");
}

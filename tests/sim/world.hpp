#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory.hpp"
#include "support/printers.hpp"
#include "support/scripted_peer.hpp"
#include "support/seed.hpp"

// Instantiated once, in world_test.cpp, so that the scenarios compile in half the time.
extern template class quicchat::Client<quicchat::memory::Transport>;
extern template class quicchat::Server<quicchat::memory::Transport>;

namespace quicchat::test {

/// A client of a World, with everything it was told.
struct Chatter {
    std::string user;
    memory::Client client;
    bool reading = true;  ///< Takes its events at every turn.
    std::vector<ClientEvent> events{};

    void read() {
        while (std::optional<ClientEvent> event = client.poll_event()) {
            events.push_back(*std::move(event));
        }
    }
    template <class E>
    std::vector<E> all() const {
        std::vector<E> found;
        for (const ClientEvent& event : events) {
            if (const E* e = std::get_if<E>(&event)) found.push_back(*e);
        }
        return found;
    }
    template <class E>
    std::size_t count() const {
        return all<E>().size();
    }
    /// The latest one of that kind, which must be there.
    template <class E>
    E last() const {
        const std::vector<E> found = all<E>();
        REQUIRE_FALSE(found.empty());
        return found.back();
    }
    bool online() const { return client.state() == State::ready; }
    std::vector<std::string> texts() const {
        std::vector<std::string> found;
        for (const RoomMessage& message : all<RoomMessage>()) found.push_back(message.text);
        return found;
    }
};

struct WorldConfig {
    std::uint64_t seed = 1;
    Limits limits{};  ///< Of everybody.
    std::vector<std::string> rooms = {"#lobby", "#quiet"};
    std::vector<std::string> operators{};
    std::string speaker{};  ///< Of the server's program.
    memory::NetworkConfig network{};
    /// Of everybody. By default a client that loses its connection is at its end.
    Reconnection reconnect{.enabled = false};
    NameLoginOptions login{};
    Duration tick{};  ///< Participants get their turn no more often than this.
};

/// A server and its clients on one simulated network. Nothing moves but by `run` and `run_for`.
class World {
public:
    explicit World(WorldConfig config = {})
        : config_(with_seed(std::move(config))),
          network(config_.network),
          server(network.listen("chat", config_.limits),
                 MemoryLog{Entropy::seeded(config_.seed + 1)}, NameAuthenticator{},
                 Entropy::seeded(config_.seed + 2),
                 {.rooms = config_.rooms,
                  .operators = config_.operators,
                  .speaker = config_.speaker,
                  .limits = config_.limits}) {}

    Now now() const {
        return {network.now(), WallTime{std::chrono::duration_cast<std::chrono::milliseconds>(
                                   network.now().time_since_epoch())}};
    }

    /// Begins to connect. Stays valid as long as the world does, or until `vanish`.
    Chatter& add(std::string user, std::optional<Limits> limits = {},
                 std::optional<DeviceId> device = {}) {
        memory::Client client{network.dial("chat", limits.value_or(config_.limits)),
                              *NameLogin::create(user, config_.login),
                              Entropy::seeded(config_.seed + 1000 * ++entropies_),
                              {.limits = limits.value_or(config_.limits),
                               .reconnect = config_.reconnect,
                               .device = device}};
        people.push_back(std::make_unique<Chatter>(Chatter{std::move(user), std::move(client)}));
        people.back()->client.connect(now());
        return *people.back();
    }
    /// Connects and logs in.
    Chatter& add_online(std::string user, std::optional<Limits> limits = {}) {
        Chatter& person = add(std::move(user), limits);
        run();
        REQUIRE(person.online());
        return person;
    }
    Chatter& add_in_room(std::string user, const std::string& room = "#lobby",
                         Position position = {}) {
        Chatter& person = add_online(std::move(user));
        REQUIRE(person.client.join(room, position));
        run();
        REQUIRE(person.count<RoomJoined>() == 1);
        return person;
    }
    /// The client's program crashes.
    void vanish(Chatter& person) {
        std::erase_if(people, [&](const auto& p) { return p.get() == &person; });
    }

    ScriptedPeer add_scripted() {
        return ScriptedPeer{network.dial("chat", config_.limits), [this] { run(); }, network.now()};
    }

    /// Until nothing is under way any more, and the server has done all that it put off. Later
    /// deadlines do not count: see `run_for`.
    void run() {
        std::size_t turns_left = 100'000;
        turn();
        while (const std::optional<TimePoint> next = next_work()) {
            REQUIRE(--turns_left > 0);
            network.advance_to(*next + config_.tick);
            turn();
        }
    }

    /// So long by the virtual clock, deadlines included.
    void run_for(Duration duration) {
        const TimePoint end = network.now() + duration;
        std::size_t turns_left = 100'000;  // a deadline that nobody keeps would never end
        turn();
        while (network.now() < end) {
            std::optional<TimePoint> next = earlier(network.next_event(), server.next_deadline());
            for (const auto& person : people) {
                next = earlier(next, person->client.next_deadline());
            }
            REQUIRE(--turns_left > 0);
            network.advance_to(std::max(network.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }

    void turn() {
        if (due(server)) server.process(now());
        for (const auto& person : people) {
            if (due(person->client)) person->client.process(now());
            if (person->reading) person->read();
        }
    }

private:
    static WorldConfig with_seed(WorldConfig config) {
        config.network.seed = config.seed;
        return config;
    }
    std::optional<TimePoint> next_work() const {
        return due(server) ? network.now() : network.next_event();
    }
    template <class T>
    bool due(const T& participant) const {
        const std::optional<TimePoint> deadline = participant.next_deadline();
        return deadline && *deadline <= network.now();
    }

    WorldConfig config_;
    std::uint64_t entropies_ = 0;

public:
    memory::Network network;
    memory::Server server;
    std::vector<std::unique_ptr<Chatter>> people;
};

}  // namespace quicchat::test

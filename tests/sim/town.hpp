#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/file/memory_files.hpp"
#include "sim/world.hpp"
#include "support/shared_log.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// Believes everybody, and knows which accounts there are besides those that are here.
class TownRegister : public Authenticator {
public:
    explicit TownRegister(std::set<std::string> accounts) : accounts_(std::move(accounts)) {}
    std::unique_ptr<LoginExchange> begin(BytesView entropy) override {
        return NameAuthenticator{}.begin(entropy);
    }
    std::optional<std::string> find_account(const std::string& name) const override {
        for (const std::string& account : accounts_) {
            if (is_same_name(account, name)) return account;
        }
        return std::nullopt;
    }

private:
    std::set<std::string> accounts_;
};

using TownFiles = MemoryFiles<ReferenceCrypto>;
using TownServer = memory::Server;

struct TownConfig {
    std::uint64_t seed = 1;
    ServerConfig server{};
    std::set<std::string> accounts{};  ///< Also of people who are away.
};

/// A server that may stop and come back on the same log, and clients that come back by themselves.
/// Nothing moves but by the functions that say so.
class Town {
public:
    explicit Town(TownConfig config = {})
        : config_(std::move(config)), network({.seed = config_.seed}) {
        start();
    }

    /// The server stops in peace, another one goes on, and everybody is back.
    void restart() {
        server->shutdown(now());
        run_for(std::chrono::seconds{5});
        REQUIRE(server->finished());
        server.reset();
        start();
        run_for(std::chrono::seconds{60});
    }

    /// The server's process ends, and another one begins on what it had stored.
    void crash() {
        server.reset();
        files.forget_answers();
        start();
    }

    Now now() const {
        return {network.now(), WallTime{std::chrono::duration_cast<std::chrono::milliseconds>(
                                   network.now().time_since_epoch() + wall_ahead)}};
    }

    /// A client of that account goes online. Stays valid until `vanish`.
    Chatter& add(std::string user, const Limits& limits = {}) {
        memory::Client client{
            network.dial("town", limits),
            *NameLogin::create(user),
            Entropy::seeded(config_.seed + 1000 * ++entropies_),
            {.limits = limits, .reconnect = {.delay_max = std::chrono::seconds{2}}}};
        people.push_back(std::make_unique<Chatter>(Chatter{std::move(user), std::move(client)}));
        people.back()->client.connect(now());
        run();
        REQUIRE(people.back()->online());
        return *people.back();
    }
    Chatter& add_in(std::string user, const std::string& room, Position position = {}) {
        Chatter& person = add(std::move(user));
        REQUIRE(join(person, room, position) == Errc{});
        return person;
    }
    /// The client's program ends, and is not told before.
    void vanish(Chatter& person) {
        std::erase_if(people, [&](const auto& p) { return p.get() == &person; });
    }
    /// All connections break.
    void cut() {
        for (std::uint64_t n = 1; n <= network.connections_dialled(); ++n) network.cut(n);
    }

    /// What comes of a request: `Errc{}`, or why it was refused.
    Errc outcome(const Chatter& person, const Result<RequestId>& request) {
        if (!request) return to_errc(request.error());
        run();
        for (const ClientEvent& event : person.events) {
            const auto* refused = std::get_if<Refused>(&event);
            const auto* acked = std::get_if<Acked>(&event);
            const auto* joined = std::get_if<RoomJoined>(&event);
            if (refused != nullptr && refused->request == *request) return refused->errc;
            if (acked != nullptr && acked->request == *request) return Errc{};
            if (joined != nullptr && joined->request == *request) return Errc{};
        }
        FAIL("no answer");
        return Errc::closed;
    }
    Errc join(Chatter& person, const std::string& room, Position position = {}) {
        return outcome(person, person.client.join(room, position));
    }
    Errc say(Chatter& person, const std::string& room, std::string text) {
        return outcome(person, person.client.publish(room, std::move(text)));
    }
    Errc act(Chatter& person, const std::string& room, Act act, std::string text = {}) {
        return outcome(person, person.client.act(room, std::move(act), std::move(text)));
    }
    Errc appoint(Chatter& person, const std::string& room, std::string subject, Role role,
                 WallTime until = {}, std::string reason = {}) {
        return act(person, room,
                   {.kind = Act::Kind::role,
                    .subject = std::move(subject),
                    .value = static_cast<std::uint64_t>(role),
                    .until = until},
                   std::move(reason));
    }
    std::vector<RoomSummary> rooms(Chatter& person) {
        REQUIRE(person.client.request_rooms());
        run();
        return person.last<RoomList>().rooms;
    }
    std::vector<RoomPerson> members(Chatter& person, const std::string& room) {
        REQUIRE(person.client.request_members(room));
        run();
        return person.last<MemberList>().people;
    }

    /// Until nothing is under way any more, and the server has done all that it put off. Later
    /// deadlines do not count: see `run_for`.
    void run() {
        turn();
        while (const std::optional<TimePoint> next = next_work()) {
            network.advance_to(*next);
            turn();
        }
    }
    /// So long by the virtual clock, deadlines included.
    void run_for(Duration duration) {
        const TimePoint end = network.now() + duration;
        turn();
        while (network.now() < end) {
            std::optional<TimePoint> next = network.next_event();
            if (server) next = earlier(next, server->next_deadline());
            for (const auto& person : people) {
                next = earlier(next, person->client.next_deadline());
            }
            network.advance_to(std::max(network.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }

private:
    void start() {
        server.emplace(network.listen("town", config_.server.limits), SharedLog{log_, &log_is_held},
                       TownRegister{config_.accounts},
                       Entropy::seeded(config_.seed + 1'000'000 * ++entropies_), config_.server,
                       files);
    }
    std::optional<TimePoint> next_work() const {
        const auto deadline = server ? server->next_deadline() : std::nullopt;
        return deadline && *deadline <= network.now() ? network.now() : network.next_event();
    }
    void turn() {
        if (server) server->process(now());
        for (const auto& person : people) {
            person->client.process(now());
            if (person->reading) person->read();
        }
    }

    TownConfig config_;
    std::uint64_t entropies_ = 0;
    std::shared_ptr<MemoryLog> log_ = std::make_shared<MemoryLog>(Entropy::seeded(1));

public:
    bool log_is_held = false;  ///< What is appended is committed when it is not any more.
    memory::Network network;
    TownFiles files{};  ///< They outlive the server.
    std::optional<TownServer> server;
    std::vector<std::unique_ptr<Chatter>> people;
    Duration wall_ahead{};  ///< Of the steady clock; whoever sets the computer's clock changes it.
};

}  // namespace quicchat::test

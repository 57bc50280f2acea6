#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/log/memory_log.hpp"
#include "quicchat/server/hub.hpp"
#include "support/known_accounts.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "support/shared_log.hpp"
#include "unit/wire/random_message.hpp"

namespace quicchat::test {

/// A hub with rooms #lobby and #quiet, and members that are fed by hand. Its log outlives it: give
/// it to another fixture for a restart.
struct HubFixture {
    explicit HubFixture(Limits limits = {}) : HubFixture(ServerConfig{.limits = limits}, {}) {}
    HubFixture(ServerConfig c, std::shared_ptr<MemoryLog> l)
        : HubFixture(std::move(c), l ? l : std::make_shared<MemoryLog>(Entropy::seeded(1)),
                     [](const std::shared_ptr<MemoryLog>& shared) { return SharedLog{shared}; }) {}
    /// `make_log`: what the hub sees of the log.
    template <class MakeLog>
    HubFixture(ServerConfig c, std::shared_ptr<MemoryLog> l, const MakeLog& make_log)
        : config(std::move(c)), log(std::move(l)), hub(make_log(log), config, accounts) {
        REQUIRE(hub.add_room("#lobby") == Errc{});
        REQUIRE(hub.add_room("#quiet") == Errc{});
        REQUIRE(hub.restore() == Errc{});
        set_time({});
    }

    static StreamId stream_of(std::uint64_t connection) { return StreamId{4 * connection}; }

    void set_time(std::chrono::milliseconds since_1970) {
        time_ = WallTime{since_1970};
        begin_turn();
    }
    void begin_turn() { hub.begin_turn(time_); }

    void log_in(std::uint64_t connection, const std::string& user, DeviceId device = {}) {
        if (!online_.emplace(connection, std::pair{user, device}).second) return;
        hub.handle_login(ConnectionId{connection}, user);
    }
    void disconnect(std::uint64_t connection) {
        hub.handle_disconnected(ConnectionId{connection}, online_.at(connection).first);
        online_.erase(connection);
    }
    Caller caller(std::uint64_t connection) const {
        const auto& [user, device] = online_.at(connection);
        return {ConnectionId{connection}, user, device};
    }

    Result<Member*> try_join(std::uint64_t connection, std::string room, Position position = {}) {
        return hub.join(caller(connection), stream_of(connection),
                        {connection, std::move(room), position});
    }
    Errc join_error(std::uint64_t connection, std::string room) {
        const Result<Member*> member = try_join(connection, std::move(room));
        return member ? Errc{} : to_errc(member.error());
    }
    Member& join(std::uint64_t connection, std::string user, Position position = {},
                 std::string room = "#lobby", DeviceId device = {}) {
        log_in(connection, user, device);
        const Result<Member*> member = try_join(connection, std::move(room), position);
        REQUIRE(member);
        return **member;
    }

    /// Publishes with an id of the next number, or of `number`.
    void publish(Member& member, std::string text, std::optional<unsigned> number = {}) {
        act(member, {}, std::move(text), number);
    }
    void act(Member& member, Act act, std::string text = {}, std::optional<unsigned> number = {}) {
        const unsigned n = number ? *number : ++published_;
        hub.publish(member, {n, id(n), std::move(text), "{}", std::move(act)});
    }
    /// The same, committed. Whether it was: `Errc{}`, or why not.
    Errc acted(Member& member, const Act& what, std::string text = {}) {
        const auto connection = static_cast<std::uint64_t>(member.connection);
        (void)take(connection);
        act(member, what, std::move(text));
        REQUIRE(hub.settle() == Errc{});
        const auto errors = take<wire::Error>(connection);
        return errors.empty() ? Errc{} : from_wire_code(errors.back().code);
    }
    static Act role(std::string subject, Role role, WallTime until = {}) {
        return {.kind = Act::Kind::role,
                .subject = std::move(subject),
                .value = static_cast<std::uint64_t>(role),
                .until = until};
    }
    static Act access(RoomAccess access) {
        return {.kind = Act::Kind::access, .value = static_cast<std::uint64_t>(access)};
    }
    /// Publishes and commits `count` messages.
    void fill(Member& member, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            publish(member, "text");
            REQUIRE(hub.settle() == Errc{});
        }
    }

    Errc tell(std::uint64_t connection, std::string to, unsigned number,
              std::string text = "psst") {
        return hub.tell(caller(connection),
                        {number, id(number), std::move(to), std::move(text), "{}"});
    }
    /// Makes a room; what comes of it: `Errc{}`, or why not.
    Errc create(std::uint64_t connection, std::string room,
                RoomAccess access = RoomAccess::everybody, unsigned number = 1) {
        const Errc errc = hub.create_room(caller(connection),
                                          {number, id(number), std::move(room), access, "topic"});
        if (errc != Errc{}) return errc;
        REQUIRE(hub.settle() == Errc{});
        for (const auto& [to, message] : control()) {
            const auto* refused = std::get_if<wire::Error>(&message);
            if (refused != nullptr && to == connection) return from_wire_code(refused->code);
        }
        return Errc{};
    }
    std::vector<RoomSummary> rooms(std::uint64_t connection, std::string after = {}) {
        hub.list_rooms(caller(connection), {1, std::move(after)});
        for (auto& [to, message] : control()) {
            auto* list = std::get_if<wire::Rooms>(&message);
            if (list != nullptr && to == connection) return std::move(list->rooms);
        }
        return {};
    }

    static MessageId id(unsigned number) {
        MessageId id;
        id.bytes[0] = static_cast<std::byte>(number);
        id.bytes[1] = static_cast<std::byte>(number >> 8);
        return id;
    }

    /// Serves all that are waiting; what each member got is in `frames`.
    void serve() {
        begin_turn();
        while (Member* member = hub.fan_out().poll_waiting()) {
            std::vector<Bytes>& all = frames[member->connection];
            while (const std::optional<Bytes> next = hub.next_frames(*member)) {
                for (const Bytes& frame : split_frames(*next)) all.push_back(frame);
            }
        }
    }
    std::vector<Message> take(std::uint64_t connection) {
        serve();
        std::vector<Message> messages;
        for (const Bytes& frame : std::exchange(frames[ConnectionId{connection}], {})) {
            messages.push_back(read(frame));
        }
        return messages;
    }
    /// What one member got, of one kind.
    template <class M>
    std::vector<M> take(std::uint64_t connection) {
        std::vector<M> all;
        for (Message& message : take(connection)) {
            if (auto* m = std::get_if<M>(&message)) all.push_back(std::move(*m));
        }
        return all;
    }
    std::vector<Offset> offsets(std::uint64_t connection) {
        std::vector<Offset> all;
        for (const wire::Event& event : take<wire::Event>(connection)) all.push_back(event.offset);
        return all;
    }
    /// What the control streams got: connection and message.
    std::vector<std::pair<std::uint64_t, Message>> control() {
        begin_turn();
        std::vector<std::pair<std::uint64_t, Message>> all;
        const auto add = [&](ConnectionId connection, const Bytes& frame) {
            all.emplace_back(static_cast<std::uint64_t>(connection), read(frame));
            return true;
        };
        hub.control().send(add, [](ConnectionId) {});
        return all;
    }
    /// The same, of one kind and for one connection.
    template <class M>
    std::vector<M> control(std::uint64_t connection) {
        std::vector<M> all;
        for (auto& [to, message] : control()) {
            auto* m = std::get_if<M>(&message);
            if (m != nullptr && to == connection) all.push_back(std::move(*m));
        }
        return all;
    }
    /// The memberships that the hub has ended: connection, and the last words.
    std::vector<std::pair<std::uint64_t, std::vector<Message>>> endings() {
        std::vector<std::pair<std::uint64_t, std::vector<Message>>> all;
        while (const auto ending = hub.poll_ending()) {
            all.emplace_back(static_cast<std::uint64_t>(ending->connection),
                             std::vector<Message>{});
            for (const Bytes& frame : ending->frames) all.back().second.push_back(read(frame));
        }
        return all;
    }

    /// Somebody has read a room as it is now.
    void mark(std::uint64_t connection, const std::string& room, Offset offset,
              bool shared = false) {
        const Caller who = caller(connection);
        const std::string key = RoomStore::key_for(who.user, room);
        Epoch epoch{};
        const auto rooms = log->rooms();
        for (const std::string& name : *rooms) {
            if (name == key) epoch = log->head(key).epoch;
        }
        hub.mark_read(who, {room, epoch, offset, shared});
    }

    static Message read(const Bytes& frame) { return *decode(view_frame(frame.view())); }

    ServerConfig config;
    KnownAccounts accounts;  ///< Also those that are away.
    std::shared_ptr<MemoryLog> log;
    Hub hub;
    std::map<ConnectionId, std::vector<Bytes>> frames;

private:
    std::map<std::uint64_t, std::pair<std::string, DeviceId>> online_;
    WallTime time_{};
    unsigned published_ = 1000;  ///< Above the numbers that tests give.
};

}  // namespace quicchat::test

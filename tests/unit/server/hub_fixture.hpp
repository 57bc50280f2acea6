#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/log/memory_log.hpp"
#include "quicchat/server/hub.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "unit/wire/random_message.hpp"

namespace quicchat::test {

/// A hub with rooms #lobby and #quiet, and members that are fed by hand.
struct HubFixture {
    explicit HubFixture(Limits l = {}) : limits(l), hub(MemoryLog{Entropy::seeded(1)}, limits) {
        REQUIRE(hub.add_room("#lobby") == Errc{});
        REQUIRE(hub.add_room("#quiet") == Errc{});
    }

    static StreamId stream_of(std::uint64_t connection) { return StreamId{4 * connection}; }

    Member& join(std::uint64_t connection, std::string user, Position position = {},
                 std::string room = "#lobby", DeviceId device = {}) {
        if (roster_.emplace(connection, user).second) {
            hub.handle_login(ConnectionId{connection}, user);
        }
        const auto member = hub.join(ConnectionId{connection}, stream_of(connection), user, device,
                                     {connection, std::move(room), position});
        REQUIRE(member);
        return **member;
    }

    /// Publishes with an id of the next number, or of `number`.
    void publish(Member& member, std::string text, std::optional<unsigned> number = {}) {
        const unsigned n = number ? *number : ++published_;
        hub.publish(member, {n, id(n), std::move(text), "{}"}, {});
    }
    /// Publishes and commits `count` messages.
    void fill(Member& member, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            publish(member, "text");
            REQUIRE(hub.settle() == Errc{});
        }
    }

    static MessageId id(unsigned number) {
        MessageId id;
        id.bytes[0] = static_cast<std::byte>(number);
        id.bytes[1] = static_cast<std::byte>(number >> 8);
        return id;
    }

    /// Serves all that are waiting; what each member got is in `frames`.
    void serve() {
        while (Member* member = hub.poll_waiting()) {
            while (const std::optional<Bytes> frame = hub.next_frame(*member)) {
                frames[member->connection].push_back(*frame);
            }
        }
    }
    std::vector<Message> take(std::uint64_t connection) {
        serve();
        std::vector<Message> messages;
        for (const Bytes& frame : std::exchange(frames[ConnectionId{connection}], {})) {
            messages.push_back(*decode(view_frame(frame.view())));
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
        std::vector<std::pair<std::uint64_t, Message>> all;
        while (const auto out = hub.poll_control()) {
            all.emplace_back(static_cast<std::uint64_t>(out->connection),
                             *decode(view_frame(out->frame.view())));
        }
        return all;
    }

    Limits limits;
    Hub<MemoryLog> hub;
    std::map<ConnectionId, std::vector<Bytes>> frames;

private:
    std::map<std::uint64_t, std::string> roster_;
    unsigned published_ = 0;
};

}  // namespace quicchat::test

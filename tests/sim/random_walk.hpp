#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sim/world.hpp"

namespace quicchat::test {

/// A number of people who do what comes to their minds, on a network that breaks now and then, and
/// the promises of the library checked against what one of them saw who never lost anything.
class RandomWalk {
public:
    explicit RandomWalk(std::uint64_t seed)
        : random_(Entropy::seeded(seed)), world({.seed = seed, .limits = limits()}) {
        for (const char* room : rooms) {
            Chatter& witness = world.add_in_room("witness-" + std::string{room}.substr(1), room);
            witnesses_[room] = &witness;
        }
        for (int i = 0; i < 5; ++i) {
            // The first two are devices of one user.
            const std::string user = "user" + std::to_string(std::max(i, 1));
            players_.push_back({user, {random_.draw<16>()}, nullptr, {}, {}});
        }
    }

    void go(int actions) {
        for (int i = 0; i < actions; ++i) {
            act(players_[draw(0, players_.size() - 1)]);
            for (std::uint64_t steps = draw(0, 6); steps > 0; --steps) {
                world.network.step();
                world.turn();
            }
        }
        for (std::uint64_t number = 1; number <= world.network.connections_dialled(); ++number) {
            world.network.resume(number);
        }
        for (Player& player : players_) {
            if (player.person != nullptr) player.person->reading = true;
        }
        world.run();
        for (Player& player : players_) {
            if (player.person != nullptr) retire(player);
        }
        check_log();
    }

private:
    /// One user's device over all its connections.
    struct Player {
        std::string user;
        DeviceId device;
        Chatter* person = nullptr;
        std::map<std::string, std::pair<Epoch, Offset>> places;  ///< Where it is in each room.
        std::vector<std::pair<std::string, MessageId>> sent;     ///< Room and id, by number.
    };

    static constexpr const char* rooms[] = {"#lobby", "#quiet"};

    static Limits limits() {
        return {.room_log_records_max = 30,
                .room_recent_frames_max = 5,
                .catch_up_records_max = 2,
                .stream_backlog_bytes_max = 2048,
                .replies_max = 4,
                .events_max = 10,
                .stream_receive_window = 4096,
                .connection_receive_window = 16'384};
    }

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }
    std::string draw_room() { return rooms[draw(0, 1)]; }

    void act(Player& player) {
        if (player.person == nullptr || !player.person->online()) return come(player);
        memory::Client& client = player.person->client;
        const std::string room = draw_room();
        switch (draw(0, 19)) {
            case 0:
                return client.close();
            case 1:
                return world.network.cut(number_of(player));
            case 2:
                return world.network.cut_after(number_of(player), draw(0, 300));
            case 3:
                return world.network.stall(number_of(player));
            case 4:
                return world.network.resume(number_of(player));
            case 5:
                (void)client.leave(room);
                return;
            case 6:
                (void)client.request_members(room);
                return;
            case 7:
                (void)client.tell(draw(0, 1) == 0 ? "user1" : "user2", "psst");
                return;
            case 8:
                player.person->reading = false;
                return;
            case 9:
                player.person->reading = true;
                return;
            case 10:
                return send_again(player);
            case 11:
                return vanish(player);
            case 12:
            case 13:
            case 14:
                (void)client.join(room, draw_position(player, room));
                return;
            default:
                return publish(player, room);
        }
    }

    /// Connects, if it is not doing so already.
    void come(Player& player) {
        if (player.person != nullptr) {
            if (player.person->client.state() != State::closed) return;
            retire(player);
        }
        player.person = &world.add(player.user, {}, player.device);
        numbers_[player.person] = world.network.connections_dialled();
    }
    std::uint64_t number_of(const Player& player) { return numbers_.at(player.person); }

    Position draw_position(const Player& player, const std::string& room) {
        const auto place = player.places.find(room);
        if (draw(0, 2) == 0 || place == player.places.end()) return Position::last(draw(0, 10));
        return Position::after(place->second.first, place->second.second);
    }

    void publish(Player& player, const std::string& room) {
        const MessageId id{random_.draw<16>()};
        std::string text = "text" + std::to_string(draw(0, 999));
        text += std::string(draw(0, 500), '.');  // one draw after the other, for all compilers
        if (!player.person->client.publish(room, text, "{}", id)) return;
        player.sent.emplace_back(room, id);
        said_[{room, id}] = {player.user, text};
    }
    /// As after a reconnection: the same id, mostly with the same text.
    void send_again(Player& player) {
        if (player.sent.empty()) return;
        const auto& message = player.sent[draw(0, player.sent.size() - 1)];
        const std::string text = draw(0, 4) == 0 ? "another text" : said_.at(message).second;
        (void)player.person->client.publish(message.first, text, "{}", message.second);
    }

    void vanish(Player& player) {
        player.person->read();
        check(player);
        world.vanish(*player.person);
        player.person = nullptr;
    }

    /// What remains to be said about a connection that is over, or complete.
    void retire(Player& player) {
        const bool complete = player.person->online();
        const std::map<std::string, Offset> next = check(player);
        for (const auto& [room, offset] : next) {
            if (complete) REQUIRE(offset == log(room).size() + 1);
        }
        player.person = nullptr;  // the world keeps it, silent
    }

    /// The witness's messages: it was there from the first one on and never left.
    std::vector<RoomMessage> log(const std::string& room) const {
        return witnesses_.at(room)->all<RoomMessage>();
    }

    /// Remembers a view, to be compared with the log at the end, and checks that it has no holes.
    /// Returns where it is in the rooms that it is in.
    std::map<std::string, Offset> check(Player& player) {
        std::map<std::string, Offset> next;
        std::size_t after_end = 0;
        for (const ClientEvent& event : player.person->events) {
            REQUIRE(after_end == 0);
            if (std::holds_alternative<Offline>(event)) ++after_end;
            if (const auto* joined = std::get_if<RoomJoined>(&event)) {
                REQUIRE(next.emplace(joined->room, joined->next).second);
                const auto place = player.places.find(joined->room);
                if (joined->recovered) REQUIRE(place != player.places.end());
                if (joined->recovered) REQUIRE(joined->next <= place->second.second + 1);
                player.places[joined->room] = {joined->epoch, joined->next - 1};
            } else if (const auto* left = std::get_if<RoomLeft>(&event)) {
                next.erase(left->room);
            } else if (const auto* gap = std::get_if<RoomGap>(&event)) {
                REQUIRE(gap->first == next.at(gap->room));
                next[gap->room] = gap->last + 1;
                player.places[gap->room] = {gap->epoch, gap->last};
            } else if (const auto* message = std::get_if<RoomMessage>(&event)) {
                REQUIRE(message->offset == next.at(message->room));
                next[message->room] = message->offset + 1;
                player.places[message->room] = {message->epoch, message->offset};
                seen_.push_back(*message);
            } else if (const auto* acked = std::get_if<Acked>(&event)) {
                acked_.push_back(*acked);
            }
        }
        return next;
    }

    void check_log() {
        std::map<MessageId, Offset> places;
        for (const char* room : rooms) {
            REQUIRE(witnesses_.at(room)->online());
            const std::vector<RoomMessage> messages = log(room);
            for (std::size_t i = 0; i < messages.size(); ++i) {
                // No hole, nobody else's words, and nothing twice.
                REQUIRE(messages[i].offset == i + 1);
                const auto said = said_.find({room, messages[i].id});
                REQUIRE(said != said_.end());
                REQUIRE(said->second.first == messages[i].from);
                if (!resent_after_retention(messages, i)) {
                    REQUIRE(places.emplace(messages[i].id, i + 1).second);
                }
            }
        }
        for (const RoomMessage& message : seen_) {
            const std::vector<RoomMessage> messages = log(message.room);
            REQUIRE(message.offset <= messages.size());
            const RoomMessage& original = messages[message.offset - 1];
            REQUIRE(message.id == original.id);
            REQUIRE(message.text == original.text);
            REQUIRE(message.from == original.from);
            REQUIRE(message.epoch == original.epoch);
        }
        for (const Acked& acked : acked_) {
            bool found = false;
            for (const char* room : rooms) {
                const std::vector<RoomMessage> messages = log(room);
                found = found || (acked.offset <= messages.size() &&
                                  messages[acked.offset - 1].id == acked.id);
            }
            REQUIRE((found ||
                     said_.count({rooms[0], acked.id}) + said_.count({rooms[1], acked.id}) == 0));
        }
    }

    /// PROTOCOL.md §6.3: "An id is remembered as long as its record is."
    static bool resent_after_retention(const std::vector<RoomMessage>& messages, std::size_t i) {
        for (std::size_t j = 0; j + 30 <= i; ++j) {
            if (messages[j].id == messages[i].id) return true;
        }
        return false;
    }

    Entropy random_;

public:
    World world;

private:
    std::map<std::string, Chatter*> witnesses_;
    std::vector<Player> players_;
    std::map<const Chatter*, std::uint64_t> numbers_;
    std::map<std::pair<std::string, MessageId>, std::pair<std::string, std::string>> said_;
    std::vector<RoomMessage> seen_;
    std::vector<Acked> acked_;
};

}  // namespace quicchat::test

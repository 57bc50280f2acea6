#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "sim/chaos_device.hpp"
#include "sim/chaos_judge.hpp"

namespace quicchat::test {

/// What people do at random with messages, rooms and each other.
class Script {
public:
    static constexpr const char* rooms[] = {"#one", "#two", "#made"};

    Script(Dice& dice, Judge& judge) : dice_(&dice), judge_(&judge) {}

    bool submit(Device& device, Witness::Message message) {
        const auto request = device.send(message);
        if (request) judge_->note_published(device.witness, std::move(message), *request);
        return request.has_value();
    }

    void publish(Device& device, const std::string& room) {
        MessageId id = dice_->draw_id();
        // Others choose it as well.
        if (one_in(8)) id.bytes = {static_cast<std::byte>(draw(1, 3))};
        std::string text = "text" + std::to_string(draw(0, 99'999));
        text += std::string(draw(0, 300), '.');
        const bool sent = submit(device, {room, text, id});
        if (sent && one_in(2)) publish(device, room);
    }

    /// What one does who has much to say: the others must not suffer from it.
    void publish_much(Device& device, const std::string& room) {
        const std::string to = draw_user(1);
        const bool tells = one_in(2);
        const std::string place = tells ? PrivateRooms::key_of(device.witness.user, to) : room;
        const std::uint64_t length = one_in(8) ? 9000 : draw(1, 1500);
        for (std::uint64_t i = draw(1, 8); i > 0; --i) {
            const std::string text = std::to_string(i) + std::string(length, '#');
            submit(device, {place, text, dice_->draw_id(), {}, tells ? to : ""});
        }
    }

    /// What one does who asks for much.
    void ask_much(Device& device, const std::string& room, TimePoint now) {
        memory::Client& client = *device.client;
        for (std::uint64_t i = draw(1, 5); i > 0; --i) {
            (void)client.mark_read(room, draw(0, 60), true);
            (void)client.set_display_name("User " + std::to_string(draw(0, 9)));
            client.say_typing(room, now);
            (void)client.request_search(room, "text", varint_max, 50);
            (void)client.request_history(room, varint_max, 50, 0);
            (void)client.request_rooms();
        }
    }

    void mark_read(Device& device, const std::string& room) {
        const auto place = device.witness.places.find(room);
        if (place == device.witness.places.end()) return;
        (void)device.client->mark_read(room, draw(0, place->second.second), one_in(2));
    }

    void change_a_message(Device& device, const std::string& room) {
        const auto place = device.witness.places.find(room);
        if (place == device.witness.places.end()) return;
        const Offset newest = place->second.second;
        const Offset target = newest - std::min<Offset>(newest, draw(0, 25));
        const auto kind = static_cast<Act::Kind>(draw(0, 4));
        std::string text = "changed" + std::to_string(draw(0, 999));
        if (kind >= Act::Kind::deletion) text = kind == Act::Kind::deletion ? "" : "+1";
        submit(device, {room, text, dice_->draw_id(), {.kind = kind, .target = target}});
        if (!one_in(3)) return;
        const int base = kind > Act::Kind::deletion ? 3 : 1;  // the same, or what is undone by it
        const auto again = static_cast<Act::Kind>(base + static_cast<int>(one_in(2)));
        submit(device, {room, base == 3 ? text : "again", dice_->draw_id(), {again, target}});
    }

    /// What owners and moderators do; others try it as well.
    void rule(Device& device, const std::string& room) {
        Act act;
        const std::uint64_t choice = draw(0, 9);
        if (choice == 0) {
            act = {.kind = Act::Kind::access, .value = one_in(3) ? draw(1, 2) : 0};
        } else if (choice < 4) {
            act = {.kind = Act::Kind::topic};
        } else {
            act = {.kind = Act::Kind::role,
                   .subject = draw_user(2),
                   .value = one_in(2) ? 3 : draw(0, 5)};
        }
        submit(device, {room, "reason" + std::to_string(draw(0, 99)), dice_->draw_id(), act});
    }

    void create(Device& device) {
        const Act act{.kind = Act::Kind::creation, .subject = rooms[2]};
        submit(device, {rooms[2], "made", dice_->draw_id(), act});
    }

    void tell(Device& device) {
        const std::string to = draw_user(1);
        const std::string text = "told" + std::to_string(draw(0, 99'999));
        const std::string key = PrivateRooms::key_of(device.witness.user, to);
        submit(device, {key, text, dice_->draw_id(), {}, to});
    }

    /// The user presses the key twice, or another part of the program uses the id.
    void publish_again(Device& device) {
        Witness& w = device.witness;
        if (w.sent.empty()) return;
        Witness::Message m = w.sent[draw(0, w.sent.size() - 1)];
        if (one_in(4)) m.text += " changed";
        submit(device, std::move(m));
    }

private:
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) { return dice_->draw(low, high); }
    bool one_in(std::uint64_t count) { return dice_->one_in(count); }
    std::string draw_user(std::uint64_t first) { return "user" + std::to_string(draw(first, 4)); }

    Dice* dice_;
    Judge* judge_;
};

}  // namespace quicchat::test

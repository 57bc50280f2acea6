#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/memory.hpp"
#include "sim/chaos_disk.hpp"
#include "sim/chaos_judge.hpp"

namespace quicchat::test {

using DiskServer = memory::Server;

/// Small ones: what they bound happens often.
inline Limits chaos_limits() {
    return {.room_log_records_max = RoomModel::records_max,
            .room_age_min = {},
            .room_recent_frames_max = 5,
            .catch_up_records_max = 2,
            .reactions_per_message_max = RoomModel::reactions_max,
            .stream_backlog_bytes_max = 2048,
            .replies_max = 4,
            .events_max = 10,
            .idle_timeout = std::chrono::seconds{5},
            .stream_receive_window = 4096,
            .connection_receive_window = 16'384};
}

/// Some devices, a server that crashes, a disk that forgets, a network that breaks anywhere, clocks
/// that jump; and a judge who looks at everything. The same seed is the same run.
class Chaos {
public:
    explicit Chaos(std::uint64_t seed, DiskFault fault = DiskFault::none)
        : random_(Entropy::seeded(seed)),
          disk_(std::make_shared<Disk>(seed + 1)),
          judge_(*disk_, "user1"),
          network_({.seed = seed + 2}) {
        disk_->fault = fault;
        disk_fills_ = one_in(2) || fault == DiskFault::full_disk_says_yes;
        start_server();
        for (std::size_t i = 0; i < 5; ++i) {
            // The first two are devices of one user.
            devices_.push_back({});
            devices_.back().witness.user = "user" + std::to_string(std::max<std::size_t>(i, 1));
            devices_.back().witness.device.bytes = random_.draw<16>();
        }
    }

    /// Throws Broken.
    void go(int actions) {
        for (int i = 0; i < actions; ++i) {
            act();
            run_for(std::chrono::microseconds{draw(0, 60'000)});
        }
        heal();
        run_for(std::chrono::minutes{6});
        std::vector<const Witness*> witnesses;
        for (Device& device : devices_) {
            judge_.finish(device.witness);
            witnesses.push_back(&device.witness);
        }
        require_all_told(*disk_, witnesses);
        look_at_lists();
    }

    std::uint64_t trace_hash() const { return network_.trace_hash(); }
    Duration simulated() const { return network_.now().time_since_epoch(); }
    const Judge& judge() const { return judge_; }

private:
    struct Device {
        Witness witness;
        std::unique_ptr<memory::Client> client;
        std::uint64_t connection = 0;  ///< Number of the latest one in the network.
        bool reading = true;
    };

    static constexpr const char* rooms[] = {"#one", "#two", "#made"};

    std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
        return low + random_.draw_number() % (high - low + 1);
    }
    bool one_in(std::uint64_t count) { return draw(1, count) == 1; }

    Now now() const {
        const auto since = std::chrono::floor<std::chrono::milliseconds>(simulated());
        return {network_.now(), WallTime{since + wall_step_}};
    }

    /// Everybody marks everything as read, and that outlives the server.
    void look_at_lists() {
        for (Device& device : devices_) {
            for (const auto& [room, place] : device.witness.places) {
                require(device.client->mark_read(room, place.second - 1) == Errc{}, "not marked");
            }
        }
        run_for(std::chrono::seconds{1});
        server_.reset();
        disk_->crash();
        start_server();
        run_for(std::chrono::minutes{2});
        for (Device& device : devices_) {
            require(device.client->request_rooms().has_value(), "no list can be asked for");
            for (const auto& [room, place] : device.witness.places) {
                const auto page = device.client->request_history(room, varint_max, 100, 0);
                require(page.has_value(), "no page can be asked for");
            }
        }
        run_for(std::chrono::minutes{6});
        for (Device& device : devices_) judge_.finish_list(device.witness);
    }

    static ServerConfig server_config() {
        return {.rooms = {rooms[0], rooms[1]}, .operators = {"user1"}, .limits = chaos_limits()};
    }

    void start_server() {
        server_ = std::make_unique<DiskServer>(
            network_.listen("chat", chaos_limits()), DiskLog{disk_}, NameAuthenticator{},
            Entropy::seeded(draw(0, ~std::uint64_t{0} >> 1)), server_config());
        server_down_until_.reset();
    }

    void crash_server() {
        if (!server_) return;
        server_.reset();
        disk_->crash();
        if (one_in(12)) {
            judge_.look_at_disk();
            disk_->wipe();
            judge_.note_loss();
        }
        server_down_until_ = network_.now() + std::chrono::milliseconds{draw(1, 4000)};
        // Some peers hear of it at once, others when they give up waiting.
        for (const Device& device : devices_) {
            if (one_in(2)) network_.cut(device.connection);
        }
    }

    // The devices.

    void begin(Device& device) {
        Witness& w = device.witness;
        w.offline = false;
        const NameLoginOptions options{.one_flight = one_in(2)};
        device.client = std::make_unique<memory::Client>(
            network_.dial("chat", chaos_limits()), *NameLogin::create(w.user, options),
            Entropy::seeded(draw(0, ~std::uint64_t{0} >> 1)),
            ClientConfig{.limits = chaos_limits(),
                         .reconnect = {.before_first_login = true,
                                       .delay_min = std::chrono::milliseconds{50},
                                       .delay_max = std::chrono::seconds{2},
                                       .busy_delay_min = std::chrono::milliseconds{100},
                                       .busy_delay_max = std::chrono::seconds{2}},
                         .device = w.device});
        device.client->connect(now());
        device.connection = network_.connections_dialled();
        w.joins.clear();
        // What a program kept: where it was, and what it has no answer to.
        for (const auto& [room, place] : w.places) {
            join(device, room, Position::after(place.first, place.second - 1));
        }
        const std::vector<std::size_t> unanswered = [&] {
            std::vector<std::size_t> indices;
            for (const auto& [request, index] : std::exchange(w.asked, {}))
                indices.push_back(index);
            return indices;
        }();
        w.told.clear();
        for (const std::size_t index : unanswered) {
            const auto request = send(device, w.sent[index]);
            if (request) w.asked[*request] = index;
        }
    }

    static void join(Device& device, const std::string& room, Position position) {
        const auto request = device.client->join(room, position);
        if (request) device.witness.joins.insert(*request);
    }

    void act() {
        if (one_in(40)) return crash_server();
        if (disk_fills_ && one_in(60)) {
            disk_->full = !disk_->full;
            disk_->was_full = true;
        }
        if (one_in(60)) wall_step_ = std::chrono::hours{draw(0, 20'000)} - std::chrono::hours{9000};
        if (one_in(50)) network_.config().delay_max = std::chrono::milliseconds{draw(2, 300)};
        Device& device = devices_[draw(0, devices_.size() - 1)];
        if (!device.client) return begin(device);
        const std::string room = rooms[draw(0, 2)];
        switch (draw(0, 37)) {
            case 0:
                return network_.cut(device.connection);
            case 1:
                return network_.cut_after(device.connection, draw(0, 400));
            case 2:
                return network_.stall(device.connection);
            case 3:
            case 4:
                return network_.resume(device.connection);
            case 5:
                device.reading = false;
                return;
            case 6:
            case 7:
                device.reading = true;
                return;
            case 8:  // the program crashes; the next action begins it anew
                read(device);
                device.client.reset();
                return;
            case 9:
                if (one_in(4)) (void)device.client->leave(room);
                return;
            case 10:
                (void)device.client->request_members(room);
                return;
            case 11:
            case 12:
            case 13: {
                const bool known = device.witness.places.count(room) != 0;
                if (!known) join(device, room, Position::last(draw(0, 8)));
                return;
            }
            case 14:
                return publish_again(device);
            case 15:
            case 16:
            case 17:
            case 18:
                return change_a_message(device, room);
            case 19:
            case 20:
                return rule(device, room);
            case 21:
                return create(device);
            case 22:
            case 23:
                return tell(device);
            case 24: {
                const auto place = device.witness.places.find(room);
                if (place == device.witness.places.end()) return;
                (void)device.client->mark_read(room, draw(0, place->second.second), one_in(2));
                return;
            }
            case 25:
                (void)device.client->request_rooms();
                (void)device.client->request_history(room, draw(0, 60), draw(1, 9), draw(0, 9));
                return;
            case 26:
            case 27:
                return publish_much(device, room);
            case 28:
            case 29:
                return ask_much(device, room);
            default:
                return publish(device, room);
        }
    }

    void publish(Device& device, const std::string& room) {
        MessageId id{random_.draw<16>()};
        if (one_in(8)) id.bytes = {static_cast<std::byte>(draw(1, 3))};  // others choose it as well
        std::string text = "text" + std::to_string(draw(0, 99'999));
        text += std::string(draw(0, 300), '.');
        const bool sent = submit(device, {room, text, id});
        if (sent && one_in(2)) publish(device, room);
    }

    /// What one does who has much to say: the others must not suffer from it.
    void publish_much(Device& device, const std::string& room) {
        const std::string to = "user" + std::to_string(draw(1, 4));
        const bool tells = one_in(2);
        const std::string place = tells ? PrivateRooms::key_of(device.witness.user, to) : room;
        const std::uint64_t length = one_in(8) ? 9000 : draw(1, 1500);
        for (std::uint64_t i = draw(1, 8); i > 0; --i) {
            const std::string text = std::to_string(i) + std::string(length, '#');
            submit(device, {place, text, draw_id(), {}, tells ? to : ""});
        }
    }

    /// What one does who asks for much.
    void ask_much(Device& device, const std::string& room) {
        memory::Client& client = *device.client;
        for (std::uint64_t i = draw(1, 5); i > 0; --i) {
            (void)client.mark_read(room, draw(0, 60), true);
            (void)client.set_display_name("User " + std::to_string(draw(0, 9)));
            client.say_typing(room, network_.now());
            (void)client.request_search(room, "text", varint_max, 50);
            (void)client.request_history(room, varint_max, 50, 0);
            (void)client.request_rooms();
        }
    }

    /// Asks the client for what a user wants, in the way that it has for that.
    static Result<RequestId> send(Device& device, const Witness::Message& m) {
        if (!m.to.empty()) return device.client->tell(m.to, m.text, "{}", m.id);
        if (m.act.kind == Act::Kind::creation) {
            return device.client->create_room(m.act.subject, RoomAccess{}, m.text, m.id);
        }
        return device.client->publish(m.room, m.text, "{}", m.id, m.act);
    }

    bool submit(Device& device, Witness::Message message) {
        const auto request = send(device, message);
        if (request) judge_.note_published(device.witness, std::move(message), *request);
        return request.has_value();
    }

    MessageId draw_id() { return MessageId{random_.draw<16>()}; }

    void change_a_message(Device& device, const std::string& room) {
        const auto place = device.witness.places.find(room);
        if (place == device.witness.places.end()) return;
        const Offset newest = place->second.second;
        const Offset target = newest - std::min<Offset>(newest, draw(0, 25));
        const auto kind = static_cast<Act::Kind>(draw(0, 4));
        std::string text = "changed" + std::to_string(draw(0, 999));
        if (kind >= Act::Kind::deletion) text = kind == Act::Kind::deletion ? "" : "+1";
        submit(device, {room, text, draw_id(), {.kind = kind, .target = target}});
        if (!one_in(3)) return;
        const int base = kind > Act::Kind::deletion ? 3 : 1;  // the same, or what is undone by it
        const auto again = static_cast<Act::Kind>(base + static_cast<int>(one_in(2)));
        submit(device, {room, base == 3 ? text : "again", draw_id(), {again, target}});
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
                   .subject = "user" + std::to_string(draw(2, 4)),
                   .value = one_in(2) ? 3 : draw(0, 5)};
        }
        submit(device, {room, "reason" + std::to_string(draw(0, 99)), draw_id(), act});
    }

    void create(Device& device) {
        const Act act{.kind = Act::Kind::creation, .subject = rooms[2]};
        submit(device, {rooms[2], "made", draw_id(), act});
    }

    void tell(Device& device) {
        const std::string to = "user" + std::to_string(draw(1, 4));
        const std::string text = "told" + std::to_string(draw(0, 99'999));
        submit(device, {PrivateRooms::key_of(device.witness.user, to), text, draw_id(), {}, to});
    }

    /// The user presses the key twice, or another part of the program uses the id.
    void publish_again(Device& device) {
        Witness& w = device.witness;
        if (w.sent.empty()) return;
        Witness::Message m = w.sent[draw(0, w.sent.size() - 1)];
        if (one_in(4)) m.text += " changed";
        submit(device, std::move(m));
    }

    void read(Device& device) {
        judge_.look_at_disk();
        while (const std::optional<ClientEvent> event = device.client->poll_event()) {
            judge_.handle(device.witness, *event);
        }
    }

    // Time.

    void heal() {
        disk_->full = false;
        if (!server_) start_server();
        for (std::uint64_t i = 1; i <= network_.connections_dialled(); ++i) network_.resume(i);
        for (Device& device : devices_) {
            device.reading = true;
            if (!device.client) begin(device);
        }
    }

    void run_for(Duration duration) {
        const TimePoint end = network_.now() + duration;
        turn();
        while (network_.now() < end) {
            std::optional<TimePoint> next = network_.next_event();
            if (server_) next = earlier(next, server_->next_deadline());
            if (server_ && !disk_->pending.empty())
                next = earlier(next, disk_->pending.front().due);
            next = earlier(next, server_down_until_);
            for (const Device& device : devices_) {
                if (device.client) next = earlier(next, device.client->next_deadline());
            }
            network_.advance_to(std::max(network_.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }

    void turn() {
        disk_->now = network_.now();
        if (server_down_until_ && *server_down_until_ <= network_.now()) start_server();
        if (server_) server_->process(now());
        for (Device& device : devices_) {
            if (!device.client) continue;
            const std::uint64_t dialled = network_.connections_dialled();
            device.client->process(now());
            if (network_.connections_dialled() != dialled) {
                device.connection = network_.connections_dialled();
            }
            if (device.reading) read(device);
        }
    }

    Entropy random_;
    std::shared_ptr<Disk> disk_;
    Judge judge_;
    memory::Network network_;
    std::unique_ptr<DiskServer> server_;
    std::optional<TimePoint> server_down_until_;
    std::vector<Device> devices_;
    std::chrono::hours wall_step_{};
    bool disk_fills_ = false;
};

}  // namespace quicchat::test

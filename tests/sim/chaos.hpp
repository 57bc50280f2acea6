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
#include "sim/chaos_file_script.hpp"
#include "sim/chaos_files.hpp"
#include "sim/chaos_judge.hpp"
#include "sim/chaos_limits.hpp"
#include "sim/chaos_script.hpp"
#include "sim/chaos_space_check.hpp"

namespace quicchat::test {

using DiskServer = memory::Server;

/// Some devices, a server that crashes, a disk that forgets, a network that breaks anywhere, clocks
/// that jump; and a judge who looks at everything. The same seed is the same run.
class Chaos {
public:
    explicit Chaos(std::uint64_t seed, DiskFault fault = DiskFault::none,
                   FileFault file_fault = FileFault::none)
        : dice_(seed),
          disk_(std::make_shared<Disk>(seed + 1)),
          files_(std::make_shared<FileDisk>(seed + 3, *disk_)),
          judge_(*disk_, *files_, chaos_limits(), "user1"),
          script_(dice_, judge_),
          file_script_(dice_, judge_, script_, chaos_limits()),
          network_({.seed = seed + 2}),
          many_files_(seed % 3 == 0) {
        disk_->fault = fault;
        files_->fault = file_fault;
        disk_fills_ = one_in(2) || fault == DiskFault::full_disk_says_yes;
        start_server();
        for (std::size_t i = 0; i < 5; ++i) {
            // The first two are devices of one user.
            devices_.push_back({});
            devices_.back().witness.user = "user" + std::to_string(std::max<std::size_t>(i, 1));
            devices_.back().witness.device = dice_.draw_device();
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
        rooms_full_ = judge_.files().rooms_full();
        servers_full_ = judge_.files().servers_full();
        // A log that is broken on purpose is not looked for in the files.
        if (disk_->fault == DiskFault::none) {
            SpaceCheck{dice_, *files_, judge_, file_script_, devices_}.look(
                [&](Duration duration) { run_for(duration); });
        }
        look_at_lists();
        if (disk_->fault == DiskFault::none) look_at_files();
    }

    std::uint64_t trace_hash() const { return network_.trace_hash(); }
    Duration simulated() const { return network_.now().time_since_epoch(); }
    const Judge& judge() const { return judge_; }
    /// Files that were refused before the end because a room was full, and because the server was.
    std::uint64_t rooms_full() const { return rooms_full_; }
    std::uint64_t servers_full() const { return servers_full_; }

private:
    std::uint64_t draw(std::uint64_t low, std::uint64_t high) { return dice_.draw(low, high); }
    bool one_in(std::uint64_t count) { return dice_.one_in(count); }

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
        end_server();
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

    /// After the server began anew: everybody gets every file.
    void look_at_files() {
        judge_.look_at_disk();
        judge_.records().require_exact_store();
        // Of two devices of an account each may fetch some, but not both at once.
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            if (i != 1) fetch_all(devices_[i]);
        }
        run_for(std::chrono::seconds{30});
        fetch_all(devices_[1]);
        run_for(std::chrono::seconds{30});
        for (Device& device : devices_) judge_.finish(device.witness);
    }

    void fetch_all(Device& device) {
        const Witness& w = device.witness;
        for (const Records::LiveFile& file : judge_.records().live_files()) {
            const std::string room = FileScript::name_for(w.user, file.room);
            if (room.empty() || (room == file.room && w.places.count(room) == 0)) continue;
            file_script_.fetch(
                device, {.room = room, .key = file.room, .offset = file.offset, .must_come = true});
        }
    }

    static ServerConfig server_config() {
        return {.rooms = {Script::rooms[0], Script::rooms[1]},
                .operators = {"user1"},
                .limits = chaos_limits()};
    }

    void start_server() {
        server_ = std::make_unique<DiskServer>(
            network_.listen("chat", chaos_limits()), DiskLog{disk_}, NameAuthenticator{},
            Entropy::seeded(dice_.draw_seed()), server_config(), ChaosFiles{files_});
        server_down_until_.reset();
    }

    void end_server() {
        server_.reset();
        disk_->crash();
        files_->crash();
    }

    void crash_server() {
        if (!server_) return;
        end_server();
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
            Entropy::seeded(dice_.draw_seed()),
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
            device.join(room, Position::after(place.first, place.second - 1));
        }
        const std::vector<std::size_t> unanswered = [&] {
            std::vector<std::size_t> indices;
            for (const auto& [request, index] : std::exchange(w.asked, {}))
                indices.push_back(index);
            return indices;
        }();
        w.told.clear();
        for (const std::size_t index : unanswered) {
            const bool is_file = w.sent[index].act.kind == Act::Kind::file;
            if (is_file && one_in(3)) continue;  // nobody wants to send it any more
            const auto request = device.send(w.sent[index]);
            if (request) w.asked[*request] = index;
        }
        file_script_.go_on(device);
    }

    void act() {
        if (one_in(40)) return crash_server();
        if (disk_fills_ && one_in(60)) {
            disk_->full = !disk_->full;
            disk_->was_full = true;
        }
        if (disk_fills_ && one_in(60)) {
            files_->full = !files_->full;
            files_->was_full = true;
        }
        if (one_in(60)) wall_step_ = std::chrono::hours{draw(0, 20'000)} - std::chrono::hours{9000};
        if (one_in(50)) network_.config().delay_max = std::chrono::milliseconds{draw(2, 300)};
        Device& device = devices_[draw(0, devices_.size() - 1)];
        if (!device.client) return begin(device);
        const std::string room = Script::rooms[draw(0, 2)];
        if (many_files_ && one_in(3)) return file_script_.act(device, room);
        switch (draw(0, 41)) {
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
                if (!known) device.join(room, Position::last(draw(0, 8)));
                return;
            }
            case 14:
                return script_.publish_again(device);
            case 15:
            case 16:
            case 17:
            case 18:
                return script_.change_a_message(device, room);
            case 19:
            case 20:
                return script_.rule(device, room);
            case 21:
                return script_.create(device);
            case 22:
            case 23:
                return script_.tell(device);
            case 24:
                return script_.mark_read(device, room);
            case 25:
                (void)device.client->request_rooms();
                (void)device.client->request_history(room, draw(0, 60), draw(1, 9), draw(0, 9));
                return;
            case 26:
            case 27:
                return script_.publish_much(device, room);
            case 28:
            case 29:
                return script_.ask_much(device, room, network_.now());
            case 30:
            case 31:
            case 32:
            case 33:
                if (one_in(3)) network_.cut_after(device.connection, draw(0, 6000));
                return file_script_.act(device, room);
            default:
                return script_.publish(device, room);
        }
    }

    void read(Device& device) {
        judge_.look_at_disk();
        while (const std::optional<ClientEvent> event = device.client->poll_event()) {
            judge_.handle(device.witness, *event);
            if (const auto* wanted = std::get_if<FileWanted>(&*event)) {
                file_script_.on_wanted(device, *wanted);
            }
        }
    }

    // Time.

    void heal() {
        disk_->full = files_->full = false;
        if (!server_) start_server();
        for (std::uint64_t i = 1; i <= network_.connections_dialled(); ++i) network_.resume(i);
        for (Device& device : devices_) {
            device.reading = true;
            if (!device.client) begin(device);
        }
        healed_ = true;
    }

    void run_for(Duration duration) {
        const TimePoint end = network_.now() + duration;
        turn();
        while (network_.now() < end) {
            std::optional<TimePoint> next = network_.next_event();
            if (server_) next = earlier(next, server_->next_deadline());
            if (server_ && !disk_->pending.empty())
                next = earlier(next, disk_->pending.front().due);
            if (server_ && !files_->pending.empty())
                next = earlier(next, files_->pending.front().due);
            next = earlier(next, server_down_until_);
            for (const Device& device : devices_) {
                if (device.client) next = earlier(next, device.client->next_deadline());
            }
            network_.advance_to(std::max(network_.now(), std::min(next.value_or(end), end)));
            turn();
        }
    }

    void turn() {
        disk_->now = files_->now = network_.now();
        if (server_down_until_ && *server_down_until_ <= network_.now()) start_server();
        disk_->work = {};
        if (server_) server_->process(now());
        require_fair_turn();
        judge_.look_at_space();
        for (Device& device : devices_) {
            if (!device.client) continue;
            const std::uint64_t dialled = network_.connections_dialled();
            device.client->process(now());
            if (network_.connections_dialled() != dialled) {
                device.connection = network_.connections_dialled();
            }
            if (device.reading) read(device);
            if (healed_) file_script_.give_all(device);
        }
    }

    /// Between two turns of one's own each other account has its share of work, and what the last
    /// piece goes beyond it.
    void require_fair_turn() {
        const Limits limits = chaos_limits();
        const Disk::Work& work = disk_->work;
        const std::size_t beyond = limits.catch_up_records_max * work.longest;
        for (const auto& [author, size] : work.put) {
            require(size < limits.turn_work_max + work.longest, "a turn stored too much for one");
        }
        require(work.read < (devices_.size() - 1) * (limits.turn_work_max + beyond),
                "a turn read too much");
    }

    Dice dice_;
    std::shared_ptr<Disk> disk_;
    std::shared_ptr<FileDisk> files_;
    Judge judge_;
    Script script_;
    FileScript file_script_;
    memory::Network network_;
    bool many_files_;  ///< They fill the space that there is.
    std::unique_ptr<DiskServer> server_;
    std::optional<TimePoint> server_down_until_;
    std::vector<Device> devices_;
    std::chrono::hours wall_step_{};
    std::uint64_t rooms_full_ = 0;
    std::uint64_t servers_full_ = 0;
    bool disk_fills_ = false;
    bool healed_ = false;
};

}  // namespace quicchat::test

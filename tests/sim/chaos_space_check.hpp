#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/chaos_device.hpp"
#include "sim/chaos_file_script.hpp"
#include "sim/chaos_files.hpp"
#include "sim/chaos_judge.hpp"
#include "sim/chaos_limits.hpp"
#include "sim/chaos_script.hpp"

namespace quicchat::test {

/// Looks at the space of files, to the byte, once everything is healed and nothing is under way.
class SpaceCheck {
public:
    SpaceCheck(Dice& dice, FileDisk& files, Judge& judge, FileScript& file_script,
               std::vector<Device>& devices)
        : dice_(&dice),
          files_(&files),
          judge_(&judge),
          file_script_(&file_script),
          devices_(&devices) {}

    /// What was begun and left has gone, and everybody has the space that no file takes: the space
    /// of his account, of a room, and of the server. What is deleted gives it back.
    /// `run_for(Duration)` goes on with the simulation.
    template <class RunFor>
    void look(const RunFor& run_for) {
        judge_->look_at_disk();
        judge_->records().require_exact_store();
        for (int times = 0; times < 3; ++times) {  // so many files take all of it
            const std::uint64_t stored = judge_->files().stored();
            std::uint64_t left = limits_.files_bytes_max - judge_->records().file_bytes();
            // Two devices have the same account.
            for (std::size_t i = 1; i < devices_->size(); ++i) left -= send_what_fits(i, left);
            run_for(std::chrono::seconds{20});
            require(judge_->files().stored() == stored + devices_->size() - 1,
                    "space that is free is not given");
            send_too_much();
            run_for(std::chrono::seconds{20});
            require(judge_->files().stored() == stored + devices_->size() - 1,
                    "space that is not free is given");
            delete_what_is_fetched(run_for);
        }
    }

private:
    /// Some files go while they are fetched: that ends nobody else's.
    template <class RunFor>
    void delete_what_is_fetched(const RunFor& run_for) {
        for (int times = 0; times < 2; ++times) {
            for (Device& device : *devices_) file_script_->fetch_one(device);
        }
        const Duration usual = std::exchange(files_->wait_max, std::chrono::milliseconds{300});
        run_for(std::chrono::milliseconds{dice_->draw(0, 500)});
        for (Device& device : *devices_) file_script_->delete_one(device);
        run_for(std::chrono::seconds{20});
        files_->wait_max = usual;
        run_for(std::chrono::seconds{1});
        for (const Device& device : *devices_) {
            require(device.witness.fetches.empty(), "a file that is fetched has no end");
        }
    }

    /// Whether the operator may send files to the first room.
    bool has_public_room() const {
        const std::string room = Script::rooms[0];
        const auto place = (*devices_)[1].witness.places.find(room);
        return place != (*devices_)[1].witness.places.end() &&
               judge_->records().model(room, place->second.first).access() != RoomAccess::archived;
    }

    /// The operator sends to a room, everybody else to oneself: nobody can forbid that. Returns
    /// how many bytes it takes of those that are left of the server's.
    std::uint64_t send_what_fits(std::size_t index, std::uint64_t left) {
        const std::string& user = (*devices_)[index].witness.user;
        const Records& records = judge_->records();
        left = std::min(left, limits_.file_bytes_max);
        left = std::min(left, limits_.files_per_account_bytes_max - records.file_bytes_of(user));
        const bool is_public = index == 1 && has_public_room();
        const std::string room = is_public ? Script::rooms[0] : PrivateRooms::key_of(user, user);
        left = std::min(left, limits_.files_per_room_bytes_max - records.file_bytes_in(room));
        send_last(index, room, is_public ? "" : user, left);
        return left;
    }

    /// One byte more than the server has, and than a room has.
    void send_too_much() {
        const Records& records = judge_->records();
        const std::uint64_t left = limits_.files_bytes_max - records.file_bytes();
        const std::string& user = (*devices_)[2].witness.user;
        if (left < limits_.file_bytes_max) {
            send_last(2, PrivateRooms::key_of(user, user), user, left + 1);
        }
        if (!has_public_room()) return;
        const std::string room = Script::rooms[0];
        const std::uint64_t of_room =
            limits_.files_per_room_bytes_max - records.file_bytes_in(room);
        if (of_room < limits_.file_bytes_max) send_last(1, room, "", of_room + 1);
    }

    void send_last(std::size_t index, const std::string& key, const std::string& to,
                   std::uint64_t size) {
        file_script_->send((*devices_)[index], {key, "last", dice_->draw_id(), {}, to}, size, true);
    }

    Dice* dice_;
    FileDisk* files_;
    Judge* judge_;
    FileScript* file_script_;
    std::vector<Device>* devices_;
    Limits limits_ = chaos_limits();
};

}  // namespace quicchat::test

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/base/hex.hpp"
#include "sim/chaos_device.hpp"
#include "sim/chaos_judge.hpp"
#include "sim/chaos_script.hpp"

namespace quicchat::test {

/// What people do at random with files.
class FileScript {
public:
    FileScript(Dice& dice, Judge& judge, Script& script, const Limits& limits)
        : dice_(&dice), judge_(&judge), script_(&script), limits_(limits) {}

    void act(Device& device, const std::string& room) {
        switch (dice_->draw(0, 9)) {
            case 0:
                return send_again(device);
            case 1:
            case 2:
                return send(device, room, draw_size());
            case 3:
            case 4:
                return fetch_one(device);
            case 5:
            case 6:
                return delete_one(device);
            case 7:
                return cancel(device);
            default:
                return give_all(device);
        }
    }

    /// A file of that size, to a room or to one person.
    void send(Device& device, const std::string& room, std::uint64_t size) {
        const bool is_private = dice_->one_in(8);
        const std::string to = is_private ? "user" + std::to_string(dice_->draw(1, 4)) : "";
        send(device,
             {is_private ? PrivateRooms::key_of(device.witness.user, to) : room,
              "file" + std::to_string(dice_->draw(0, 999)),
              dice_->draw_id(),
              {},
              to},
             size, !dice_->one_in(10));
    }

    void send(Device& device, Witness::Message message, std::uint64_t size, bool is_honest) {
        Buffer bytes(size);
        std::uint64_t state = dice_->draw_seed() | 1;
        for (std::byte& byte : bytes) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            byte = static_cast<std::byte>(state >> 56);
        }
        const std::string digest = encode_hex(ReferenceCrypto::sha256(bytes));
        message.act = {.kind = Act::Kind::file, .subject = digest, .value = size};
        if (size == 0) is_honest = true;
        if (!is_honest) bytes.front() ^= std::byte{1};
        judge_->files().note_content(digest, {std::move(bytes), is_honest});
        script_->submit(device, std::move(message));
    }

    void fetch(Device& device, Witness::Fetch fetch) {
        const auto request =
            device.client->fetch_file(fetch.room, fetch.offset, fetch.bytes.size());
        if (request) judge_->files().note_fetch(device.witness, *request, std::move(fetch));
    }

    /// What a user calls the room in which a file is; empty: the file is none of his.
    static std::string name_for(const std::string& user, const std::string& key) {
        if (!PrivateRooms::is_key(key)) return key;
        const auto [one, other] = PrivateRooms::people_of(key);
        if (user != one && user != other) return {};
        return "@" + (user == one ? other : one);
    }

    /// Answers what a client wants of a file, at once or some other time.
    void on_wanted(Device& device, const FileWanted& wanted) {
        device.wanted[wanted.request] = wanted;
        if (!dice_->one_in(4)) give(device, wanted.request, dice_->one_in(3));
    }

    void give_all(Device& device) {
        std::vector<RequestId> requests;
        for (const auto& [request, wanted] : device.wanted) requests.push_back(request);
        for (const RequestId request : requests) give(device, request, false);
    }

    /// One of those that are there, mostly.
    void fetch_one(Device& device) {
        const std::string& user = device.witness.user;
        const std::vector<Records::LiveFile> files = judge_->records().live_files();
        if (files.empty() || dice_->one_in(12)) {
            const std::string room = Script::rooms[dice_->draw(0, 2)];
            return fetch(device, {room, room, dice_->draw(1, 30)});
        }
        const Records::LiveFile& file = files[dice_->draw(0, files.size() - 1)];
        const std::string room = name_for(user, file.room);
        if (!room.empty()) fetch(device, {room, file.room, file.offset});
    }

    /// A file of one's own in a room, or another's.
    void delete_one(Device& device) {
        const Witness& w = device.witness;
        std::vector<Records::LiveFile> files = judge_->records().live_files();
        std::erase_if(files, [&](const Records::LiveFile& file) {
            return w.places.count(file.room) == 0 ||
                   (w.user != file.record->author && !dice_->one_in(3));
        });
        if (files.empty()) return;
        const Records::LiveFile& file = files[dice_->draw(0, files.size() - 1)];
        script_->submit(device, {file.room,
                                 "",
                                 dice_->draw_id(),
                                 {.kind = Act::Kind::deletion, .target = file.offset}});
    }

    /// The program has begun anew: what it had of files is on its disk.
    void go_on(Device& device) {
        device.wanted.clear();
        device.witness.cancelled.clear();
        for (auto& [request, kept] : std::exchange(device.witness.fetches, {})) {
            fetch(device, std::move(kept));
        }
    }

private:
    void give(Device& device, RequestId request, bool in_pieces) {
        const auto entry = device.wanted.extract(request);
        const auto asked = device.witness.asked.find(request);
        if (asked == device.witness.asked.end()) return;
        const FileWanted& wanted = entry.mapped();
        const Witness::Message& message = device.witness.sent[asked->second];
        const BytesView all{judge_->files().content(message.act.subject).bytes};
        const auto from = static_cast<std::size_t>(wanted.offset);
        std::size_t count = std::min(all.size() - from, wanted.bytes_max);
        if (in_pieces) count = dice_->draw(1, count);
        // It is not wanted any more if the connection broke meanwhile.
        (void)device.client->give_file(request, wanted.offset, all.subspan(from, count));
    }

    std::uint64_t draw_size() {
        const std::uint64_t largest = limits_.file_bytes_max;
        const std::uint64_t choice = dice_->draw(0, 19);
        if (choice == 0) return 0;
        if (choice == 1) return largest + dice_->draw(0, 1);
        return dice_->draw(1, choice < 12 ? largest / 4 : largest);
    }

    void send_again(Device& device) {
        const Witness& w = device.witness;
        for (int tries = 0; tries < 20 && !w.sent.empty(); ++tries) {
            const Witness::Message& message = w.sent[dice_->draw(0, w.sent.size() - 1)];
            if (message.act.kind != Act::Kind::file) continue;
            return (void)script_->submit(device, Witness::Message{message});
        }
    }

    void cancel(Device& device) {
        Witness& w = device.witness;
        if (!w.fetches.empty() && dice_->one_in(2)) {
            const auto chosen = w.fetches.begin();
            device.client->cancel_file(chosen->first);
            w.fetches.erase(chosen);
            return;
        }
        for (const auto& [request, index] : w.asked) {
            if (w.sent[index].act.kind != Act::Kind::file) continue;
            device.client->cancel_file(request);
            w.cancelled.insert(request);
            w.asked.erase(request);
            return;
        }
    }

    Dice* dice_;
    Judge* judge_;
    Script* script_;
    Limits limits_;
};

}  // namespace quicchat::test

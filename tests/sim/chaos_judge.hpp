#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/base/match.hpp"
#include "quicchat/session/event.hpp"
#include "sim/chaos_disk.hpp"

namespace quicchat::test {

/// A broken promise, in words. Thrown, so that a seed ends at the first one.
struct Broken {
    std::string what;
};

/// What one device has published and seen, over all its connections and all runs of its program.
struct Witness {
    struct Message {
        std::string room;
        std::string text;
        MessageId id;
    };
    std::string user;
    DeviceId device;
    std::vector<Message> sent;               ///< In the order of publishing.
    std::map<RequestId, std::size_t> asked;  ///< Of this run of the program: index into `sent`.
    /// Where in each log of each room: by index into `sent`.
    std::map<std::pair<std::string, Epoch>, std::map<std::size_t, Offset>> acked;
    std::map<std::string, std::pair<Epoch, Offset>> places;  ///< Next offset in each room.
    bool offline = false;
};

/// Knows what every record must be, and compares it with what each device is told. The disk is the
/// truth: the promises are that the devices are told nothing else.
class Judge {
public:
    explicit Judge(const Disk& disk) : disk_(&disk) {}

    /// Call after everything that may have changed the disk, before the devices read.
    void look_at_disk() {
        for (const auto& [name, room] : disk_->rooms) {
            History& history = histories_[{name, room.epoch}];
            for (Offset offset = 1; offset <= history.size() && offset <= room.head(); ++offset) {
                const Record& now = room.records[offset - 1];
                require(now.id == history[offset - 1].id && now.text == history[offset - 1].text,
                        "a record changed on disk");
                offset = std::max(offset, static_cast<Offset>(history.size()) - 1);
            }
            require(room.head() >= history.size(), "a committed record is gone from the disk");
            while (history.size() < room.head()) {
                const Record& record = room.records[history.size()];
                require(
                    said_.count({name, record.author, record.device, record.id, record.text}) != 0,
                    "a record that nobody published");
                const auto key = std::tuple{name, record.author, record.device, record.id};
                const auto stored = newest_.find({room.epoch, key});
                require(stored == newest_.end() || stored->second < room.first,
                        "a message was stored twice");
                history.push_back(record);
                newest_[{room.epoch, key}] = history.size();
            }
            require(room.first <= std::max<Offset>(room.head(), 1),
                    "retention took the newest record");
        }
    }

    void note_published(Witness& w, const std::string& room, const MessageId& id,
                        const std::string& text, RequestId request) {
        said_.insert({room, w.user, w.device, id, text});
        w.asked[request] = w.sent.size();
        w.sent.push_back({room, text, id});
    }

    void handle(Witness& w, const ClientEvent& event) {
        require(!w.offline, "an event after Offline");
        match(
            event, [&](const Acked& e) { on_acked(w, e); },
            [&](const Refused& e) { on_refused(w, e); },
            [&](const RoomJoined& e) { on_joined(w, e); },
            [&](const RoomMessage& e) { on_message(w, e); },
            [&](const RoomGap& e) { on_gap(w, e); },
            [&](const RoomLeft& e) { w.places.erase(e.room); },
            [&](const Offline& e) {
                w.offline = true;
                throw Broken{"a client gave up: " + std::string{error_name(e.reason.errc)}};
            },
            [](const auto&) {});
    }

    /// At the end, when everything is healed: nothing is missing anywhere.
    void finish(const Witness& w) const {
        require(w.asked.empty(), "a message has no answer in the end");
        for (const auto& [name, place] : w.places) {
            const Disk::Room& room = disk_->rooms.at(name);
            require(place.first == room.epoch && place.second == room.head() + 1,
                    "a member did not get all messages in the end");
        }
    }

    std::uint64_t acked() const { return acked_; }
    std::uint64_t seen() const { return seen_; }

private:
    using History = std::vector<Record>;
    using Key = std::tuple<std::string, std::string, DeviceId, MessageId>;

    static void require(bool holds, const char* what) {
        if (!holds) throw Broken{what};
    }

    const Record& record_at(const std::string& room, Epoch epoch, Offset offset) const {
        const auto history = histories_.find({room, epoch});
        require(history != histories_.end(), "an epoch that no log ever had");
        require(offset >= 1 && offset <= history->second.size(),
                "something was told that is not on disk");
        return history->second[offset - 1];
    }

    /// "Acked is durable", and effectively once.
    void on_acked(Witness& w, const Acked& e) {
        const auto asked = w.asked.find(e.request);
        require(asked != w.asked.end(), "an answer to nothing");
        Witness::Message& message = w.sent[asked->second];
        require(message.id == e.id, "an answer to another message");
        const Record& record = record_at(message.room, e.epoch, e.offset);
        require(record.id == message.id && record.author == w.user && record.device == w.device,
                "acknowledged at the place of another message");
        require(record.text == message.text, "acknowledged with another text");
        require(e.durability == Durability::fsync, "acknowledged at another level");
        // A message that a full disk refused, or that outlived its first record, may come again
        // behind later ones.
        if (was_sent_once(w, message) && !disk_->was_full && !was_dropped(w, message, e.offset)) {
            check_own_order(w, asked->second, e);
        }
        ++acked_;
        w.asked.erase(asked);
    }

    /// What one device publishes in a room gets its places in that order.
    static void check_own_order(Witness& w, std::size_t index, const Acked& e) {
        auto& offsets = w.acked[{w.sent[index].room, e.epoch}];
        const auto later = offsets.upper_bound(index);
        require(later == offsets.end() || e.offset < later->second,
                "a later message of a device stands before an earlier one");
        require(later == offsets.begin() || std::prev(later)->second < e.offset,
                "an earlier message of a device stands behind a later one");
        offsets.emplace(index, e.offset);
    }

    void on_refused(Witness& w, const Refused& e) {
        const auto asked = w.asked.find(e.request);
        if (asked == w.asked.end()) return;  // a join, or a question
        const Witness::Message& message = w.sent[asked->second];
        switch (e.errc) {
            case Errc::conflict:
                require(was_used(w, message), "a conflict with nothing");
                break;
            case Errc::storage_full:
                require(!was_sent_once(w, message) || !is_there(w, message),
                        "a message was refused and stored");
                break;
            default:
                require(e.errc == Errc::not_in_room, "refused without a reason");
        }
        w.asked.erase(asked);
    }

    static bool is_same_key(const Witness& w, const Witness::Message& message, const Record& r) {
        return r.id == message.id && r.author == w.user && r.device == w.device;
    }

    /// Whether the log has that message now.
    bool is_there(const Witness& w, const Witness::Message& message) const {
        const Disk::Room& room = disk_->rooms.at(message.room);
        for (Offset offset = room.first; offset <= room.head(); ++offset) {
            if (is_same_key(w, message, room.records[offset - 1])) return true;
        }
        return false;
    }

    /// Whether some log had another message under the same id.
    bool was_used(const Witness& w, const Witness::Message& message) const {
        for (const auto& [place, history] : histories_) {
            if (place.first != message.room) continue;
            for (const Record& r : history) {
                if (is_same_key(w, message, r) && r.text != message.text) return true;
            }
        }
        return false;
    }

    /// Whether the log had that message before, at another place.
    bool was_dropped(const Witness& w, const Witness::Message& message, Offset offset) const {
        for (const auto& [place, history] : histories_) {
            if (place.first != message.room) continue;
            for (Offset other = 1; other <= history.size(); ++other) {
                if (other != offset && is_same_key(w, message, history[other - 1])) return true;
            }
        }
        return false;
    }

    static bool was_sent_once(const Witness& w, const Witness::Message& message) {
        return std::ranges::count(w.sent, message.id, &Witness::Message::id) == 1;
    }

    void on_joined(Witness& w, const RoomJoined& e) {
        const auto place = w.places.find(e.room);
        if (e.recovered) {
            require(place != w.places.end() && place->second == std::pair{e.epoch, e.next},
                    "recovered from another place");
        }
        if (place == w.places.end()) w.places[e.room] = {e.epoch, e.next};
    }

    void on_gap(Witness& w, const RoomGap& e) {
        auto& [epoch, next] = w.places.at(e.room);
        if (e.cause == RoomGap::Cause::new_epoch) {
            require(e.epoch != epoch, "a new epoch that is the old one");
            require(lost_.count({e.room, epoch}) != 0, "an epoch ended although the log was there");
            epoch = e.epoch;
            next = e.last + 1;
        } else {
            require(e.cause == RoomGap::Cause::retention && e.epoch == epoch,
                    "a gap of another kind");
            require(e.first == next && e.last >= e.first, "a gap at another place");
            const Disk::Room& room = disk_->rooms.at(e.room);
            require(room.epoch != epoch || e.first < room.first, "a gap, but nothing is missing");
            next = e.last + 1;
        }
    }

    /// "One total order per room, no silent hole", each once, and only what is committed.
    void on_message(Witness& w, const RoomMessage& e) {
        const auto place = w.places.find(e.room);
        require(place != w.places.end(), "a message of a room that was not joined");
        auto& [epoch, next] = place->second;
        require(e.epoch == epoch, "a message of another epoch");
        require(e.offset == next, "a message was left out, repeated or out of order");
        next = e.offset + 1;
        ++seen_;
        const Record& record = record_at(e.room, e.epoch, e.offset);
        require(record.id == e.id && record.author == e.from && record.text == e.text,
                "a message differs from its record");
    }

public:
    /// The disk was wiped.
    void note_loss() {
        for (const auto& [key, history] : histories_) lost_.insert(key);
    }

private:
    const Disk* disk_;
    std::map<std::pair<std::string, Epoch>, History> histories_;
    std::set<std::pair<std::string, Epoch>> lost_;
    std::set<std::tuple<std::string, std::string, DeviceId, MessageId, std::string>> said_;
    std::map<std::pair<Epoch, Key>, Offset> newest_;  ///< Where a message was stored last.
    std::uint64_t acked_ = 0;
    std::uint64_t seen_ = 0;
};

}  // namespace quicchat::test

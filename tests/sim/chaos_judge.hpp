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
#include "sim/chaos_file_judge.hpp"
#include "sim/chaos_model.hpp"
#include "sim/chaos_records.hpp"
#include "sim/chaos_witness.hpp"

namespace quicchat::test {

/// Knows what every record must be, and compares it with what each device is told. The disk is the
/// truth: the promises are that the devices are told nothing else.
class Judge {
public:
    Judge(const Disk& disk, const FileDisk& files, const Limits& limits, std::string operator_name)
        : disk_(&disk),
          limits_(limits),
          operator_(operator_name),
          records_(disk, files, limits, std::move(operator_name)),
          files_(records_, files, limits) {}
    Judge(const Judge&) = delete;  // its parts refer to each other
    Judge& operator=(const Judge&) = delete;

    /// Call after everything that may have changed the disk, before the devices read.
    void look_at_disk() { records_.look(); }

    /// Call after each turn of the server.
    void look_at_space() { files_.look_at_space(); }

    void note_published(Witness& w, Witness::Message message, RequestId request) {
        records_.note_said(w, message);
        message.was_gone = records_.is_gone_file(w, message);
        message.since = files_.now();
        w.asked[request] = w.sent.size();
        w.sent.push_back(std::move(message));
    }

    void handle(Witness& w, const ClientEvent& event) {
        require(!w.offline, "an event after Offline");
        match(
            event, [&](const Acked& e) { on_acked(w, e); },
            [&](const Refused& e) { on_refused(w, e); },
            [&](const RoomJoined& e) { on_joined(w, e); },
            [&](const RoomMessage& e) { on_message(w, e); },
            [&](const RoomAct& e) { on_act(w, e); },
            [&](const PrivateMessage& e) { on_told(w, e); },
            [&](const FileBegun& e) { files_.on_begun(w, e); },
            [&](const FileChunk& e) { files_.on_chunk(w, e); },
            [&](const FileFetched& e) { files_.on_fetched(w, e); },
            [&](const HistoryPage& e) { w.pages[e.room] = e; },
            [&](const RoomList& e) {
                for (const RoomSummary& room : e.rooms) w.listed[room.room] = room;
            },
            [&](const RoomGap& e) { on_gap(w, e); },
            [&](const RoomLeft& e) {
                w.places.erase(e.room);
                w.views.erase(e.room);
            },
            [&](const Reconnecting& e) {
                if (is_of_the_network(e.reason.errc)) return;
                throw Broken{"a connection was ended: " + std::string{error_name(e.reason.errc)}};
            },
            [&](const Offline& e) {
                w.offline = true;
                throw Broken{"a client gave up: " + std::string{error_name(e.reason.errc)}};
            },
            [](const auto&) {});
    }

    /// At the end, when everything is healed: nothing is missing anywhere.
    void finish(const Witness& w) const {
        require(w.asked.empty(), "a message has no answer in the end");
        require(w.fetches.empty(), "a file that was asked for did not come in the end");
        for (const auto& [name, place] : w.places) {
            const Disk::Room& room = disk_->rooms.at(name);
            require(place.first == room.epoch && place.second == room.head() + 1,
                    "a member did not get all messages in the end");
            finish_view(w, name, room);
        }
    }

    /// After everything was read, marked as read, and the server began anew.
    void finish_list(const Witness& w) const {
        for (const auto& [name, place] : w.places) {
            const auto listed = w.listed.find(name);
            require(listed != w.listed.end(), "a room is not in the list");
            const RoomModel& model = records_.model(name, place.first);
            require(listed->second.topic == model.topic(), "the list has another topic");
            require(listed->second.head == model.head(), "the list has another head");
            require(listed->second.marker == model.head(), "a marker was forgotten");
            require(listed->second.unread == 0, "something is unread that was read");
            finish_page(w, name, place.first);
        }
    }

    /// The disk was wiped.
    void note_loss() { records_.note_loss(); }

    const Records& records() const { return records_; }
    FileJudge& files() { return files_; }
    const FileJudge& files() const { return files_; }

    std::uint64_t acked() const { return acked_; }
    std::uint64_t seen() const { return seen_; }

private:
    /// Networks and servers fail here; nobody is cut for what he or anybody else does.
    static bool is_of_the_network(Errc errc) {
        return errc == Errc::idle_timeout || errc == Errc::unreachable ||
               errc == Errc::handshake_timeout || errc == Errc::login_timeout ||
               errc == Errc::transport_failed;
    }

    /// "Acked is durable", and effectively once.
    void on_acked(Witness& w, const Acked& e) {
        const auto asked = w.asked.find(e.request);
        if (asked == w.asked.end() && w.cancelled.count(e.request) != 0) return;
        require(asked != w.asked.end(), "an answer to nothing");
        Witness::Message& message = w.sent[asked->second];
        require(message.id == e.id, "an answer to another message");
        const Record& record = records_.at(message.room, e.epoch, e.offset);
        require(record.id == message.id && record.author == w.user && record.device == w.device,
                "acknowledged at the place of another message");
        // What has another text by now is recognised by its name alone.
        const bool changed = records_.model(message.room, e.epoch).at(e.offset).changed_by != 0;
        require(changed || (record.text == message.text && record.act == message.act),
                "acknowledged with another text");
        require(e.durability == Durability::fsync, "acknowledged at another level");
        // A message that was refused, or that outlived its first record, may come again behind
        // later ones, if the refusal was lost.
        const bool in_order = message.act == Act{} && message.to.empty() && !disk_->was_full &&
                              !records_.model(message.room, e.epoch).has_refused();
        if (in_order && was_sent_once(w, message) && !records_.was_dropped(w, message, e.offset)) {
            check_own_order(w, asked->second, e);
        }
        files_.on_acked(message, e);
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
        if (asked == w.asked.end()) {  // a join, a file to fetch, or a question
            if (files_.on_refused(w, e)) return;
            if (w.joins.erase(e.request) == 0) return;
            w.places.erase(e.room);
            w.views.erase(e.room);
            return;
        }
        const Witness::Message& message = w.sent[asked->second];
        if (message.act.kind == Act::Kind::file && FileJudge::is_about_files(e.errc)) {
            files_.on_send_refused(w, message, e.errc);
            w.asked.erase(asked);
            return;
        }
        switch (e.errc) {
            case Errc::conflict:
                require(records_.was_used(w, message), "a conflict with nothing");
                break;
            case Errc::storage_full:
                require(!was_sent_once(w, message) || !records_.is_there(w, message),
                        "a message was refused and stored");
                break;
            case Errc::forbidden:
            case Errc::no_such_message:
            case Errc::no_change:
            case Errc::too_many_reactions:
            case Errc::room_exists:
            case Errc::queue_full:
                require(!was_sent_once(w, message) || !records_.is_there(w, message),
                        "what is stored was refused when it came again");
                break;
            default:
                require(e.errc == Errc::not_in_room || e.errc == Errc::no_such_user,
                        "refused without a reason");
        }
        w.asked.erase(asked);
    }

    static bool was_sent_once(const Witness& w, const Witness::Message& message) {
        return std::ranges::count(w.sent, message.id, &Witness::Message::id) == 1;
    }

    void on_joined(Witness& w, const RoomJoined& e) {
        w.joins.erase(e.request);
        const auto place = w.places.find(e.room);
        if (e.recovered) {
            require(place != w.places.end() && place->second == std::pair{e.epoch, e.next},
                    "recovered from another place");
        }
        if (place == w.places.end()) w.places[e.room] = {e.epoch, e.next};
        Witness::View& view = w.views[e.room];
        view.topic = e.topic;
        view.role = e.role;
        require(e.marker <= e.head, "a marker above the head");
    }

    void on_gap(Witness& w, const RoomGap& e) {
        // What changed all that may be what is missing.
        Witness::View& view = w.views[e.room];
        view.messages.clear();
        view.topic.reset();
        view.role.reset();
        auto& [epoch, next] = w.places.at(e.room);
        if (e.cause == RoomGap::Cause::new_epoch) {
            require(e.epoch != epoch, "a new epoch that is the old one");
            require(records_.is_lost(e.room, epoch), "an epoch ended although the log was there");
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
    const Record& on_record(Witness& w, const auto& e) {
        const auto place = w.places.find(e.room);
        require(place != w.places.end(), "a message of a room that was not joined");
        auto& [epoch, next] = place->second;
        require(e.epoch == epoch, "a message of another epoch");
        require(e.offset == next, "a message was left out, repeated or out of order");
        next = e.offset + 1;
        ++seen_;
        const Record& record = records_.at(e.room, e.epoch, e.offset);
        require(record.id == e.id && record.author == e.from, "a message differs from its record");
        return record;
    }

    void on_message(Witness& w, const RoomMessage& e) {
        const Record& record = on_record(w, e);
        const bool is_file = record.act.kind == Act::Kind::file;
        require(is_file || record.act.kind == Act::Kind::message, "a message that is another act");
        const bool has_file =
            e.file && e.file->size == record.act.value && e.file->digest == record.act.subject;
        require(is_file && !e.deleted ? has_file : !e.file, "a file is not what its record says");
        require(e.text == records_.text_after(e.room, e.epoch, record, e.offset, e.changed_by),
                "a message differs from its record");
        w.views[e.room].messages[e.offset] = {e.text, e.changed_by, e.deleted};
    }

    void on_act(Witness& w, const RoomAct& e) {
        const Record& record = on_record(w, e);
        require(record.act == e.act, "an act differs from its record");
        require(e.text == records_.text_after(e.room, e.epoch, record, e.offset, e.changed_by),
                "the text of an act differs from its record");
        Witness::View& view = w.views[e.room];
        if (e.act.kind == Act::Kind::topic) view.topic = e.text;
        if (e.act.kind == Act::Kind::role && e.act.subject == w.user) {
            view.role = static_cast<Role>(e.act.value);
        }
        const auto target = view.messages.find(e.act.target);
        if (target == view.messages.end() || target->second.changed_by > e.offset) return;
        if (e.act.kind == Act::Kind::edit) target->second = {e.text, e.offset, false};
        if (e.act.kind == Act::Kind::deletion) target->second = {"", e.offset, true};
    }

    /// A page of history has every record as it is now.
    void finish_page(const Witness& w, const std::string& name, Epoch epoch) const {
        const RoomModel& model = records_.model(name, epoch);
        const auto page = w.pages.find(name);
        require(page != w.pages.end(), "a page of history did not come");
        const Disk::Room& room = disk_->rooms.at(name);
        Offset expected = room.first;
        for (const RoomRecord& record : page->second.records) {
            std::visit(
                [&](const auto& r) {
                    require(r.offset == expected++, "a page leaves something out");
                    const RoomModel::Content& wanted = model.at(r.offset);
                    require(r.text == wanted.text && r.changed_by == wanted.changed_by,
                            "a page has what an edit or a deletion has changed");
                },
                record);
        }
        require(expected == room.head() + 1, "a page ends too early");
        require(page->second.reaches_start && page->second.reaches_head,
                "a page says it is a part");
    }

    /// What a device shows is what stands in the log.
    void finish_view(const Witness& w, const std::string& name, const Disk::Room& room) const {
        const RoomModel* model = records_.find_model(name, room.epoch);
        const auto view = w.views.find(name);
        if (model == nullptr || view == w.views.end()) return;
        for (const auto& [offset, shown] : view->second.messages) {
            const RoomModel::Content& wanted = model->at(offset);
            require(shown.text == wanted.text && shown.deleted == wanted.deleted,
                    "a device shows what an edit or a deletion has changed");
        }
        const std::optional<std::string>& topic = view->second.topic;
        require(!topic || *topic == model->topic(), "a device shows an old topic");
        const Role* role = model->known_role(w.user);
        const bool is_operator = w.user == operator_;
        const std::optional<Role> shown = view->second.role;
        require(role == nullptr || is_operator || !shown || *shown == *role,
                "a device has an old role");
    }

    void on_told(Witness& w, const PrivateMessage& e) {
        const std::string key = PrivateRooms::key_of(e.from, e.to);
        const Record& record = records_.at(key, e.epoch, e.offset);
        require(record.id == e.id && record.author == e.from && record.text == e.text,
                "somebody was told what nobody wrote");
        const auto newest = w.told.find(key);
        const bool again = newest != w.told.end() && newest->second.first == e.epoch &&
                           newest->second.second >= e.offset;
        require(!again, "somebody was told the same twice");
        w.told[key] = {e.epoch, e.offset};
        w.ever_told.insert({key, e.epoch, e.offset});
        ++seen_;
    }

    const Disk* disk_;
    Limits limits_;
    std::string operator_;
    Records records_;
    FileJudge files_;
    std::uint64_t acked_ = 0;
    std::uint64_t seen_ = 0;
};

}  // namespace quicchat::test

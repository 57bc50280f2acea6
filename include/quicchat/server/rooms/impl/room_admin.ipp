#pragma once

#include "quicchat/server/rooms/room_admin.hpp"

#include <optional>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/search_words.hpp"
#include "quicchat/server/deliver/search.hpp"
#include "quicchat/server/rooms/acts.hpp"

namespace quicchat {

QUICCHAT_DECL std::vector<RoomReport> RoomAdmin::list() const {
    std::vector<RoomReport> reports;
    for (const auto& [key, room] : room_store_->directory().rooms()) {
        if (room.is_private()) continue;
        const LogHead head = room_store_->log().head(key);
        reports.push_back({.name = room.name(),
                           .topic = room.topic(),
                           .creator = room.creator(),
                           .access = room.access(),
                           .epoch = room.epoch(),
                           .first = head.first,
                           .head = room.head(),
                           .accounts = room.people().size(),
                           .members = room.members().size(),
                           .retention = room_store_->retentions().effective(key),
                           .chosen = room_store_->retentions().chosen(key)});
    }
    return reports;
}

QUICCHAT_DECL Result<std::vector<LoggedRecord>> RoomAdmin::read(std::string_view room, Offset after,
                                                                std::size_t count_max) const {
    const Room* found = find_to_read(room);
    if (found == nullptr) return Errc::no_such_room;
    return room_store_->log().read(found->key(), after, count_max);
}

QUICCHAT_RARE_DECL Errc RoomAdmin::may_read(std::string_view user, const std::string& room) const {
    // What two people share, the program reads for neither; `@bob` is whom it tells something.
    if (is_private_name(room) && !is_same_name(user, room_store_->speaker())) {
        return Errc::no_such_room;
    }
    const Room* found = room_store_->find(user, room);
    return found == nullptr ? Errc::no_such_room : membership_->may_enter(*found, user);
}

QUICCHAT_RARE_DECL Result<std::pair<std::vector<RoomSummary>, bool>> RoomAdmin::list_for(
    std::string_view user, std::string_view after) const {
    auto [rooms, complete] = room_store_->directory().page(
        user, room_store_->private_rooms().of(user), room_store_->key_for(user, after),
        limits_->rooms_per_page_max, turn_->now());
    std::vector<RoomSummary> found;
    std::size_t read = 0;
    for (const Room* room : rooms) {
        while (!room_store_->knows_authors(*room, user)) {
            if (read >= limits_->turn_work_max) return std::pair{std::move(found), false};
            const Result<std::size_t> bytes = room_store_->read_authors(*room);
            if (!bytes) return turn_->noted(to_errc(bytes.error()));
            read += *bytes;
        }
        found.push_back(room_store_->summarize(*room, user, turn_->now()));
    }
    return std::pair{std::move(found), complete};
}

QUICCHAT_RARE_DECL Result<std::pair<std::vector<RoomPerson>, bool>> RoomAdmin::people(
    std::string_view room, std::string_view after) const {
    const Room* found = find_to_read(room);
    if (found == nullptr) return Errc::no_such_room;
    auto page = found->people().page(after, limits_->members_per_page_max, turn_->now());
    for (RoomPerson& person : page.first) person.display = names_->find(person.user);
    return page;
}

QUICCHAT_RARE_DECL Result<RoomAdmin::Found> RoomAdmin::search(std::string_view room,
                                                              std::string_view words, Offset before,
                                                              std::size_t count) const {
    const Room* found = find_to_read(room);
    if (found == nullptr) return Errc::no_such_room;
    if (const Errc errc = check_search(words); errc != Errc{}) return errc;
    const RoomLog& log = room_store_->log();
    Search looking{{}, *found, {0, {}, std::string{words}, before, count}, *limits_};
    SearchEffort effort;
    Found answer;
    while (!looking.is_complete() && !effort.is_over()) {
        const Errc errc = looking.look(log, limits_->catch_up_records_max, effort);
        if (errc != Errc{}) return turn_->noted(errc);
        while (true) {
            auto record = looking.next_record(log);
            if (!record) return turn_->noted(to_errc(record.error()));
            if (!*record) break;
            answer.records.push_back(**std::move(record));
        }
    }
    answer.next = looking.next();
    return answer;
}

QUICCHAT_RARE_DECL Result<std::pair<std::string, LogHead>> RoomAdmin::place(
    std::string_view room) const {
    const Room* found = find_to_read(room);
    if (found == nullptr) return Errc::no_such_room;
    return std::pair{found->name_for(room_store_->speaker()),
                     room_store_->log().head(found->key())};
}

QUICCHAT_RARE_DECL Result<StoredFile> RoomAdmin::file(std::string_view user,
                                                      const std::string& room,
                                                      Offset offset) const {
    const Errc errc = user.empty() ? Errc{} : may_read(user, room);
    if (errc != Errc{}) return errc;
    const Room* found = find_to_read(room);
    if (found == nullptr) return Errc::no_such_room;
    Result<StoredFile> file = room_store_->find_file(*found, offset);
    if (!file && to_errc(file.error()) == Errc::storage_failed) turn_->fail(Errc::storage_failed);
    return file;
}

QUICCHAT_RARE_DECL Offset RoomAdmin::marker(std::string_view user, std::string_view room) const {
    const Room* found = find_to_read(room);
    const RoomAccount* person =
        found == nullptr ? nullptr
                         : found->people().find(user.empty() ? room_store_->speaker() : user);
    return person == nullptr ? 0 : person->marker;
}

QUICCHAT_DECL Errc RoomAdmin::remove(std::string_view room) {
    Room* found = find(room);
    if (found == nullptr) return Errc::no_such_room;
    membership_->forget(*found);
    return Errc{};
}

QUICCHAT_DECL Errc RoomAdmin::act(std::string_view room, Record record) {
    Room* found = find(room);
    if (found == nullptr) return Errc::no_such_room;
    const Errc form = check_act(record.act, record.text, record.attributes, *limits_);
    if (form != Errc{}) return form;
    if (Decider::is_closed(*found, record)) return Errc::queue_full;
    if (const Errc errc = decider_->judge(*found, record); errc != Errc{}) return errc;
    return proposer_->propose_for_program({.room = found->key(), .record = std::move(record)});
}

QUICCHAT_RARE_DECL Errc RoomAdmin::keep(std::string_view room, const RetentionChange& change) {
    Room* found = find(room);
    if (found == nullptr) return Errc::no_such_room;
    return room_store_->keep(*found, change, turn_->now());
}

QUICCHAT_DECL Room* RoomAdmin::find(std::string_view name) const {
    Room* room = room_store_->directory().find(name);
    return room == nullptr || room->is_private() ? nullptr : room;
}

QUICCHAT_RARE_DECL const Room* RoomAdmin::find_to_read(std::string_view name) const {
    if (!is_private_name(name)) return find(name);
    const std::string& speaker = room_store_->speaker();
    return speaker.empty() ? nullptr : room_store_->find(speaker, name);
}

}  // namespace quicchat

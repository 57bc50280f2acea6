#pragma once

#include "quicchat/server/rooms/room_store.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/hex.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL RoomStore::RoomStore(Owned<RoomLog> log, const ServerConfig& config)
    : log_(std::move(log)),
      config_(&config),
      directory_(config.rulers()),
      retentions_(config.limits) {}

QUICCHAT_RARE_DECL void RoomStore::note_files(const Room& room, const LoggedRecord& logged) {
    if (!files_.concerns(room.key(), logged.record.act)) return;
    files_.note(room.key(), room.epoch(), logged, log_->head(room.key()).first);
}

QUICCHAT_RARE_DECL Errc RoomStore::open(const std::string& name) {
    if (!is_room_name(name)) return Errc::invalid_name;
    if (directory_.find(name) != nullptr) return Errc{};
    if (is_being_made(canonical_name(name))) return Errc{};
    if (shared_rooms() >= config_->limits.rooms_max) return Errc::too_many_rooms;
    return load(canonical_name(name), name);
}

QUICCHAT_RARE_DECL Errc RoomStore::restore() {
    const Result<std::vector<std::string>> rooms = log_->rooms();
    if (!rooms) return to_errc(rooms.error());
    for (const std::string& key : *rooms) {
        if (directory_.find(key) != nullptr || key.starts_with(reserved)) continue;
        const bool is_private = PrivateRooms::is_key(key);
        if (!is_private && shared_rooms() >= config_->limits.rooms_max) {
            return Errc::too_many_rooms;
        }
        if (const auto room = learn(key); !room) return to_errc(room.error());
    }
    return Errc{};
}

QUICCHAT_RARE_DECL Errc RoomStore::check(const ServerConfig& next) {
    std::set<std::string> added;
    for (const std::string& name : next.rooms) {
        if (!is_room_name(name)) return Errc::invalid_name;
        const std::string key = canonical_name(name);
        if (directory_.find(key) == nullptr && !is_being_made(key)) added.insert(key);
    }
    const std::size_t rooms = shared_rooms() + creating_.size() + added.size();
    return rooms > next.limits.rooms_max ? Errc::too_many_rooms : Errc{};
}

QUICCHAT_DECL std::string RoomStore::key_for(std::string_view user, std::string_view name) {
    return PrivateRooms::key_for(user, name);
}

QUICCHAT_DECL Result<StoredFile> RoomStore::find_file(const Room& room, Offset offset) const {
    std::optional<std::string> key = files_.find(room.key(), offset);
    if (!key) return Errc::no_such_file;
    const auto read = log_->read(room.key(), offset - 1, 1);
    if (!read) return Errc::storage_failed;
    if (read->empty() || read->front().offset != offset) return Errc::no_such_file;
    const Record& record = read->front().record;
    return StoredFile{*std::move(key), room.epoch(), record.text, record.act.value,
                      decode_hex(record.act.subject)};
}

QUICCHAT_DECL Room* RoomStore::find_for(std::string_view user, std::string_view name,
                                        WallTime now) {
    Room* room = directory_.find(key_for(user, name));
    const bool visible = room != nullptr && directory_.may(*room, user, Action::read, now);
    return visible ? room : nullptr;
}

QUICCHAT_DECL Room* RoomStore::find(std::string_view user, std::string_view name) {
    return directory_.find(key_for(user, name));
}

QUICCHAT_RARE_DECL Result<Room*> RoomStore::open_private(const std::string& one,
                                                         const std::string& other) {
    const std::string key = PrivateRooms::key_of(one, other);
    private_rooms_.note_use(key, one);
    if (Room* room = directory_.find(key)) return room;
    if (const Errc errc = load(key, key); errc != Errc{}) return errc;
    Room& room = *directory_.find(key);
    log_->store(key, {{"maker", one}});
    for (const std::string& user : {one, other}) {
        RoomAccount& person = room.people().at(user);
        person.name = user;  // the room itself knows the canonical names only
        room.people().make_member(person);
    }
    note_unsaved(room);
    return &room;
}

QUICCHAT_DECL void RoomStore::note_use(const Room& room) {
    if (room.is_private()) private_rooms_.note_use(room.key());
}

QUICCHAT_RARE_DECL bool RoomStore::admit(Room& room, std::string_view user, WallTime now) {
    const bool is_new = room.people().find(user) == nullptr;
    if (is_new && room.people().size() >= config_->limits.members_max) {
        const auto dropped = room.people().drop_absent_member();
        if (!dropped) return false;
        log_->store(room.key(), {RoomAccounts::role_change(*dropped, Role::none, {}),
                                 {"read/" + *dropped, std::nullopt}});
    }
    RoomAccount& person = room.people().at(user);
    person.name = user;
    // Also after a ban that is over.
    const bool joins = person.role_at(now) == Role::none && room.access() == RoomAccess::everybody;
    if (!joins) return true;
    room.people().make_member(person);
    note_unsaved(room);
    return true;
}

QUICCHAT_RARE_DECL Room* RoomStore::next_surplus(const Room& newest) {
    if (private_rooms_.size() <= config_->limits.private_rooms_max) return nullptr;
    const auto is_unread = [&](const std::string& key) {
        const Room* room = directory_.find(key);
        const auto [one, other] = PrivateRooms::people_of(key);
        const auto has_read = [&](const std::string& user) {
            const RoomAccount* account = room->people().find(user);
            return account != nullptr && account->marker >= room->head();
        };
        return room != nullptr && !(has_read(one) && has_read(other));
    };
    return directory_.find(private_rooms_.next_to_go(newest.key(), is_unread));
}

QUICCHAT_RARE_DECL void RoomStore::forget(const Room& room) {
    const std::string key = room.key();
    if (PrivateRooms::is_key(key)) private_rooms_.drop(key);
    unsaved_.erase(key);
    files_.forget(key);
    retentions_.forget(key);
    directory_.remove(key);
    log_->forget(key);
}

QUICCHAT_RARE_DECL Errc RoomStore::keep(const Room& room, const RetentionChange& change,
                                        WallTime now) {
    if (const Errc errc = retentions_.check(change); errc != Errc{}) return errc;
    const std::string& key = room.key();
    log_->store(key, retentions_.set(key, change));
    const Result<LogHead> head = open_log(key);
    if (!head) return to_errc(head.error());
    log_->trim(key, retentions_.oldest(key, now));
    return Errc{};
}

QUICCHAT_RARE_DECL void RoomStore::note_trim(Room& room) {
    const Offset first = log_->head(room.key()).first;
    room.drop_before(first);
    files_.drop_before(room.key(), first);
}

QUICCHAT_RARE_DECL Errc RoomStore::begin_creation(const std::string& key, std::string_view user) {
    const Limits& limits = config_->limits;
    if (!config_->anybody_makes_rooms && !directory_.is_operator(user)) return Errc::forbidden;
    const bool full = shared_rooms() + creating_.size() >= limits.rooms_max ||
                      made_by(user) >= limits.rooms_per_owner_max;
    if (full) return Errc::too_many_rooms;
    // Each of them may grow to this, whoever writes in it.
    const std::uint64_t room_bytes = std::max<std::uint64_t>(limits.room_log_bytes_max, 1);
    const std::uint64_t fit = limits.room_bytes_per_owner_max / room_bytes;
    if (made_by(user) >= std::max<std::uint64_t>(fit, 1)) return Errc::quota_exceeded;
    if (const auto head = open_log(key); !head) return to_errc(head.error());
    creating_.emplace(key, canonical_name(user));
    return Errc{};
}

QUICCHAT_RARE_DECL void RoomStore::end_creation(const std::string& key, bool is_committed) {
    creating_.erase(key);
    if (!is_committed) log_->forget(key);
}

QUICCHAT_DECL Result<Room*> RoomStore::learn(const std::string& key) {
    if (const Errc errc = load(key, ""); errc != Errc{}) return errc;
    Room* room = directory_.find(key);
    if (room != nullptr && room->is_private()) private_rooms_.note_use(key, room->maker());
    return room;
}

QUICCHAT_DECL void RoomStore::note_unsaved(const Room& room) { unsaved_.insert(room.key()); }

QUICCHAT_RARE_DECL void RoomStore::save() {
    for (auto place = unsaved_.begin(); place != unsaved_.end();) {
        Room* room = directory_.find(*place);
        if (room != nullptr && room->changes_under_way > 0) {
            ++place;
            continue;
        }
        if (room != nullptr) {
            std::vector<StateChange> changes = room->people().take_unsaved();
            if (!changes.empty()) log_->store(*place, std::move(changes));
        }
        place = unsaved_.erase(place);
    }
}

QUICCHAT_RARE_DECL bool RoomStore::knows_authors(const Room& room, std::string_view user) {
    const RoomAccount* person = room.people().find(user);
    return room.knows_authors_after(person == nullptr ? 0 : person->marker);
}

QUICCHAT_RARE_DECL Result<std::size_t> RoomStore::read_authors(const Room& room) const {
    const Offset last = room.newest_without_author();
    const Offset first = std::max<Offset>(log_->head(room.key()).first, 1);
    const Offset after =
        std::max(last - std::min<Offset>(last, config_->limits.catch_up_records_max),
                 std::min(first - 1, last));
    std::size_t bytes = 0;
    std::vector<LoggedRecord> older;
    if (after < last) {
        auto read = log_->read(room.key(), after, static_cast<std::size_t>(last - after));
        if (!read) return Errc::storage_failed;
        older = *std::move(read);
    }
    for (const LoggedRecord& logged : older) bytes += logged.record.text.size();
    room.note_authors(older, after < first || older.empty());
    return bytes;
}

QUICCHAT_RARE_DECL RoomSummary RoomStore::summarize(const Room& room, std::string_view user,
                                                    WallTime now) const {
    const RoomAccount* person = room.people().find(user);
    RoomSummary summary{.room = room.name_for(user),
                        .topic = room.topic(),
                        .access = room.access(),
                        .role = directory_.role(room, user, now),
                        .head = room.head()};
    if (person != nullptr) summary.marker = person->marker;
    // So many records stand for more: who wrote them does not matter then.
    const bool is_much = room.head() - summary.marker >= unread_max;
    summary.unread = is_much ? unread_max : room.count_unread(summary.marker, user);
    summary.mentions = room.count_mentions(summary.marker, user);
    return summary;
}

QUICCHAT_RARE_DECL std::size_t RoomStore::made_by(std::string_view user) const {
    const auto being_made = std::ranges::count_if(
        creating_, [&](const auto& entry) { return is_same_name(entry.second, user); });
    return directory_.made_by(user) + static_cast<std::size_t>(being_made);
}

QUICCHAT_RARE_DECL std::size_t RoomStore::shared_rooms() const {
    return directory_.size() - std::min(directory_.size(), private_rooms_.size());
}

QUICCHAT_RARE_DECL Result<LogHead> RoomStore::open_log(const std::string& key) {
    return log_->open(key, retentions_.log_retention(key));
}

QUICCHAT_RARE_DECL Errc RoomStore::load(const std::string& key, const std::string& name) {
    const Result<LogHead> head = open_log(key);
    if (!head) return to_errc(head.error());
    const Result<RoomState> state = log_->state(key);
    if (!state) return to_errc(state.error());
    const auto stored_name = state->find("name");
    retentions_.restore(key, *state);
    if (retentions_.chosen(key) != RoomRetention{}) {
        if (const auto opened = open_log(key); !opened) return to_errc(opened.error());
    }
    if (name.empty() && head->head == 0 && state->empty()) {
        log_->forget(key);  // somebody began to make it, but that was not committed
        return Errc{};
    }
    const bool is_private = PrivateRooms::is_key(key);
    const std::size_t recent =
        is_private ? private_recent_frames : config_->limits.room_recent_frames_max;
    Room room{name.empty() ? key : name, *head, recent};
    room.restore(*state);
    if (!is_private && !name.empty()) {
        room.rename(name);
        if (stored_name == state->end() || stored_name->second != name) {
            log_->store(key, {{"name", name}});
        }
    }
    directory_.add(std::move(room));
    const auto files = log_->files(key);
    if (!files) return to_errc(files.error());
    for (const LoggedRecord& file : *files) files_.note(key, head->epoch, file, head->first);
    return Errc{};
}

}  // namespace quicchat

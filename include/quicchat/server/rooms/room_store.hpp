#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/owned.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/files/file_index.hpp"
#include "quicchat/server/rooms/directory.hpp"
#include "quicchat/server/rooms/private_rooms.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/server/rooms/room_retentions.hpp"

namespace quicchat {

/// Keeps the rooms of a server together with their logs: opens and makes them, and has stored what
/// is known of them.
class RoomStore {
public:
    /// How the names of logs begin that are no room's.
    static constexpr std::string_view reserved = "!";

    /// `config` outlives it, and may be changed.
    RoomStore(Owned<RoomLog> log, const ServerConfig& config);

    /// Its parts, for the others in a hub.
    /// @{
    RoomLog& log() { return *log_; }
    const RoomLog& log() const { return *log_; }
    Directory& directory() { return directory_; }
    const Directory& directory() const { return directory_; }
    const PrivateRooms& private_rooms() const { return private_rooms_; }
    FileIndex& files() { return files_; }
    const FileIndex& files() const { return files_; }
    /// @}

    /// A record was committed: it may announce a file, or take one away.
    void note_files(const Room& room, const LoggedRecord& logged);

    /// The file that a record of a room announces. `no_such_file`, `storage_failed`.
    Result<StoredFile> find_file(const Room& room, Offset offset) const;

    /// The name by which the server's program speaks; see ServerConfig.
    const std::string& speaker() const { return config_->speaker; }

    /// Opens a room for everybody, or one that the log has from before. One that somebody is making
    /// will be there, and his.
    Errc open(const std::string& name);

    /// Opens what the log has from before. After `open`, which knows how names are spelled.
    Errc restore();

    /// Whether another configuration fits: its rooms can be opened beside those that are there.
    /// `invalid_name`, or `too_many_rooms` where a server with it could not start again.
    Errc check(const ServerConfig& next);

    /// The key of what an account calls by that name.
    static std::string key_for(std::string_view user, std::string_view name);

    /// The room of that name as one account sees it; nullptr also if it may not.
    Room* find_for(std::string_view user, std::string_view name, WallTime now);

    /// The room of that name, whether the account may see it or not.
    Room* find(std::string_view user, std::string_view name);

    /// The room of two people, made by the first one if need be. Both are spelled as their accounts
    /// are.
    Result<Room*> open_private(const std::string& one, const std::string& other);

    /// Of a room of two people: it is not the next one to be forgotten.
    void note_use(const Room& room);

    /// Lets somebody who may read it into a room: in one for everybody he becomes a member. False
    /// if it knows as many people as it may.
    bool admit(Room& room, std::string_view user, WallTime now);

    /// The room of two people that is to be forgotten for a new one, if there are too many: of
    /// those who made the most, so that nobody's haste costs others theirs; what somebody has not
    /// read yet at last.
    Room* next_surplus(const Room& newest);

    /// Deletes a room with all that is stored of it. Its members have been taken out.
    void forget(const Room& room);

    /// How much a room keeps from now on; what it may not keep goes at once, whoever wrote it.
    /// `invalid_request`: more than the limits, or an age out of bounds.
    Errc keep(const Room& room, const RetentionChange& change, WallTime now);

    /// What was chosen for rooms about how much they keep; to look at only.
    const RoomRetentions& retentions() const { return retentions_; }

    /// Has dropped what is too old, and says when it must be called again. `storage_failed`.
    Errc handle_timeout(Now now) { return retentions_.handle_timeout(*log_, now); }
    /// When `handle_timeout` is to be called; nothing: no room has an age.
    std::optional<TimePoint> next_deadline() const { return retentions_.next_deadline(); }

    /// Records of a room were dropped that no other has pushed out.
    void note_trim(Room& room);

    /// True while somebody's new room is not committed.
    bool is_being_made(const std::string& key) const { return creating_.count(key) != 0; }

    /// Begins to make a room: `Errc{}`, or why that may not be. `end_creation` must follow.
    Errc begin_creation(const std::string& key, std::string_view user);

    /// The attempt to make a room is over. If it is committed, `learn` has the room.
    void end_creation(const std::string& key, bool is_committed);

    /// Opens a room that was made meanwhile, as the log has it. nullptr: it has none.
    Result<Room*> learn(const std::string& key);

    /// Something of the room changed without a record: it will be stored.
    void note_unsaved(const Room& room);

    /// Has stored what changed without a record, where it is settled who is who.
    void save();

    /// True if it is known who wrote what an account has not read in a room. Otherwise
    /// `read_authors` first, until it is.
    static bool knows_authors(const Room& room, std::string_view user);

    /// Looks at some more of the newest records of a room, and says how many bytes their texts
    /// have. `storage_failed` if the log cannot be read.
    Result<std::size_t> read_authors(const Room& room) const;

    /// What a list of rooms says about one.
    RoomSummary summarize(const Room& room, std::string_view user, WallTime now) const;

private:
    /// The rooms that an account has made or is making.
    std::size_t made_by(std::string_view user) const;

    /// How many rooms there are; those of two people have a limit of their own.
    std::size_t shared_rooms() const;

    /// With what was chosen for that room.
    Result<LogHead> open_log(const std::string& key);

    /// Opens a log and makes its room. `name` is empty if only the log knows it.
    Errc load(const std::string& key, const std::string& name);

    static constexpr std::size_t private_recent_frames = 16;

    Owned<RoomLog> log_;
    const ServerConfig* config_;
    Directory directory_;
    PrivateRooms private_rooms_;
    FileIndex files_;
    std::map<std::string, std::string> creating_;  ///< Who makes it, by key.
    std::set<std::string> unsaved_;                ///< Keys.
    RoomRetentions retentions_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/room_store.ipp"
#endif

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/publish/proposer.hpp"
#include "quicchat/server/rooms/membership.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/wire/role.hpp"

namespace quicchat {

/// A room, as the server's program sees it.
struct RoomReport {
    /// As it is spelled; the topic may be empty.
    /// @{
    std::string name;
    std::string topic;
    /// @}

    std::string creator;                        ///< Empty: the server's program.
    RoomAccess access = RoomAccess::everybody;  ///< Who may come in, and whether it is archived.
    Epoch epoch{};                              ///< Of its log.
    Offset first = 0;           ///< The oldest record that is kept; `head + 1` if none is.
    Offset head = 0;            ///< The newest one.
    std::size_t accounts = 0;   ///< That it knows: with a role, or a place up to which they read.
    std::size_t members = 0;    ///< Connections that are in it.
    RoomRetention retention{};  ///< How much it keeps.
    RoomRetention chosen{};     ///< What of that was chosen for it.
};

/// What the server's program does with rooms, whoever may see them. Rooms of two people are theirs:
/// they are not listed, and not found, but for what somebody and the speaker tell each other, which
/// the program reads by the name of the other: `@bob`.
class RoomAdmin {
public:
    /// What it is given outlives it.
    RoomAdmin(RoomStore& room_store, Membership& membership, Proposer& proposer, Decider& decider,
              const DisplayNames& names, const Limits& limits, Turn& turn)
        : room_store_(&room_store),
          membership_(&membership),
          proposer_(&proposer),
          decider_(&decider),
          names_(&names),
          limits_(&limits),
          turn_(&turn) {}

    /// All of them, in the order of their keys.
    std::vector<RoomReport> list() const;

    /// At most `count_max` records above an offset. `no_such_room`, `storage_failed`.
    Result<std::vector<LoggedRecord>> read(std::string_view room, Offset after,
                                           std::size_t count_max) const;

    /// `Errc{}` if an account may read the room that is called so, or what it would be told.
    Errc may_read(std::string_view user, const std::string& room) const;

    /// The rooms that an account may read, as a list shows them to it, for the names after `after`,
    /// and whether that was all. It reads no more than `Limits::turn_work_max`, and knows next time
    /// what it has read: a list that is not complete may be short, or empty. `storage_failed`.
    Result<std::pair<std::vector<RoomSummary>, bool>> list_for(std::string_view user,
                                                               std::string_view after) const;

    /// Who belongs to a room or is in it, for the names after `after`, and whether that was all.
    /// `no_such_room`.
    Result<std::pair<std::vector<RoomPerson>, bool>> people(std::string_view room,
                                                            std::string_view after) const;

    /// What a search found.
    struct Found {
        std::vector<LoggedRecord> records{};  ///< Messages and files as they are now, newest first.
        Offset next = 0;  ///< Below which offset the search goes on; 0: it has seen everything.
    };

    /// Looks for the newest `count` messages and files below `before` that have all of the words
    /// (PROTOCOL.md §6.15), as a client's search does, for as long as all of these may look in one
    /// turn (`SearchEffort`). `no_such_room`, `storage_failed`; for what the words are: as a client
    /// would be told.
    Result<Found> search(std::string_view room, std::string_view words, Offset before,
                         std::size_t count) const;

    /// How a room is spelled, and where its log stands. `no_such_room`.
    Result<std::pair<std::string, LogHead>> place(std::string_view room) const;

    /// The file that a record announces, as somebody may fetch it, or, with an empty `user`, the
    /// program. `no_such_room`, `no_such_file`, `storage_failed`.
    Result<StoredFile> file(std::string_view user, const std::string& room, Offset offset) const;

    /// Up to which record somebody, or, with an empty `user`, the speaker has read a room; 0: none.
    Offset marker(std::string_view user, std::string_view room) const;

    /// Deletes a room with its records and its files; who is in it is told `no_such_room`. One that
    /// the configuration lists comes back, empty, when that is read again.
    Errc remove(std::string_view room);

    /// Has an act of an account stored, as if it had asked for it: `Errc{}` once it is on its way,
    /// or why it may not be.
    Errc act(std::string_view room, Record record);

    /// How much of its history a room keeps from now on. It outlives the server. What the room may
    /// not keep is dropped, whoever wrote it and however young it is, also by what comes later.
    /// `no_such_room`; `invalid_request`: more than the limits, or an age out of bounds.
    Errc keep(std::string_view room, const RetentionChange& change);

private:
    /// Of those that are for more than two.
    Room* find(std::string_view name) const;

    /// The same, or what somebody and the speaker tell each other.
    const Room* find_to_read(std::string_view name) const;

    RoomStore* room_store_;
    Membership* membership_;
    Proposer* proposer_;
    Decider* decider_;
    const DisplayNames* names_;
    const Limits* limits_;
    Turn* turn_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/room_admin.ipp"
#endif

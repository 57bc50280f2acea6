#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/people/profiles.hpp"
#include "quicchat/server/publish/decider.hpp"
#include "quicchat/server/publish/proposer.hpp"
#include "quicchat/server/rooms/membership.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"

namespace quicchat {

/// Says things for the server's program: in the name of an account, or in the program's own
/// (`ServerConfig::speaker`). What it says is judged by the roles of that name, stored by the
/// Decider and followed by everybody, as if a device of that name had asked. The rates of accounts
/// do not count, and the program is not asked to check what it says itself.
class Spokesman {
public:
    /// What may be under way at once; above it `queue_full`.
    static constexpr std::size_t under_way_max = 4096;

    /// What it is given outlives it.
    Spokesman(RoomStore& room_store, Membership& membership, Proposer& proposer, Profiles& profiles,
              const Limits& limits, Turn& turn)
        : room_store_(&room_store),
          membership_(&membership),
          proposer_(&proposer),
          profiles_(&profiles),
          limits_(&limits),
          turn_(&turn) {}

    // `Errc{}`: an outcome with that ticket follows, which is not 0. An error: none does.

    /// Has a message or another act stored in the room that the record's author calls so: `#tea`,
    /// or `@bob` for the room of the two. Into a room that he may read he comes as if he had
    /// joined. The same record again, under its id, gets the first outcome again.
    Errc say(std::uint64_t ticket, const std::string& room, Record record);

    /// Makes a room that belongs to `owner`.
    Errc create_room(std::uint64_t ticket, const wire::CreateRoom& m, const std::string& owner);

    /// What an account wants to be called from now on; empty: its user name.
    Errc set_profile(std::uint64_t ticket, const std::string& user, const std::string& display);

    /// The oldest one; nothing: there is none.
    std::optional<ProgramOutcome> poll_outcome();

    /// Takes note that somebody has read a room up to a record, as Membership does; into a room for
    /// everybody he comes as if he had joined. No outcome follows. `no_such_room`: also if he may
    /// not read it.
    Errc mark_read(const std::string& room, const std::string& user, std::optional<Epoch> epoch,
                   Offset offset, bool shared);

    /// From now on, or no longer, it is noted who tells the speaker something.
    void listen(bool on);

    /// Somebody who has told the speaker something since this said so before, and is called `@bob`
    /// by it: a name is there once, however much was told. What it is: see `RoomAdmin::read`.
    std::optional<std::string> poll_told();

    /// A record was committed.
    void note_stored(const LogNews& news);

    /// Proposes what had to wait until it was decided who may do what in its room. True if there
    /// was anything.
    bool go_on();

private:
    struct Waiting {
        std::uint64_t ticket = 0;
        std::string room;  ///< Its key.
        Record record;
    };

    bool has_room() const;
    bool must_wait(const Room& room, const Record& record) const;
    Errc propose(std::uint64_t ticket, const Room& room, Record record);

    RoomStore* room_store_;
    Membership* membership_;
    Proposer* proposer_;
    Profiles* profiles_;
    const Limits* limits_;
    Turn* turn_;
    Queue<Waiting> waiting_;
    Queue<ProgramOutcome> refused_;  ///< After they had waited.
    bool listens_ = false;
    std::set<std::string> told_;  ///< At most one for each room of the speaker.
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/publish/impl/spokesman.ipp"
#endif

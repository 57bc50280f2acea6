#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/publish/proposer.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"

namespace quicchat {

/// Lets accounts say what they want to be called (PROTOCOL.md §6.5), keeps that in a log of its own
/// and tells who should know. Bounded by `Limits::profiles_max`.
class Profiles {
public:
    /// What it is given outlives it.
    Profiles(RoomStore& room_store, Proposer& proposer, FanOut& fan_out, ControlStreams& control,
             DisplayNames& names, const OnlineUsers& online, const AccountFinder& accounts,
             const Limits& limits, Turn& turn);

    /// Takes in what the log has from before.
    Errc restore();

    /// What an account wants to be called from now on; empty: its user name. `Errc{}`: the answer
    /// comes when the log has committed it.
    Errc set(const Caller& caller, const wire::SetProfile& m);

    /// The same for the server's program: a ProgramOutcome with that ticket follows.
    Errc set_for_program(std::uint64_t ticket, const std::string& user, const std::string& display);

    /// Whether news are about a profile.
    static bool is_about(const LogNews& news) { return news.room == log_name; }

    /// A wish of one's own has ended, well or not.
    void note_end() { --under_way_; }

    /// Takes in a name that is committed, and tells who should know; not `by`, who has its answer.
    void handle(const Record& record, std::optional<ConnectionId> by);

private:
    /// No room's name begins like that. The newest record is there for its completion only; what
    /// counts is the state beside it.
    inline static const std::string log_name = std::string{RoomStore::reserved} + "profiles";

    Errc open();

    /// That wish, or why it may not be.
    Result<Proposal> make(const Caller& caller, const std::string& display);

    /// A wish is on its way, unless there was an error.
    Errc note_begin(Errc errc);

    bool is_name_of_another(std::string_view user, const std::string& display) const;

    /// An id that the log does not know: those that it knows were asked before its newest record.
    MessageId draw_id();

    /// To the other devices of the account and to everybody who is in a room with one.
    void tell(const std::string& user, std::optional<ConnectionId> by);

    RoomStore* room_store_;
    Proposer* proposer_;
    FanOut* fan_out_;
    ControlStreams* control_;
    DisplayNames* names_;
    const OnlineUsers* online_;
    const AccountFinder* accounts_;
    const Limits* limits_;
    Turn* turn_;
    bool opened_ = false;
    std::size_t under_way_ = 0;
    std::uint64_t asked_ = 0;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/people/impl/profiles.ipp"
#endif

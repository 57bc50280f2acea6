#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "quicchat/base/account_finder.hpp"
#include "quicchat/base/display_name.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/caller.hpp"
#include "quicchat/server/deliver/control_streams.hpp"
#include "quicchat/server/deliver/fan_out.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/server/people/display_names.hpp"
#include "quicchat/server/people/online_users.hpp"
#include "quicchat/server/publish/pending_appends.hpp"
#include "quicchat/server/rooms/room_store.hpp"
#include "quicchat/server/turn.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

/// Lets accounts say what they want to be called (PROTOCOL.md §6.5), keeps that in a log of its own
/// and tells who should know. Bounded by `Limits::profiles_max`.
class Profiles {
public:
    Profiles(RoomStore& room_store, PendingAppends& pending, FanOut& fan_out,
             ControlStreams& control, DisplayNames& names, const OnlineUsers& online,
             const AccountFinder& accounts, const Limits& limits, Turn& turn)
        : room_store_(&room_store),
          pending_(&pending),
          fan_out_(&fan_out),
          control_(&control),
          names_(&names),
          online_(&online),
          accounts_(&accounts),
          limits_(&limits),
          turn_(&turn) {}

    /// Takes in what the log has from before.
    Errc restore() {
        const auto logs = room_store_->log().rooms();
        if (!logs) return to_errc(logs.error());
        if (std::ranges::find(*logs, log_name) == logs->end()) return Errc{};
        if (const Errc errc = open(); errc != Errc{}) return errc;
        const auto state = room_store_->log().state(log_name);
        if (!state) return to_errc(state.error());
        for (const auto& [key, value] : *state) names_->restore(key, value);
        return Errc{};
    }

    /// What an account wants to be called from now on; empty: its user name. `Errc{}`: the answer
    /// comes when the log has committed it.
    Errc set(const Caller& caller, const wire::SetProfile& m) {
        if (!m.display.empty() && !is_display_name(m.display)) return Errc::invalid_text;
        if (is_name_of_another(caller.user, m.display)) return Errc::forbidden;
        const bool adds = !m.display.empty() && names_->find(caller.user).empty();
        if (adds && names_->size() + under_way_ >= limits_->profiles_max) {
            return Errc::storage_full;
        }
        if (!opened_) {
            if (const Errc errc = turn_->noted(open()); errc != Errc{}) return errc;
        }
        ++under_way_;
        pending_->submit(
            log_name, {.connection = caller.connection, .request = m.request},
            {draw_id(), caller.device, std::string{caller.user}, m.display, "{}", turn_->now()},
            {DisplayNames::change_of(caller.user, m.display)});
        return Errc{};
    }

    /// Whether a completion is about a profile.
    static bool is_about(const AppendCompletion& done) { return done.room == log_name; }

    /// Takes in what became of a wish: what is committed is told.
    void settle(const AppendCompletion& done, const PendingAppend& asked) {
        --under_way_;
        if (done.error != Errc{}) {
            return control_->answer(asked.connection, encode_refusal(asked.request, done.error));
        }
        const std::string& user = asked.record.author;
        const std::string& display = asked.record.text;
        names_->set(user, display);
        control_->answer(asked.connection,
                         Bytes{encode(wire::Profile{asked.request, user, display})});
        tell(user, asked.connection);
    }

private:
    /// No room's name begins like that. The newest record is there for its completion only; what
    /// counts is the state beside it.
    inline static const std::string log_name = std::string{RoomStore::reserved} + "profiles";

    Errc open() {
        const auto head = room_store_->log().open(log_name, {1, limits_->frame_bytes_max});
        opened_ = head.has_value();
        return head ? Errc{} : to_errc(head.error());
    }

    bool is_name_of_another(std::string_view user, const std::string& display) const {
        if (!is_user_name(display) || is_same_name(user, display)) return false;
        return online_->find(display) != nullptr || accounts_->find_account(display).has_value();
    }

    /// An id that the log does not know: those that it knows were asked before its newest record.
    MessageId draw_id() {
        MessageId id;
        const std::uint64_t halves[] = {room_store_->log().head(log_name).head, ++asked_};
        for (std::size_t i = 0; i < id.bytes.size(); ++i) {
            id.bytes[i] = static_cast<std::byte>(halves[i / 8] >> (i % 8 * 8));
        }
        return id;
    }

    /// To the other devices of the account and to everybody who is in a room with one.
    void tell(const std::string& user, ConnectionId by) {
        const OnlineUsers::User* found = online_->find(user);
        if (found == nullptr) return;
        const auto note = [&](ConnectionId connection) {
            if (connection != by) control_->note_profile(connection, user);
        };
        for (const ConnectionId device : found->connections) {
            note(device);
            for (const Member* member : fan_out_->members_of(device)) {
                const auto& members = member->room->members();
                if (members.size() > limits_->presence_members_max) continue;
                for (const Member* other : members) note(other->connection);
            }
        }
    }

    RoomStore* room_store_;
    PendingAppends* pending_;
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

#pragma once

#include "quicchat/server/people/profiles.hpp"

#include <algorithm>

#include "quicchat/base/config.hpp"
#include "quicchat/base/display_name.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/deliver/frames.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Profiles::Profiles(RoomStore& room_store, Proposer& proposer, FanOut& fan_out,
                                      ControlStreams& control, DisplayNames& names,
                                      const OnlineUsers& online, const AccountFinder& accounts,
                                      const Limits& limits, Turn& turn)
    : room_store_(&room_store),
      proposer_(&proposer),
      fan_out_(&fan_out),
      control_(&control),
      names_(&names),
      online_(&online),
      accounts_(&accounts),
      limits_(&limits),
      turn_(&turn) {}

QUICCHAT_RARE_DECL Errc Profiles::restore() {
    const auto logs = room_store_->log().rooms();
    if (!logs) return to_errc(logs.error());
    if (std::ranges::find(*logs, log_name) == logs->end()) return Errc{};
    if (const Errc errc = open(); errc != Errc{}) return errc;
    const auto state = room_store_->log().state(log_name);
    if (!state) return to_errc(state.error());
    for (const auto& [key, value] : *state) names_->restore(key, value);
    return Errc{};
}

QUICCHAT_RARE_DECL Errc Profiles::set(const Caller& caller, const wire::SetProfile& m) {
    Result<Proposal> wish = make(caller, m.display);
    if (!wish) return to_errc(wish.error());
    return note_begin(proposer_->set_profile(caller, m.request, *std::move(wish)));
}

QUICCHAT_RARE_DECL Errc Profiles::set_for_program(std::uint64_t ticket, const std::string& user,
                                                  const std::string& display) {
    Result<Proposal> wish = make({.user = user}, display);
    if (!wish) return to_errc(wish.error());
    return note_begin(proposer_->propose_for_program(*std::move(wish), ticket));
}

QUICCHAT_RARE_DECL void Profiles::handle(const Record& record, std::optional<ConnectionId> by) {
    names_->set(record.author, record.text);
    tell(record.author, by);
}

QUICCHAT_RARE_DECL Errc Profiles::open() {
    const auto head = room_store_->log().open(log_name, {1, limits_->frame_bytes_max});
    opened_ = head.has_value();
    return head ? Errc{} : to_errc(head.error());
}

QUICCHAT_RARE_DECL Result<Proposal> Profiles::make(const Caller& caller,
                                                   const std::string& display) {
    if (!display.empty() && !is_display_name(display)) return Errc::invalid_text;
    if (is_name_of_another(caller.user, display)) return Errc::forbidden;
    const bool adds = !display.empty() && names_->find(caller.user).empty();
    if (adds && names_->size() + under_way_ >= limits_->profiles_max) return Errc::storage_full;
    if (!opened_) {
        if (const Errc errc = turn_->noted(open()); errc != Errc{}) return errc;
    }
    return Proposal{Proposal::Kind::profile,
                    log_name,
                    {draw_id(), caller.device, std::string{caller.user}, display, "{}", {}},
                    {DisplayNames::change_of(caller.user, display)}};
}

QUICCHAT_RARE_DECL Errc Profiles::note_begin(Errc errc) {
    if (errc == Errc{}) ++under_way_;
    return errc;
}

QUICCHAT_RARE_DECL bool Profiles::is_name_of_another(std::string_view user,
                                                     const std::string& display) const {
    if (!is_user_name(display) || is_same_name(user, display)) return false;
    return online_->find(display) != nullptr || accounts_->find_account(display).has_value();
}

QUICCHAT_RARE_DECL MessageId Profiles::draw_id() {
    MessageId id;
    const std::uint64_t halves[] = {room_store_->log().head(log_name).head, ++asked_};
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        id.bytes[i] = static_cast<std::byte>(halves[i / 8] >> (i % 8 * 8));
    }
    return id;
}

QUICCHAT_RARE_DECL void Profiles::tell(const std::string& user, std::optional<ConnectionId> by) {
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

}  // namespace quicchat

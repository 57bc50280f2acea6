#pragma once

#include "quicchat/server/rooms/authorizer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/log/repeat.hpp"
#include "quicchat/server/rooms/acts.hpp"
#include "quicchat/session/act_form.hpp"

namespace quicchat {

QUICCHAT_DECL Errc Authorizer::judge(const Room& room, std::string_view user, const Act& act,
                                     std::string_view text) const {
    // What two people share stays as it is: one who left would lose what is told to him.
    if (room.is_private() && changes_room(act.kind)) return Errc::forbidden;
    const Role role = directory_->role(room, user, now_);
    if (act.kind == Act::Kind::role) return judge_role(room, user, role, act);
    if (!is_allowed(role, room.access(), action_of(act.kind))) return Errc::forbidden;
    if (!has_target(act)) return Errc{};
    const Errc errc = judge_target(room, user, role, act);
    return errc == Errc{} && is_reaction(act) ? judge_reaction(room, user, act, text) : errc;
}

QUICCHAT_DECL Errc Authorizer::judge_target(const Room& room, std::string_view user, Role role,
                                            const Act& act) const {
    const auto read = log_->read(room.key(), act.target - 1, 1);
    if (!read) return Errc::storage_failed;
    if (read->empty() || read->front().offset != act.target) return Errc::no_such_message;
    const Act::Kind kind = read->front().record.act.kind;
    const bool fits = act.kind == Act::Kind::edit ? kind == Act::Kind::message : is_said(kind);
    if (!fits) return Errc::no_such_message;
    const bool changes = act.kind == Act::Kind::edit || act.kind == Act::Kind::deletion;
    const std::string& author = read->front().record.author;
    if (!changes || canonical_name(author) == canonical_name(user)) return Errc{};
    const bool tidies = act.kind == Act::Kind::deletion &&
                        is_allowed(role, room.access(), Action::tidy) &&
                        directory_->role(room, author, now_) < role;
    return tidies ? Errc{} : Errc::forbidden;
}

QUICCHAT_DECL Errc Authorizer::judge_reaction(const Room& room, std::string_view user,
                                              const Act& act, std::string_view text) const {
    const auto known =
        log_->reactions(room.key(), act.target, std::string{user}, std::string{text});
    if (!known) return Errc::storage_failed;
    const bool adds = act.kind == Act::Kind::reaction;
    if (known->there == adds) return Errc::no_change;
    const auto under_way = std::ranges::count(room.reactions_under_way, act.target,
                                              &std::pair<std::string, Offset>::second);
    const std::size_t records = known->records + static_cast<std::size_t>(under_way);
    const bool is_full = records >= limits_->reactions_per_message_max ||
                         known->by_author >= limits_->reactions_by_account_max;
    // What is there can always be taken back.
    return adds && is_full ? Errc::too_many_reactions : Errc{};
}

QUICCHAT_DECL Errc Authorizer::judge_role(const Room& room, std::string_view user, Role role,
                                          const Act& act) const {
    const Role before = directory_->role(room, act.subject, now_);
    const auto after = static_cast<Role>(act.value);
    const bool leaves = canonical_name(user) == canonical_name(act.subject) &&
                        after == Role::none && before >= Role::member;
    if (!leaves && !may_appoint(role, room.access(), before, after)) return Errc::forbidden;
    // A room keeps an owner.
    const bool resigns = before == Role::owner && after != Role::owner;
    if (resigns && room.people().count(Role::owner) < 2 && !directory_->is_operator(user)) {
        return Errc::forbidden;
    }
    const bool is_new = room.people().find(act.subject) == nullptr && after != Role::none;
    return is_new && room.people().size() >= limits_->members_max ? Errc::room_full : Errc{};
}

}  // namespace quicchat

#pragma once

#include <string>
#include <vector>

#include "quicchat/base/file_name.hpp"
#include "quicchat/base/json.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/server/rooms/access.hpp"
#include "quicchat/server/rooms/room_accounts.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/wire/message.hpp"

// What clients may publish, and what it means for the room (PROTOCOL.md §6.9).

namespace quicchat {

/// The right that an act needs. Of a deletion: that of one's own message.
constexpr Action action_of(Act::Kind kind) {
    switch (kind) {
        case Act::Kind::topic:
            return Action::entitle;
        case Act::Kind::role:
            return Action::discipline;
        case Act::Kind::access:
            return Action::rule;
        default:
            return Action::write;
    }
}

/// True for acts that change who may do what, or what a room is called.
constexpr bool changes_room(Act::Kind kind) {
    return kind == Act::Kind::topic || kind == Act::Kind::role || kind == Act::Kind::access;
}

/// Whether an act may be stored, for its form alone: `Errc{}`, or why its publisher is refused.
inline Errc check_act(const Act& act, std::string_view text, std::string_view attributes,
                      const Limits& limits) {
    const Errc errc =
        check_form(act, text, attributes, limits.message_bytes_max, limits.attributes_bytes_max);
    if (errc != Errc{}) return errc;
    return is_json_object(attributes, limits.json_depth_max) ? Errc{} : Errc::invalid_request;
}

/// What is stored of a room beside an act's record.
inline std::vector<StateChange> changes_of(const Act& act, const std::string& text) {
    switch (act.kind) {
        case Act::Kind::topic:
            return {{"topic", text}};
        case Act::Kind::role:
            return {
                RoomAccounts::role_change(act.subject, static_cast<Role>(act.value), act.until)};
        case Act::Kind::access:
            return {{"access", std::to_string(act.value)}};
        default:
            return {};
    }
}

/// Whether a file may be announced by those texts.
inline Errc check_file_texts(Offset reply_to, std::string_view name, std::string_view attributes,
                             const Limits& limits) {
    if (!is_file_name(name)) return Errc::invalid_name;
    return check_act({.target = reply_to}, name, attributes, limits);
}

/// Whether a file may come, for its form and size alone.
inline Errc check_offer(const wire::FileOffer& m, const Limits& limits) {
    if (m.digest.size() != digest_bytes_max) return Errc::invalid_request;
    if (m.size > limits.file_bytes_max) return Errc::file_too_large;
    return check_file_texts(m.reply_to, m.name, m.attributes, limits);
}

/// Whether a room may be made, for its form alone.
inline Errc check_creation(const wire::CreateRoom& m) {
    if (!is_room_name(m.room)) return Errc::invalid_name;
    if (m.topic.size() > topic_bytes_max) return Errc::message_too_long;
    if (!is_clean_text(m.topic)) return Errc::invalid_text;
    return m.access == RoomAccess::archived ? Errc::invalid_request : Errc{};
}

/// The first record of a room.
inline Record make_creation(const wire::CreateRoom& m, std::string_view user, DeviceId device,
                            WallTime now) {
    return {m.id,
            device,
            std::string{user},
            m.topic,
            "{}",
            now,
            Act{.kind = Act::Kind::creation,
                .subject = m.room,
                .value = static_cast<std::uint64_t>(m.access)}};
}

/// What is stored along with it.
inline std::vector<StateChange> changes_of(const wire::CreateRoom& m, const std::string& owner) {
    return {{"name", m.room},
            {"creator", owner},
            {"topic", m.topic},
            {"access", std::to_string(static_cast<int>(m.access))},
            RoomAccounts::role_change(owner, Role::owner, {})};
}

}  // namespace quicchat

#pragma once

#include "quicchat/server/rooms/acts.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/file_name.hpp"
#include "quicchat/base/json.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/server/rooms/room_accounts.hpp"
#include "quicchat/session/act_form.hpp"

namespace quicchat {

QUICCHAT_DECL Errc check_act(const Act& act, std::string_view text, std::string_view attributes,
                             const Limits& limits) {
    const Errc errc =
        check_form(act, text, attributes, limits.message_bytes_max, limits.attributes_bytes_max);
    if (errc != Errc{}) return errc;
    return is_json_object(attributes, limits.json_depth_max) ? Errc{} : Errc::invalid_request;
}

QUICCHAT_RARE_DECL std::vector<StateChange> changes_of(const Act& act, const std::string& text) {
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

QUICCHAT_RARE_DECL Errc check_file_texts(Offset reply_to, std::string_view name,
                                         std::string_view attributes, const Limits& limits) {
    if (!is_file_name(name)) return Errc::invalid_name;
    return check_act({.target = reply_to}, name, attributes, limits);
}

QUICCHAT_RARE_DECL Errc check_offer(const wire::FileOffer& m, const Limits& limits) {
    if (m.digest.size() != digest_bytes_max) return Errc::invalid_request;
    if (m.size > limits.file_bytes_max) return Errc::file_too_large;
    return check_file_texts(m.reply_to, m.name, m.attributes, limits);
}

QUICCHAT_RARE_DECL Errc check_creation(const wire::CreateRoom& m) {
    if (!is_room_name(m.room)) return Errc::invalid_name;
    if (m.topic.size() > topic_bytes_max) return Errc::message_too_long;
    if (!is_clean_text(m.topic)) return Errc::invalid_text;
    return m.access == RoomAccess::archived ? Errc::invalid_request : Errc{};
}

QUICCHAT_RARE_DECL Record make_creation(const wire::CreateRoom& m, std::string_view user,
                                        DeviceId device) {
    return {m.id,
            device,
            std::string{user},
            m.topic,
            "{}",
            {},
            Act{.kind = Act::Kind::creation,
                .subject = m.room,
                .value = static_cast<std::uint64_t>(m.access)}};
}

QUICCHAT_RARE_DECL std::vector<StateChange> changes_of(const wire::CreateRoom& m,
                                                       const std::string& owner) {
    return {{"name", m.room},
            {"creator", owner},
            {"topic", m.topic},
            {"access", std::to_string(static_cast<int>(m.access))},
            RoomAccounts::role_change(owner, Role::owner, {})};
}

}  // namespace quicchat

#pragma once

#include "quicchat/session/peer_checks.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/display_name.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/act_form.hpp"

namespace quicchat {

QUICCHAT_DECL bool is_any_room_name(std::string_view name) {
    return is_room_name(name) || is_private_name(name);
}

QUICCHAT_DECL bool is_bad(std::string_view from, std::string_view text,
                          std::string_view attributes) {
    return !is_user_name(from) || !is_clean_text(text) || !is_clean_text(attributes);
}

QUICCHAT_DECL bool is_bad(const Act& act) {
    if (act.kind == Act::Kind::file) return !is_hex_digest(act.subject);
    const std::string_view name = act.subject;
    return (!name.empty() && !is_user_name(name) && !is_room_name(name)) || !has_known_value(act);
}

QUICCHAT_DECL bool is_bad_display(std::string_view display) {
    return !display.empty() && !is_display_name(display);
}

QUICCHAT_DECL bool is_bad(const wire::Profile& m) {
    return !is_user_name(m.user) || is_bad_display(m.display);
}

QUICCHAT_DECL bool is_bad(const wire::Presence& m) {
    return !is_user_name(m.user) || is_bad_display(m.display);
}

QUICCHAT_DECL bool is_bad(const RoomPerson& person) {
    return !is_user_name(person.user) || is_bad_display(person.display);
}

QUICCHAT_DECL bool is_bad(const wire::Event& m) {
    return is_bad(m.from, m.text, m.attributes) || is_bad(m.act);
}

QUICCHAT_DECL bool is_bad(const wire::Told& m) {
    return is_bad(m.from, m.text, m.attributes) || is_bad(m.act) || !is_user_name(m.to) ||
           !is_said(m.act.kind);
}

}  // namespace quicchat

#pragma once

#include "quicchat/session/act_form.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat::detail {

QUICCHAT_DECL bool has_shape(const Act& act) {
    const bool about_someone = act.kind == Act::Kind::role;
    const bool about_message = act.target != 0;
    if (act.kind >= Act::Kind::creation) return false;  // nor a tombstone, nor a file
    if (about_message != has_target(act)) return false;
    if (!about_someone && (!act.subject.empty() || act.until != WallTime{})) return false;
    return has_known_value(act);
}

QUICCHAT_DECL std::size_t text_bytes_max(Act::Kind kind, std::size_t message_bytes_max) {
    if (kind == Act::Kind::message || kind == Act::Kind::edit) return message_bytes_max;
    if (kind == Act::Kind::reaction || kind == Act::Kind::unreaction) return reaction_bytes_max;
    return topic_bytes_max;
}

QUICCHAT_DECL bool needs_text(Act::Kind kind) {
    return kind == Act::Kind::message || kind == Act::Kind::edit || kind == Act::Kind::reaction ||
           kind == Act::Kind::unreaction;
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_DECL Errc check_form(const Act& act, std::string_view text, std::string_view attributes,
                              std::size_t message_bytes_max, std::size_t attributes_bytes_max) {
    if (!detail::has_shape(act)) return Errc::invalid_request;
    if (act.kind == Act::Kind::role && !is_user_name(act.subject)) return Errc::invalid_name;
    if (text.size() > detail::text_bytes_max(act.kind, message_bytes_max)) {
        return Errc::message_too_long;
    }
    if (attributes.size() > attributes_bytes_max) return Errc::message_too_long;
    if (text.empty() && detail::needs_text(act.kind)) return Errc::invalid_text;
    return is_clean_text(text) && is_clean_text(attributes) ? Errc{} : Errc::invalid_text;
}

}  // namespace quicchat

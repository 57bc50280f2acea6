#pragma once

#include "quicchat/session/client_status.hpp"

#include "quicchat/session/act_form.hpp"

namespace quicchat {

QUICCHAT_DECL Errc ClientStatus::check(const Act& act, std::string_view text,
                                       std::string_view attributes) const {
    if (over) return Errc::not_ready;
    return check_form(act, text, attributes, limits.message_bytes_max, limits.attributes_bytes_max);
}

}  // namespace quicchat

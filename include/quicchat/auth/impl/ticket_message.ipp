#pragma once

#include "quicchat/auth/ticket_message.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL Buffer encode_ticket_message(const TicketMessage& message) {
    Buffer data;
    append(data, message.binding.bytes());
    append(data, message.proof);
    append(data, as_bytes(message.signed_part));
    return data;
}

QUICCHAT_RARE_DECL Result<TicketMessage> parse_ticket_message(BytesView data) {
    std::optional<PageBinding> binding = PageBinding::take(data);
    if (!binding || data.size() <= sizeof(Digest)) return Errc::ticket_refused;
    TicketMessage message{*std::move(binding), {}, as_text(data.subspan(sizeof(Digest)))};
    std::ranges::copy(data.first(sizeof(Digest)), message.proof.begin());
    return message;
}

}  // namespace quicchat

#pragma once

#include <cstddef>
#include <string_view>

#include "quicchat/auth/crypto.hpp"
#include "quicchat/auth/page_binding.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"

// The login by ticket (PROTOCOL.md §5.10): one message, no challenge, no answer but LoginDone. A
// ticket is a JSON Web Token with HMAC-SHA-256 (RFC 7519, RFC 7515 with "HS256" of RFC 7518 §3.2).
// Its signature is never sent: it is the key of a proof, which is good for one server only.

namespace quicchat {

/// The mechanism of a login by ticket.
inline constexpr std::string_view ticket_mechanism = "QUICCHAT-TICKET";

/// What a page sends. `signed_part` is the ticket without its signature: head "." body.
struct TicketMessage {
    PageBinding binding;           ///< The server that the page was told to talk to.
    Digest proof{};                ///< See `ticket_proof`.
    std::string_view signed_part;  ///< Points into the message that was parsed, or into the ticket.
};

/// PROTOCOL.md §5.10: ClientProof := HMAC(signature, "quicchat ticket login" || Binding).
template <ScramCrypto Crypto>
Digest ticket_proof(BytesView signature, const PageBinding& binding) {
    Buffer message;
    append(message, as_bytes("quicchat ticket login"));
    append(message, binding.bytes());
    return Crypto::hmac_sha256(signature, message);
}

/// The page's message: the binding, the proof, the signed part.
QUICCHAT_DECL Buffer encode_ticket_message(const TicketMessage& message);

/// Reads the page's message, which the result points into. Every failure is `ticket_refused`.
QUICCHAT_DECL Result<TicketMessage> parse_ticket_message(BytesView data);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/ticket_message.ipp"
#endif

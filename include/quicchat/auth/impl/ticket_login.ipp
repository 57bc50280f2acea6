#pragma once

#include "quicchat/auth/ticket_login.hpp"

namespace quicchat {

template <ScramCrypto Crypto>
Result<std::monostate> TicketLogin<Crypto>::set_ticket(std::string_view ticket) {
    const std::size_t dot = ticket.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return Errc::ticket_refused;
    Result<Buffer> signature = decode_base64url(ticket.substr(dot + 1));
    if (!signature || signature->size() != sizeof(Digest)) return Errc::ticket_refused;
    if (binding_.bytes().size() + sizeof(Digest) + dot > sasl_bytes_max) {
        return Errc::ticket_refused;
    }
    signature_ = Secret{*signature};
    secure_wipe(*signature);
    signed_part_.clear();
    append(signed_part_, as_bytes(ticket.substr(0, dot)));
    return std::monostate{};
}

template <ScramCrypto Crypto>
Result<LoginStart> TicketLogin<Crypto>::start(const ChannelBinding&, DeviceId, BytesView) {
    started_ = false;
    const Secret signature = std::exchange(signature_, {});
    const Buffer signed_part = std::exchange(signed_part_, {});
    if (signature.empty()) return Errc::ticket_refused;
    started_ = true;
    const TicketMessage message{binding_, ticket_proof<Crypto>(signature.view(), binding_),
                                as_text(signed_part)};
    return LoginStart{std::string{ticket_mechanism}, encode_ticket_message(message), true};
}

template <ScramCrypto Crypto>
Result<std::optional<Buffer>> TicketLogin<Crypto>::respond(BytesView) {
    started_ = false;
    return Errc::server_not_verified;
}

template <ScramCrypto Crypto>
Result<std::monostate> TicketLogin<Crypto>::finish(BytesView success) {
    if (!std::exchange(started_, false) || !success.empty()) return Errc::server_not_verified;
    recovered_ = false;
    return std::monostate{};
}

template <ScramCrypto Crypto>
bool TicketLogin<Crypto>::recover(Errc why) {
    return why == Errc::ticket_refused && !std::exchange(recovered_, true);
}

}  // namespace quicchat

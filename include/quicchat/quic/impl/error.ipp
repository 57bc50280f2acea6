#pragma once

#include "quicchat/quic/error.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat::quic::detail {

template <std::size_t count>
std::string name_of(const CodeName (&table)[count], std::uint64_t code) {
    for (const CodeName& entry : table) {
        if (entry.code == code) return std::string{entry.name};
    }
    return std::to_string(code);
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_DECL bool is_crypto_error(std::uint64_t code) {
    return code >= crypto_error && code <= crypto_error + 0xff;
}

QUICCHAT_DECL std::string transport_code_text(std::uint64_t code) {
    if (!is_crypto_error(code)) return detail::name_of(detail::transport_code_names, code);
    return "TLS alert " + detail::name_of(detail::alert_names, code - crypto_error);
}

QUICCHAT_DECL Errc errc_from_transport_code(std::uint64_t code) {
    if (code == NGTCP2_NO_ERROR) return Errc::closed;
    if (code == NGTCP2_CONNECTION_REFUSED) return Errc::server_full;
    if (code == NGTCP2_VERSION_NEGOTIATION_ERROR) return Errc::version_mismatch;
    // RFC 9001 §8.1: without a common application protocol the connection closes with this alert.
    if (code == crypto_error + alert_no_application_protocol) return Errc::version_mismatch;
    return Errc::transport_failed;
}

QUICCHAT_RARE_DECL std::uint64_t http3_code(Errc errc) {
    const std::uint64_t ours = wire_code(errc);
    if (ours >= 1 && ours <= 15) return http3_protocol_error;
    return errc == Errc::internal_error ? http3_internal_error : http3_no_error;
}

QUICCHAT_DECL CloseReason reason_from_peer(const ngtcp2_ccerr& error, bool has_http3) {
    CloseReason reason{.by_peer = true};
    const std::size_t size =
        error.reasonlen < reason_bytes_max ? error.reasonlen : reason_bytes_max;
    if (size > 0) reason.text.assign(reinterpret_cast<const char*>(error.reason), size);
    if (error.type == NGTCP2_CCERR_TYPE_APPLICATION && has_http3) {
        const bool is_peaceful = error.error_code == 0 || error.error_code == http3_no_error ||
                                 error.error_code == http3_request_cancelled;
        reason.errc = is_peaceful ? Errc::closed : Errc::transport_failed;
        reason.transport_code = error.error_code;
        return reason;
    }
    if (error.type == NGTCP2_CCERR_TYPE_APPLICATION) {
        reason.errc = from_wire_code(error.error_code);
        return reason;
    }
    reason.errc = errc_from_transport_code(error.error_code);
    reason.transport_code = error.error_code;
    if (reason.text.empty()) reason.text = transport_code_text(error.error_code);
    return reason;
}

QUICCHAT_DECL CloseReason reason_from_failure(int ngtcp2_error, std::uint8_t alert) {
    CloseReason reason{.errc = Errc::transport_failed, .text = ngtcp2_strerror(ngtcp2_error)};
    switch (ngtcp2_error) {
        case NGTCP2_ERR_IDLE_CLOSE:
            reason.errc = Errc::idle_timeout;
            break;
        case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
            reason.errc = Errc::handshake_timeout;
            break;
        case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
        case NGTCP2_ERR_VERSION_NEGOTIATION_FAILURE:
            reason.errc = Errc::version_mismatch;
            break;
        case NGTCP2_ERR_CRYPTO:
            reason.transport_code = crypto_error + alert;
            reason.errc = errc_from_transport_code(reason.transport_code);
            reason.text = transport_code_text(reason.transport_code);
            break;
        default:
            reason.transport_code = ngtcp2_err_infer_quic_transport_error_code(ngtcp2_error);
            break;
    }
    return reason;
}

QUICCHAT_DECL std::string_view bounded_reason(std::string_view text) {
    if (text.size() <= reason_bytes_max) return text;
    std::size_t size = reason_bytes_max;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    return text.substr(0, size);
}

}  // namespace quicchat::quic

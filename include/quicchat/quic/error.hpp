#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::quic {

/// The longest reason that we put into a CONNECTION_CLOSE frame, or believe from one.
inline constexpr std::size_t reason_bytes_max = 256;

/// RFC 9001 §4.8: "The alert level of all TLS alerts is 'fatal'", and the alert's number is added
/// to 0x100 to give a QUIC error code.
inline constexpr std::uint64_t crypto_error = 0x100;

/// The numbers of TLS alerts, RFC 8446 §6 and RFC 7301 §3.2.
/// @{
inline constexpr std::uint8_t alert_bad_certificate = 42;
inline constexpr std::uint8_t alert_internal_error = 80;
inline constexpr std::uint8_t alert_no_application_protocol = 120;
/// @}

/// The codes of HTTP/3 that we send or take for peaceful, RFC 9114 §8.1.
/// @{
inline constexpr std::uint64_t http3_no_error = 0x100;
inline constexpr std::uint64_t http3_protocol_error = 0x101;
inline constexpr std::uint64_t http3_internal_error = 0x102;
inline constexpr std::uint64_t http3_request_cancelled = 0x10c;
/// @}

namespace detail {

struct CodeName {
    std::uint64_t code;
    std::string_view name;
};

// RFC 9000 §20.1 and RFC 9368 §5.
inline constexpr CodeName transport_code_names[] = {
    {0x00, "NO_ERROR"},
    {0x01, "INTERNAL_ERROR"},
    {0x02, "CONNECTION_REFUSED"},
    {0x03, "FLOW_CONTROL_ERROR"},
    {0x04, "STREAM_LIMIT_ERROR"},
    {0x05, "STREAM_STATE_ERROR"},
    {0x06, "FINAL_SIZE_ERROR"},
    {0x07, "FRAME_ENCODING_ERROR"},
    {0x08, "TRANSPORT_PARAMETER_ERROR"},
    {0x09, "CONNECTION_ID_LIMIT_ERROR"},
    {0x0a, "PROTOCOL_VIOLATION"},
    {0x0b, "INVALID_TOKEN"},
    {0x0c, "APPLICATION_ERROR"},
    {0x0d, "CRYPTO_BUFFER_EXCEEDED"},
    {0x0e, "KEY_UPDATE_ERROR"},
    {0x0f, "AEAD_LIMIT_REACHED"},
    {0x10, "NO_VIABLE_PATH"},
    {0x11, "VERSION_NEGOTIATION_ERROR"},
};

// RFC 8446 §6, with the numbers that a handshake of ours can meet.
inline constexpr CodeName alert_names[] = {
    {10, "unexpected_message"},
    {40, "handshake_failure"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {109, "missing_extension"},
    {112, "unrecognized_name"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
};

}  // namespace detail

/// True for a code that is a TLS alert.
QUICCHAT_DECL bool is_crypto_error(std::uint64_t code);

/// A QUIC transport error code in words: "PROTOCOL_VIOLATION", "TLS alert no_application_protocol".
QUICCHAT_DECL std::string transport_code_text(std::uint64_t code);

/// What a QUIC transport error code means to an application.
QUICCHAT_DECL Errc errc_from_transport_code(std::uint64_t code);

/// The application error code of a connection with HTTP/3 (RFC 9114 §8.1) that says as much.
QUICCHAT_DECL std::uint64_t http3_code(Errc errc);

/// The reason in a CONNECTION_CLOSE frame that the peer sent; application codes are HTTP/3's or
/// ours.
QUICCHAT_DECL CloseReason reason_from_peer(const ngtcp2_ccerr& error, bool has_http3 = false);

/// The reason when a call into ngtcp2 failed. `alert` is the TLS alert, where there was one.
QUICCHAT_DECL CloseReason reason_from_failure(int ngtcp2_error, std::uint8_t alert);

/// `text` cut to what a CONNECTION_CLOSE frame may carry, never in the middle of a character.
QUICCHAT_DECL std::string_view bounded_reason(std::string_view text);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/error.ipp"
#endif

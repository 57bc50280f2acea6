#pragma once

#include <cstdint>
#include <string_view>

// All numbers and words of HTTP/3 and WebTransport that we send or understand. Browsers speak
// drafts 02 and 07 of draft-ietf-webtrans-http3 in 2026; what later drafts call otherwise stands
// beside it, so that a browser that moves on finds this file and nothing else to be changed.

namespace quicchat::webtransport::codes {

/// RFC 9114 §6.2 and §11.2.4: what a unidirectional stream begins with.
/// @{
inline constexpr std::uint64_t control_stream = 0x00;
inline constexpr std::uint64_t push_stream = 0x01;
inline constexpr std::uint64_t qpack_encoder_stream = 0x02;  ///< RFC 9204 §4.2
inline constexpr std::uint64_t qpack_decoder_stream = 0x03;
inline constexpr std::uint64_t page_uni_stream = 0x54;  ///< WebTransport, all drafts
/// @}

/// What a stream of a WebTransport session begins with, in the place of a frame's type.
inline constexpr std::uint64_t page_stream = 0x41;

/// The types of frames, RFC 9114 §7.2.
/// @{
inline constexpr std::uint64_t frame_data = 0x00;
inline constexpr std::uint64_t frame_headers = 0x01;
inline constexpr std::uint64_t frame_settings = 0x04;
inline constexpr std::uint64_t frame_push_promise = 0x05;
inline constexpr std::uint64_t frame_goaway = 0x07;
/// @}

/// RFC 9114 §7.2.8 forbids the types of HTTP/2 that have no meaning any more, and those of the
/// control stream have none on another.
/// @{
constexpr bool may_be_on_request_stream(std::uint64_t type) {
    return type == frame_data || type == frame_headers || (type > 0x09 && type != 0x0d);
}
constexpr bool may_be_on_control_stream(std::uint64_t type) {
    const bool is_of_http2 = type == 0x02 || type == 0x06 || type == 0x08 || type == 0x09;
    return type != frame_data && type != frame_headers && type != frame_push_promise &&
           !is_of_http2;
}
/// @}

/// Settings: each with the document that asks for it.
/// @{
inline constexpr std::uint64_t setting_connect_protocol = 0x08;  ///< RFC 9220 §3
inline constexpr std::uint64_t setting_datagram = 0x33;          ///< RFC 9297 §2.1.1
inline constexpr std::uint64_t setting_draft_02 = 0x2b603742;    ///< ENABLE_WEBTRANSPORT
inline constexpr std::uint64_t setting_draft_07 = 0xc671706a;    ///< WEBTRANSPORT_MAX_SESSIONS
inline constexpr std::uint64_t setting_draft_13 = 0x14e9cd29;    ///< WT_MAX_SESSIONS
inline constexpr std::uint64_t setting_wt_enabled = 0x2c7cf000;  ///< WT_ENABLED, the latest draft
/// @}

/// RFC 9114 §7.2.4.1: these "MUST be treated as a connection error".
constexpr bool is_setting_of_http2(std::uint64_t setting) {
    return setting == 0x00 || (setting >= 0x02 && setting <= 0x05);
}

/// Capsules (RFC 9297 §3.2).
/// @{
inline constexpr std::uint64_t capsule_close_session = 0x2843;
inline constexpr std::uint64_t capsule_drain_session = 0x78ae;  ///< drafts from 05 on
/// @}

/// Codes of streams.
/// @{
inline constexpr std::uint64_t no_error = 0x100;            ///< RFC 9114 §8.1
inline constexpr std::uint64_t request_cancelled = 0x10c;   ///< the same
inline constexpr std::uint64_t request_incomplete = 0x10d;  ///< the same
inline constexpr std::uint64_t session_gone = 0x170d7b68;   ///< drafts from 02 on
/// @}

/// The `:protocol` of a CONNECT request, in the drafts until 14 and in those after.
constexpr bool is_webtransport(std::string_view protocol) {
    return protocol == "webtransport" || protocol == "webtransport-h3";
}

/// draft-ietf-webtrans-http3, "Resetting Data Streams": an application's codes of 32 bits are
/// spread over a range of HTTP/3's, without the numbers that RFC 9114 §8.1 reserves, every 31st.
/// @{
inline constexpr std::uint64_t reset_first = 0x52e4'a40f'a8db;
inline constexpr std::uint64_t reset_last = 0x52e5'ac98'3162;

constexpr std::uint64_t to_http(std::uint32_t code) { return reset_first + code + code / 0x1e; }
constexpr bool is_of_application(std::uint64_t http) {
    return http >= reset_first && http <= reset_last && (http - 0x21) % 0x1f != 0;
}
/// @}

/// Of a code for which `is_of_application`.
constexpr std::uint32_t from_http(std::uint64_t http) {
    const std::uint64_t shifted = http - reset_first;
    return static_cast<std::uint32_t>(shifted - shifted / 0x1f);
}
static_assert(to_http(0) == reset_first && to_http(0xffff'ffff) == reset_last);
static_assert(from_http(to_http(29)) == 29 && from_http(to_http(30)) == 30);
static_assert(from_http(reset_last) == 0xffff'ffff && !is_of_application(to_http(29) + 1));

}  // namespace quicchat::webtransport::codes

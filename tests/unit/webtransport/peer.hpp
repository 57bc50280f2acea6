#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/webtransport/codes.hpp"
#include "quicchat/webtransport/session.hpp"
#include "quicchat/wire/varint.hpp"
#include "support/literals.hpp"

namespace quicchat::test {

namespace codes = webtransport::codes;

inline Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer all;
    for (const Buffer& part : parts) append(all, part);
    return all;
}

inline Buffer varint(std::uint64_t value) {
    Buffer bytes;
    append_varint(bytes, value);
    return bytes;
}

/// A frame, or a capsule.
inline Buffer framed(std::uint64_t type, const Buffer& payload) {
    return joined({varint(type), varint(payload.size()), payload});
}

inline Buffer text(std::string_view value) {
    const BytesView bytes = as_bytes(value);
    return {bytes.begin(), bytes.end()};
}

/// What a browser's control stream begins with.
inline Buffer control_head() {
    return joined({varint(codes::control_stream), framed(codes::frame_settings, hex("33 01"))});
}

inline constexpr std::string_view page_origin = "https://chat.example";

inline webtransport::Config page_config() { return {.origins = {std::string{page_origin}}}; }

inline webtransport::Fields page_request() {
    return {{":method", "CONNECT"}, {":protocol", "webtransport"},
            {":scheme", "https"},   {":authority", "chat.example"},
            {":path", "/quicchat"}, {"origin", std::string{page_origin}}};
}

inline Buffer request_frame(const webtransport::Fields& fields = page_request()) {
    return framed(codes::frame_headers, webtransport::encode_request(fields));
}

/// What a stream of the session on stream 0 begins with.
inline Buffer page_head(std::uint64_t session = 0) {
    return joined({varint(codes::page_stream), varint(session)});
}

inline Buffer close_capsule(std::uint32_t code, std::string_view reason) {
    Buffer body;
    for (int shift = 24; shift >= 0; shift -= 8) {
        body.push_back(static_cast<std::byte>(code >> shift & 0xff));
    }
    append(body, as_bytes(reason));
    return framed(codes::capsule_close_session, body);
}

}  // namespace quicchat::test

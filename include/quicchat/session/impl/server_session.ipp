#pragma once

#include "quicchat/session/server_session.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/json.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/decode.hpp"
#include "quicchat/wire/version.hpp"

namespace quicchat {

QUICCHAT_DECL bool begins_stream(const ServerRequest& request) {
    return std::holds_alternative<wire::Join>(request) ||
           std::holds_alternative<wire::HistoryRequest>(request) ||
           std::holds_alternative<wire::SearchRequest>(request) ||
           std::holds_alternative<wire::FileOffer>(request) ||
           std::holds_alternative<wire::FileRequest>(request);
}

QUICCHAT_DECL std::optional<RequestId> number_of(const ServerRequest& request) {
    return std::visit(
        [](const auto& m) -> std::optional<RequestId> {
            if constexpr (requires { m.request; }) return m.request;
            return std::nullopt;
        },
        request);
}

QUICCHAT_DECL ServerSession::ServerSession(const Limits& limits, std::string_view agent)
    : limits_(&limits), agent_(agent) {}

QUICCHAT_DECL Result<ServerRequest> ServerSession::handle_frame(StreamId stream,
                                                                const FrameView& frame) {
    if (state() == State::draining || state() == State::closed) return ServerRequest{};

    const Channel channel = stream == control_stream ? Channel::control : Channel::room;
    const auto type = static_cast<FrameType>(frame.type);
    const bool permitted = is_permitted(Side::client, channel, type, state());
    wire::Hello hello;
    ServerRequest request;
    const Errc errc = type == FrameType::hello ? detail::decode_into(hello, frame.payload)
                                               : detail::decode_one_of(frame, request);
    if (errc == Errc::unknown_frame) {
        if (detail::is_known_type(frame.type)) return Errc::unexpected_frame;  // one of a server
        if (may_be_skipped(frame.type)) return ServerRequest{};
    }
    if (errc != Errc{}) return errc;
    if (!permitted) return Errc::unexpected_frame;
    if (type == FrameType::hello) return on_hello(hello);
    return checked(std::move(request));
}

QUICCHAT_DECL Buffer ServerSession::login_accepted(std::string_view user, Buffer proof) {
    lifecycle_.advance(Input::authenticated);
    user_ = user;
    return encode(wire::LoginDone{user_, std::move(proof)});
}

QUICCHAT_DECL std::optional<Buffer> ServerSession::poll_outgoing() {
    return std::exchange(outgoing_, std::nullopt);
}

QUICCHAT_DECL Result<ServerRequest> ServerSession::checked(ServerRequest request) {
    if (number_of(request) == RequestId{0}) return Errc::malformed_frame;  // 0: no request
    if (const auto* begin = std::get_if<wire::LoginBegin>(&request)) {
        // RFC 9266 §4.1: one authentication for a connection.
        if (std::exchange(login_begun_, true)) return Errc::unexpected_frame;
        device_ = begin->device;
    } else if (std::holds_alternative<wire::LoginResponse>(request) && !login_begun_) {
        return Errc::unexpected_frame;
    }
    return request;
}

QUICCHAT_DECL Result<ServerRequest> ServerSession::on_hello(const wire::Hello& m) {
    const std::uint64_t minor = std::min(m.minor_max, protocol_minor_max);
    if (minor < m.minor_min || minor < protocol_minor_min) {
        close_text_ = "the server speaks quicchat/1." + std::to_string(protocol_minor_min) +
                      " to 1." + std::to_string(protocol_minor_max) + ", the client 1." +
                      std::to_string(m.minor_min) + " to 1." + std::to_string(m.minor_max);
        return Errc::version_mismatch;
    }
    if (!is_clean_text(m.agent) || !is_json_object(m.agent, limits_->json_depth_max)) {
        return Errc::malformed_frame;
    }
    lifecycle_.advance(Input::negotiated);
    const ServerLimits told{limits_->message_bytes_max, limits_->attributes_bytes_max,
                            limits_->rooms_per_connection_max};
    outgoing_ = encode(wire::Welcome{minor, {}, told, std::string{agent_}});
    return ServerRequest{};
}

}  // namespace quicchat

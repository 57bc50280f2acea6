#pragma once

#include "quicchat/session/server_session.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/json.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/version.hpp"

namespace quicchat {

QUICCHAT_DECL bool begins_stream(const ServerRequest& request) {
    return std::holds_alternative<wire::Join>(request) ||
           std::holds_alternative<wire::HistoryRequest>(request) ||
           std::holds_alternative<wire::SearchRequest>(request) ||
           std::holds_alternative<wire::FileOffer>(request) ||
           std::holds_alternative<wire::FileRequest>(request);
}

QUICCHAT_DECL ServerSession::ServerSession(const Limits& limits, std::string_view agent)
    : limits_(&limits), agent_(agent) {}

QUICCHAT_DECL Result<ServerRequest> ServerSession::handle_frame(StreamId stream,
                                                                const FrameView& frame) {
    if (state() == State::draining || state() == State::closed) return ServerRequest{};

    Result<Message> message = decode(frame);
    if (!message) {
        const Errc errc = to_errc(message.error());
        if (errc == Errc::unknown_frame && may_be_skipped(frame.type)) return ServerRequest{};
        return errc;
    }
    const Channel channel = stream == control_stream ? Channel::control : Channel::room;
    const auto type = static_cast<FrameType>(frame.type);
    if (!is_permitted(Side::client, channel, type, state())) return Errc::unexpected_frame;
    return handle_message(*std::move(message));
}

QUICCHAT_DECL Buffer ServerSession::login_accepted(std::string_view user, Buffer proof) {
    lifecycle_.advance(Input::authenticated);
    user_ = user;
    return encode(wire::LoginDone{user_, std::move(proof)});
}

QUICCHAT_DECL std::optional<Buffer> ServerSession::poll_outgoing() {
    return std::exchange(outgoing_, std::nullopt);
}

QUICCHAT_DECL Result<ServerRequest> ServerSession::handle_message(Message message) {
    return std::visit(
        [&](auto&& m) -> Result<ServerRequest> {
            using M = std::remove_cvref_t<decltype(m)>;
            if constexpr (requires { m.request; }) {
                if (m.request == 0) return Errc::malformed_frame;  // 0: no request
            }
            if constexpr (std::is_same_v<M, wire::Hello>) {
                return on_hello(m);
            } else if constexpr (std::is_same_v<M, wire::LoginBegin>) {
                // RFC 9266 §4.1: one authentication for a connection.
                if (std::exchange(login_begun_, true)) return Errc::unexpected_frame;
                device_ = m.device;
                return ServerRequest{std::move(m)};
            } else if constexpr (std::is_same_v<M, wire::LoginResponse>) {
                if (!login_begun_) return Errc::unexpected_frame;
                return ServerRequest{std::move(m)};
            } else if constexpr (std::is_constructible_v<ServerRequest, M>) {
                return ServerRequest{std::move(m)};
            } else {
                return Errc::unexpected_frame;  // the permissions let none of these through
            }
        },
        std::move(message));
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

#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "quicchat/base/json.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/codec.hpp"
#include "quicchat/wire/version.hpp"

namespace quicchat {

/// What a frame asks of the server around the session. `std::monostate`: nothing, the session saw
/// to it.
using ServerRequest =
    std::variant<std::monostate, wire::LoginBegin, wire::LoginResponse, wire::Join, wire::Publish,
                 wire::MembersRequest, wire::Tell, wire::CreateRoom, wire::RoomsRequest,
                 wire::MarkRead, wire::HistoryRequest, wire::SearchRequest, wire::SetProfile,
                 wire::FileOffer, wire::FileData, wire::FileRequest>;

/// True for a request that has a stream of its own, and is the first on it.
inline bool begins_stream(const ServerRequest& request) {
    return std::holds_alternative<wire::Join>(request) ||
           std::holds_alternative<wire::HistoryRequest>(request) ||
           std::holds_alternative<wire::SearchRequest>(request) ||
           std::holds_alternative<wire::FileOffer>(request) ||
           std::holds_alternative<wire::FileRequest>(request);
}

/// A server's side of one conversation, without I/O: which frames may come now, and what they ask.
///
/// An error of `handle_frame` is the end: close the connection with it and `close_text()`. Frames
/// of room streams that come before the login is complete are kept by the caller until then.
class ServerSession {
public:
    ServerSession(const Limits& limits, std::string_view agent) : limits_(&limits), agent_(agent) {}

    /// Applies one frame of the client.
    Result<ServerRequest> handle_frame(StreamId stream, const FrameView& frame) {
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

    /// The login policy accepted: the frame that says so, with the server's proof.
    Buffer login_accepted(std::string_view user, Buffer proof) {
        lifecycle_.advance(Input::authenticated);
        user_ = user;
        return encode(wire::LoginDone{user_, std::move(proof)});
    }

    /// The connection is being closed; nothing more is read.
    void handle_close(Input why) { lifecycle_.advance(why); }

    void handle_disconnected() { lifecycle_.advance(Input::disconnected); }

    /// The next frame for the control stream.
    std::optional<Buffer> poll_outgoing() { return std::exchange(outgoing_, std::nullopt); }

    State state() const { return lifecycle_.state(); }
    const std::string& user() const { return user_; }
    DeviceId device() const { return device_; }

    /// More than the error says by itself, for the peer's user.
    const std::string& close_text() const { return close_text_; }

private:
    Result<ServerRequest> handle_message(Message message) {
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

    /// PROTOCOL.md §1.3: the highest minor version that both know.
    Result<ServerRequest> on_hello(const wire::Hello& m) {
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

    const Limits* limits_;
    std::string_view agent_;  ///< Of the server, which outlives its sessions.
    Lifecycle lifecycle_{State::negotiating};
    DeviceId device_{};
    bool login_begun_ = false;
    std::string user_;
    std::string close_text_;
    std::optional<Buffer> outgoing_;
};

}  // namespace quicchat

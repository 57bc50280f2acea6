#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/session/state.hpp"
#include "quicchat/wire/frame.hpp"

namespace quicchat {

/// What a frame asks of the server around the session. `std::monostate`: nothing, the session saw
/// to it.
using ServerRequest =
    std::variant<std::monostate, wire::LoginBegin, wire::LoginResponse, wire::Join, wire::Publish,
                 wire::MembersRequest, wire::Tell, wire::CreateRoom, wire::RoomsRequest,
                 wire::MarkRead, wire::HistoryRequest, wire::SearchRequest, wire::SetProfile,
                 wire::FileOffer, wire::FileData, wire::FileRequest>;

/// True for a request that has a stream of its own, and is the first on it.
QUICCHAT_DECL bool begins_stream(const ServerRequest& request);

/// The number of a request; nothing for what has none.
QUICCHAT_DECL std::optional<RequestId> number_of(const ServerRequest& request);

/// A server's side of one conversation, without I/O: which frames may come now, and what they ask.
///
/// An error of `handle_frame` is the end: close the connection with it and `close_text()`. Frames
/// of room streams that come before the login is complete are kept by the caller until then.
class ServerSession {
public:
    /// Both outlive it. `agent`: which program the server is, as JSON.
    ServerSession(const Limits& limits, std::string_view agent);

    /// Applies one frame of the client.
    Result<ServerRequest> handle_frame(StreamId stream, const FrameView& frame);

    /// The login policy accepted: the frame that says so, with the server's proof.
    Buffer login_accepted(std::string_view user, Buffer proof);

    /// The connection is being closed; nothing more is read.
    void handle_close(Input why) { lifecycle_.advance(why); }

    /// The connection is gone.
    void handle_disconnected() { lifecycle_.advance(Input::disconnected); }

    /// The next frame for the control stream.
    std::optional<Buffer> poll_outgoing();

    /// PROTOCOL.md §7. It begins in `negotiating`.
    State state() const { return lifecycle_.state(); }
    /// Whose login was accepted, in the account's spelling. Empty before that.
    const std::string& user() const { return user_; }
    /// What the client's login named; all zeros: none, or not yet.
    DeviceId device() const { return device_; }

    /// More than the error says by itself, for the peer's user.
    const std::string& close_text() const { return close_text_; }

private:
    /// What was decoded, if it may come now.
    Result<ServerRequest> checked(ServerRequest request);

    /// PROTOCOL.md §1.3: the highest minor version that both know.
    Result<ServerRequest> on_hello(const wire::Hello& m);

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

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/server_session.ipp"
#endif

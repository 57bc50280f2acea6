#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/session/outbox.hpp"

namespace quicchat {

/// Bytes that a session wants written, in order.
struct Outgoing {
    StreamId stream;   ///< Must be open.
    Bytes bytes;       ///< Empty only if the stream ends.
    bool fin = false;  ///< Nothing more follows on that stream from us.
};

/// What a client's session has to say: frames for the server, and events for the application. All
/// parts of the session say it here, so that there is one order.
class ClientOutput {
public:
    /// Encodes the message behind what waits to be written.
    template <class M>
    void send(StreamId stream, const M& message);

    /// We say nothing more on that stream.
    void send_end(StreamId stream);

    /// What was not written yet is of no use any more.
    void drop_unsent() { outgoing_.clear(); }

    /// Behind all others that were not polled.
    void report(ClientEvent event) { events_.push_back(std::move(event)); }

    /// What the server says of a request in that room. `malformed_frame` if it cannot be shown.
    Errc report_refused(std::string_view room, wire::Error m);

    /// Requests that will have no answer.
    void report_unanswered(const Outbox::Taken& requests, Errc errc, std::string_view text);

    /// The oldest one; nothing: there is none.
    /// @{
    std::optional<Outgoing> poll_outgoing();
    std::optional<ClientEvent> poll_event();
    /// @}

    /// Events that were not polled.
    std::size_t unread_events() const { return events_.size(); }

private:
    std::deque<Outgoing> outgoing_;
    std::deque<ClientEvent> events_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_output.ipp"
#endif

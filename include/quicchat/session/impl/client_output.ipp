#pragma once

#include "quicchat/session/client_output.hpp"

#include <string>
#include <utility>

#include "quicchat/base/queue.hpp"
#include "quicchat/base/text.hpp"
#include "quicchat/wire/codec.hpp"

namespace quicchat {

template <class M>
void ClientOutput::send(StreamId stream, const M& message) {
    outgoing_.push_back({stream, Bytes{encode(message)}, false});
}

QUICCHAT_DECL void ClientOutput::send_end(StreamId stream) {
    outgoing_.push_back({stream, {}, true});
}

QUICCHAT_DECL Errc ClientOutput::report_refused(std::string_view room, wire::Error m) {
    if (!is_clean_text(m.text)) return Errc::malformed_frame;
    report(Refused{m.request, std::string{room}, from_wire_code(m.code),
                   from_milliseconds(m.retry_after_ms), std::move(m.text)});
    return Errc{};
}

QUICCHAT_DECL void ClientOutput::report_unanswered(const Outbox::Taken& requests, Errc errc,
                                                   std::string_view text) {
    for (const auto& [number, request] : requests) {
        if (request.kind == Outbox::Kind::rejoin) continue;  // the application did not ask
        report(Refused{number, request.room, errc, {}, std::string{text}});
    }
}

QUICCHAT_DECL std::optional<Outgoing> ClientOutput::poll_outgoing() { return pop_front(outgoing_); }

QUICCHAT_DECL std::optional<ClientEvent> ClientOutput::poll_event() { return pop_front(events_); }

}  // namespace quicchat

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/session/client_output.hpp"
#include "quicchat/session/client_rooms.hpp"
#include "quicchat/session/client_status.hpp"
#include "quicchat/session/typing.hpp"

namespace quicchat {

/// The hints of who is typing, ours and those of others. They travel in datagrams and may be lost.
class ClientTyping {
public:
    /// What it is given outlives it.
    ClientTyping(const Limits& limits, const ClientStatus& status, ClientRooms& rooms,
                 ClientOutput& output);

    /// The hint that we are typing in a room, for a datagram; nothing if it was said just now, or
    /// if it cannot be said.
    std::optional<Buffer> say(std::string_view name, TimePoint now);

    /// Takes in a hint. What is not one is ignored: it may be of a later version.
    void handle_datagram(BytesView bytes, TimePoint now);

    /// Somebody has said what he typed.
    void handle_done(const std::string& room, const std::string& user);

    /// Hints hold for a while only.
    void handle_timeout(TimePoint now);

    /// Nobody is known to type any more.
    void handle_disconnected();

    /// When `handle_timeout` has something to do; nothing: nobody types.
    std::optional<TimePoint> next_deadline() const { return people_.next_deadline(); }

private:
    void report();

    const ClientStatus* status_;
    ClientRooms* rooms_;
    ClientOutput* output_;
    TypingPeople people_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/session/impl/client_typing.ipp"
#endif

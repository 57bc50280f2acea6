#pragma once

#include <atomic>
#include <cstddef>
#include <variant>

#include "mailbox.hpp"
#include "quicchat/session/event.hpp"

namespace quicchat::python {

/// The server has ended; nothing follows.
struct ServerStopped {};

using ServerMail = std::variant<ServerEvent, ServerStopped>;

/// What Python and the engine thread share about one server. Thread-safe.
struct ServerPort {
    ServerPort(std::size_t events_max, std::size_t bytes_max) : inbox(events_max, bytes_max) {}

    Mailbox<ServerMail> inbox;
    std::atomic<bool> stop_asked{false};
    std::atomic<std::size_t> connections{0};
};

}  // namespace quicchat::python

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "quicchat/base/limits.hpp"
#include "quicchat/base/time.hpp"

namespace quicchat {

/// What becomes of a message that the server's program does not judge in time.
enum class Unchecked : std::uint8_t {
    refuse,  ///< `not_checked`.
    accept,  ///< Stored as it is.
};

/// What a server offers.
struct ServerConfig {
    std::vector<std::string> rooms = {"#lobby"};  ///< That are there from the start, for everybody.
    std::vector<std::string> operators{};         ///< Accounts that are owners of every room.
    bool anybody_makes_rooms = true;              ///< Otherwise only operators do.
    /// The name by which the server's program speaks for itself, as an operator; see Spokesman.
    /// Nobody can log in by it. Empty: it has none.
    std::string speaker{};
    std::string agent = "{}";      ///< JSON object about the program, told to clients.
    Limits limits{};               ///< What it allows its clients.
    bool checks_messages = false;  ///< The program judges messages; see `Server::poll_question`.
    Duration check_timeout = std::chrono::seconds{5};  ///< For one judgement.
    Unchecked unchecked = Unchecked::refuse;           ///< A message that was not judged in time.

    /// Takes the rooms, operators, `anybody_makes_rooms` and limits of another one, in place.
    ///
    ///  - At once: who may make rooms, who is an operator, new rooms of the list, and limits, but
    ///    for those below. Whoever uses more than a lower limit allows keeps it and gets no more:
    ///    people stay in a room that is too full now.
    ///  - For new connections: `login_timeout`, `connections_max`, and what a client is told when
    ///    it logs in: the sizes of messages and attributes, and how many rooms it may be in. The
    ///    frames of the connection itself are the transport's: give it the limits as well
    ///    (`quic::Endpoint::set_limits`).
    ///  - For rooms that are opened from now on: how much a log keeps, `room_recent_frames_max`.
    ///  - Not at all: `agent`, `speaker`, and `stream_backlog_bytes_max`, by which the transport
    ///    says Writable. A room that is not listed any more stays.
    void take_over(const ServerConfig& next);

    /// The operators, and the speaker.
    std::vector<std::string> rulers() const;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/impl/config.ipp"
#endif

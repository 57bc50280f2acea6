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
    std::vector<std::string> rooms = {"#lobby"};
    std::vector<std::string> operators{};  ///< Accounts that are owners of every room.
    bool anybody_makes_rooms = true;       ///< Otherwise only operators do.
    std::string agent = "{}";              ///< JSON object about the program, told to clients.
    Limits limits{};
    bool checks_messages = false;  ///< The program judges messages; see `Server::poll_question`.
    Duration check_timeout = std::chrono::seconds{5};  ///< For one judgement.
    Unchecked unchecked = Unchecked::refuse;
};

}  // namespace quicchat

#pragma once

#include <string>
#include <vector>

#include "quicchat/base/limits.hpp"

namespace quicchat {

/// What a server offers.
struct ServerConfig {
    std::vector<std::string> rooms = {"#lobby"};
    std::vector<std::string> operators{};  ///< Accounts that are owners of every room.
    bool anybody_makes_rooms = true;       ///< Otherwise only operators do.
    std::string agent = "{}";              ///< JSON object about the program, told to clients.
    Limits limits{};
};

}  // namespace quicchat

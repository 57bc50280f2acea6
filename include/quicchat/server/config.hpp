#pragma once

#include <string>
#include <vector>

#include "quicchat/base/limits.hpp"

namespace quicchat {

/// What a server offers.
struct ServerConfig {
    std::vector<std::string> rooms = {"#lobby"};
    std::string agent = "{}";  ///< JSON object about the program, told to clients.
    Limits limits{};
};

}  // namespace quicchat

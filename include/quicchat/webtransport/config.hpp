#pragma once

#include <string>
#include <vector>

namespace quicchat::webtransport {

/// Which pages may come, and how.
struct Config {
    /// Of the address that pages connect to. What follows a '?' in a request does not count.
    std::string path = "/quicchat";
    /// Of pages that may come, as browsers spell them: "https://chat.example", with the port if it
    /// is not the scheme's. "*": of all. Empty: none comes.
    std::vector<std::string> origins{};
};

}  // namespace quicchat::webtransport

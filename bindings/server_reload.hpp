#pragma once

#include <cstddef>
#include <future>
#include <string>
#include <vector>

#include "endpoints.hpp"
#include "runner.hpp"
#include "server_port.hpp"
#include "stats.hpp"

namespace quicchat::python {

/// What became of accounts, by their names.
struct AccountChanges {
    std::vector<std::string> added{};
    std::vector<std::string> replaced{};  ///< Their passwords.
    std::vector<std::string> removed{};   ///< Of those in memory.
    std::size_t hashed = 0;               ///< Passwords; how many, not whose.
};

/// A server at its host, as another thread reaches it.
struct RunningServer {
    Host& host;
    RunnerId id;
    ServerPort& port;
    const std::string& database;  ///< Empty: its accounts are in memory.
};

/// Gives a server that has the settings `now` those of `next`. Waits for the engine, and hashes
/// passwords. If something cannot be, throws CoreFailure or StorageFailure, and the server goes on
/// as it was; `not_ready`: it has ended.
AccountChanges reload_server(const RunningServer& server, const ServerSettings& now,
                             const ServerSettings& next);

/// What a server says of itself in its next turn.
std::future<ServerReport> ask_for_report(const RunningServer& server);

}  // namespace quicchat::python

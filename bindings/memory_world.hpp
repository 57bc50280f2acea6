#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client_port.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/memory/network.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/session/backoff.hpp"
#include "runner.hpp"
#include "server_port.hpp"

namespace quicchat::python {

/// A server of a MemoryWorld.
struct MemoryServeOptions {
    ServerConfig config;
    /// Who may log in; nothing: whoever says a name.
    std::optional<std::vector<std::string>> accounts;
    bool takes_files = true;
};

/// A client of a MemoryWorld.
struct MemoryDialOptions {
    std::string user;
    std::string agent;
    Limits limits;
    Reconnection reconnect;
};

/// Clients and servers over a network in memory, on a clock that stands still unless it is moved:
/// for tests of programs. Whoever wakes a runner finds, when that returns, that all is done that
/// can be done without time. So what a test sees depends on its calls alone.
///
/// Logins prove nothing: it believes names. What crosses the network arrives at once, unless
/// `set_delay` says otherwise.
class MemoryWorld final : public Host {
public:
    /// `wall`: what its clock shows at the beginning.
    MemoryWorld(std::uint64_t seed, WallTime wall);
    MemoryWorld(const MemoryWorld&) = delete;
    MemoryWorld& operator=(const MemoryWorld&) = delete;

    /// Throws CoreFailure: `room_exists` if there is a server already.
    RunnerId add_server(MemoryServeOptions options, std::shared_ptr<ServerPort> port);
    RunnerId add_client(MemoryDialOptions options, std::shared_ptr<ClientPort> port);

    void wake(RunnerId runner) override;
    bool is_alive() const override { return true; }

    /// How long its clock has gone.
    Duration elapsed();

    /// Moves the clock to the next moment at which something happens, but not above `until` since
    /// the beginning, and lets that happen.
    void step(Duration until);

    /// How often anything has had a turn: what has not changed is at rest.
    std::uint64_t turns();

    // Faults; see memory::Network. A client that is gone, or has no connection, is ignored.

    void set_delay(Duration min, Duration max);
    void set_dialling(memory::Dialling dialling);
    void cut(RunnerId client);
    void cut_after(RunnerId client, std::size_t bytes);
    void stall(RunnerId client);
    void resume(RunnerId client);

private:
    struct Driven {
        std::unique_ptr<Runner> runner;
        std::uint64_t connection = 0;  ///< The latest that it dialled, for faults; 0: none.
    };

    RunnerId add(std::unique_ptr<Runner> runner);
    Now now() const;
    void settle();
    bool settle_once();
    void turn(RunnerId id, Driven& driven);
    template <class Fault>
    void fault(RunnerId client, const Fault& fault);

    std::mutex mutex_;
    memory::Network network_;
    WallTime wall_;
    std::uint64_t seed_;
    std::map<RunnerId, Driven> driven_;
    std::set<RunnerId> woken_;
    std::uint64_t newest_ = 0;
    std::uint64_t turns_ = 0;
    RunnerId server_{};
};

}  // namespace quicchat::python

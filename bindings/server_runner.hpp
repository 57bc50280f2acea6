#pragma once

#include <memory>
#include <optional>

#include "endpoints.hpp"
#include "engine.hpp"
#include "instantiations.hpp"
#include "quicchat/auth/deferred_hook.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/sqlite/store.hpp"
#include "server_port.hpp"
#include "stats.hpp"

namespace quicchat::python {

/// What a server stands on, and is watched beside it.
struct ServerParts {
    std::unique_ptr<ServerDriver> driver;
    std::shared_ptr<AccountBook> book;
    std::shared_ptr<MemoryAccounts> memory_book{};  ///< The same, if it is in memory.
    std::shared_ptr<sqlite::Store> store{};         ///< Nullptr: everything is in memory.
    std::shared_ptr<DeferredHook> hook{};           ///< If Python is asked about logins.
    bool checks_messages = false;                   ///< Python is asked about messages.
    Duration drain_timeout{};                       ///< The server's own.
};

/// Drives one server on the engine thread.
class ServerRunner final : public Runner {
public:
    ServerRunner(ServerParts parts, std::shared_ptr<ServerPort> port);
    ServerRunner(const ServerRunner&) = delete;
    ServerRunner& operator=(const ServerRunner&) = delete;
    /// Says that it has ended only when port and database can be used by the next one.
    ~ServerRunner() override;

    int fd() const override;
    std::array<int, 2> wake_fds() const override;
    bool wants_write() const override;
    std::optional<TimePoint> next_deadline() const override;
    void turn(Now now) override;
    void abandon(Now now) override;
    bool finished() const override { return finished_; }

    // For errands.

    ServerReport report() const { return {server_.stats(), server_.connection_stats()}; }
    const AccountStore& accounts() { return parts_.book->accounts(); }
    /// Of a server whose accounts are in memory.
    void replace_accounts(AccountStore next) { parts_.memory_book->replace(std::move(next)); }
    /// All but the accounts. If something cannot be, throws CoreFailure, and nothing has changed.
    void take_settings(const ServerSettings& next);

private:
    void do_errands();
    void give_answers();
    void watch_store(Now now);
    void fail(ServerFailed failure);
    void deliver();
    void ask();
    void ask_about_messages();

    ServerParts parts_;
    quic::Server& server_;
    std::shared_ptr<ServerPort> port_;
    bool in_trouble_ = false;
    bool failed_ = false;
    bool finished_ = false;
};

}  // namespace quicchat::python

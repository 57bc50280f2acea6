#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "endpoints.hpp"
#include "quicchat/auth/account_store.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/ticket_desk.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/owned.hpp"
#include "quicchat/file/file_store.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/sqlite/store.hpp"

namespace quicchat::python {

/// Where a server keeps rooms and accounts.
struct Storage {
    std::shared_ptr<sqlite::Store> store{};  ///< Nullptr: in memory.
    Owned<RoomLog> log;
    std::shared_ptr<AccountBook> book;
    std::shared_ptr<MemoryAccounts> memory_book{};  ///< The same, if it is in memory.
    Owned<FileStore> files = NoFiles{};
    Buffer secret;                        ///< Hides which users exist.
    std::vector<std::string> replaced{};  ///< Whose password in the database was another one.
};

/// How the accounts of the configuration differ from those that are known. What is configured
/// counts: an account that is missing is added, another password is replaced. A password that is
/// the same keeps its verifier, and with it the account's devices.
struct AccountPlan {
    enum class Change { kept, added, replaced };
    struct Entry {
        std::string name;
        Verifier verifier;
        Change change = Change::kept;
    };
    std::vector<Entry> entries{};
    std::size_t hashed = 0;  ///< Passwords that had to be hashed, which is slow.

    std::vector<std::string> added() const { return names(Change::added); }
    std::vector<std::string> replaced() const { return names(Change::replaced); }

private:
    std::vector<std::string> names(Change change) const;
};

/// Throws CoreFailure if there is a `ticket_rules_problem`.
TicketRules make_ticket_rules(const TicketSettings& settings);

/// Slow: it hashes passwords, but for those whose salt is known already: it is made of the server's
/// key, the name and the password, so the password is that of the known verifier.
AccountPlan plan_accounts(const ServerSettings& settings, const AccountStore& known);

/// The accounts of a plan, and no others.
AccountStore make_store(const AccountPlan& plan);

/// Does what is planned to the accounts of a database; the server sees it at the next login.
void store_accounts(const std::string& database, const AccountPlan& plan);

/// Opens what the options name, with the accounts of the options in it. Slow: it hashes passwords.
Storage open_storage(const ServeOptions& options);

}  // namespace quicchat::python

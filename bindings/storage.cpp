#include "storage.hpp"

#include <utility>

#include "failure.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/disk/disk_files.hpp"
#include "quicchat/file/memory_files.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/sqlite/account_admin.hpp"
#include "quicchat/sqlite/sqlite_accounts.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"

namespace quicchat::python {
namespace {

Verifier make_verifier_of(const ConfiguredAccount& account, const ScramSalt& salt,
                          std::uint32_t iterations) {
    if (!account.verifier.empty()) return value_or_throw(parse_verifier(account.verifier));
    return value_or_throw(make_verifier<quic::WolfCrypto>(account.password, salt, iterations));
}

Storage open_memory(const ServerSettings& settings) {
    // Made of the private key, so that it is as secret and as lasting.
    const Digest secret = quic::WolfCrypto::hmac_sha256(as_bytes(settings.key_pem),
                                                        as_bytes("quicchat unknown users"));
    auto accounts = std::make_shared<MemoryAccounts>(make_store(plan_accounts(settings, {})));
    return {.store = nullptr,
            .log = MemoryLog{quic::system_entropy()},
            .book = accounts,
            .memory_book = accounts,
            .secret = Buffer(secret.begin(), secret.end())};
}

Storage open_database_file(const ServeOptions& options) {
    const Durability durability =
        options.durability == "process" ? Durability::process : Durability::fsync;
    const auto store = value_or_throw(sqlite::Store::open(
        {.path = options.database, .durability = durability}, quic::system_entropy()));
    const BytesView secret = store->secret();
    Storage storage{.store = store,
                    .log = SqliteLog{store},
                    .book = std::make_shared<SqliteAccounts>(store),
                    .secret = Buffer(secret.begin(), secret.end())};
    const AccountPlan plan = plan_accounts(options.settings, storage.book->accounts());
    store_accounts(options.database, plan);
    storage.replaced = plan.replaced();
    return storage;
}

}  // namespace

std::vector<std::string> AccountPlan::names(Change change) const {
    std::vector<std::string> found;
    for (const Entry& entry : entries) {
        if (entry.change == change) found.push_back(entry.name);
    }
    return found;
}

TicketRules make_ticket_rules(const TicketSettings& settings) {
    TicketRules rules{.audience = settings.audience, .hosts = settings.hosts};
    for (const std::string& key : settings.keys) rules.keys.push_back(Secret{as_bytes(key)});
    if (ticket_rules_problem(rules) != nullptr) throw CoreFailure{Errc::invalid_request};
    return rules;
}

AccountPlan plan_accounts(const ServerSettings& settings, const AccountStore& known) {
    using Change = AccountPlan::Change;
    AccountPlan plan;
    const auto verifier_of = [&plan](const ConfiguredAccount& account, const ScramSalt& salt,
                                     std::uint32_t iterations) {
        if (account.verifier.empty()) ++plan.hashed;
        return make_verifier_of(account, salt, iterations);
    };
    for (const ConfiguredAccount& account : settings.accounts) {
        const Account* found = known.find(account.name);
        if (found != nullptr) {
            const Verifier& kept = found->verifier;
            const bool same_salt = account.verifier.empty() && account.salt == kept.salt;
            if (same_salt || verifier_of(account, kept.salt, kept.iterations) == kept) {
                plan.entries.push_back({account.name, kept, Change::kept});
                continue;
            }
        }
        plan.entries.push_back({account.name,
                                verifier_of(account, account.salt, settings.iterations),
                                found == nullptr ? Change::added : Change::replaced});
    }
    return plan;
}

AccountStore make_store(const AccountPlan& plan) {
    AccountStore store;
    for (const auto& [name, verifier, change] : plan.entries) {
        (void)value_or_throw(store.add(name, verifier));
    }
    return store;
}

void store_accounts(const std::string& database, const AccountPlan& plan) {
    if (plan.added().empty() && plan.replaced().empty()) return;
    auto admin = value_or_throw(sqlite::AccountAdmin::open(database, quic::system_entropy()));
    const WallTime now = quic::read_clock().wall;
    // The end of `admin` takes back what was not committed.
    if (const auto error = admin.begin()) throw StorageFailure{*error};
    for (const auto& [name, verifier, change] : plan.entries) {
        if (change == AccountPlan::Change::added) {
            (void)value_or_throw(admin.add(name, verifier, now));
        } else if (change == AccountPlan::Change::replaced) {
            (void)value_or_throw(admin.replace_verifier(name, verifier));
        }
    }
    if (const auto error = admin.commit()) throw StorageFailure{*error};
}

Storage open_storage(const ServeOptions& options) {
    Storage storage =
        options.database.empty() ? open_memory(options.settings) : open_database_file(options);
    if (!options.files.empty()) {
        const disk::FolderConfig config{.sync = options.durability == "fsync"};
        storage.files = value_or_throw(
            DiskFiles<quic::WolfCrypto>::open(options.files, storage.secret, config));
    } else if (options.files_in_memory) {
        storage.files = MemoryFiles<quic::WolfCrypto>{};
    }
    return storage;
}

}  // namespace quicchat::python

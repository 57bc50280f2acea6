#include "storage.hpp"

#include <utility>

#include "failure.hpp"
#include "quicchat/auth/verifier.hpp"
#include "quicchat/quic/run.hpp"
#include "quicchat/quic/wolf_crypto.hpp"
#include "quicchat/sqlite/account_admin.hpp"

namespace quicchat::python {
namespace {

Verifier make_verifier_of(const ConfiguredAccount& account, const ScramSalt& salt,
                          std::uint32_t iterations) {
    if (!account.verifier.empty()) return value_or_throw(parse_verifier(account.verifier));
    return value_or_throw(make_verifier<quic::WolfCrypto>(account.password, salt, iterations));
}

Storage open_memory(const ServeOptions& options) {
    MemoryAccounts accounts;
    for (const ConfiguredAccount& account : options.accounts) {
        const Verifier verifier = make_verifier_of(account, account.salt, options.iterations);
        (void)value_or_throw(accounts.add(account.name, verifier));
    }
    // Made of the private key, so that it is as secret and as lasting.
    const Digest secret = quic::WolfCrypto::hmac_sha256(as_bytes(options.key_pem),
                                                        as_bytes("quicchat unknown users"));
    return {.store = nullptr,
            .log = AnyLog{MemoryLog{quic::system_entropy()}},
            .book = std::make_shared<AnyBook>(std::move(accounts)),
            .secret = Buffer(secret.begin(), secret.end())};
}

/// What is configured counts: an account that is missing is added, another password is replaced.
void add_accounts(const ServeOptions& options, Storage& storage) {
    if (options.accounts.empty()) return;
    auto admin =
        value_or_throw(sqlite::AccountAdmin::open(options.database, quic::system_entropy()));
    const AccountStore known = storage.book->accounts();
    const WallTime now = quic::read_clock().wall;
    for (const ConfiguredAccount& account : options.accounts) {
        const Account* found = known.find(account.name);
        if (found == nullptr) {
            (void)value_or_throw(admin.add(
                account.name, make_verifier_of(account, account.salt, options.iterations), now));
            continue;
        }
        const Verifier& kept = found->verifier;
        if (make_verifier_of(account, kept.salt, kept.iterations) == kept) continue;
        const Verifier verifier = make_verifier_of(account, account.salt, options.iterations);
        (void)value_or_throw(admin.replace_verifier(account.name, verifier));
        storage.replaced.push_back(account.name);
    }
}

Storage open_database_file(const ServeOptions& options) {
    const Durability durability =
        options.durability == "process" ? Durability::process : Durability::fsync;
    const auto store = value_or_throw(sqlite::Store::open(
        {.path = options.database, .durability = durability}, quic::system_entropy()));
    const BytesView secret = store->secret();
    Storage storage{.store = store,
                    .log = AnyLog{SqliteLog{store}},
                    .book = std::make_shared<AnyBook>(SqliteAccounts{store}),
                    .secret = Buffer(secret.begin(), secret.end())};
    add_accounts(options, storage);
    return storage;
}

}  // namespace

Storage open_storage(const ServeOptions& options) {
    Storage storage = options.database.empty() ? open_memory(options) : open_database_file(options);
    if (!options.files.empty()) {
        const bool sync = options.durability == "fsync";
        storage.files =
            AnyFiles{value_or_throw(AnyFiles::Disk::open(options.files, storage.secret, sync))};
    } else if (options.files_in_memory) {
        storage.files = AnyFiles{AnyFiles::Memory{}};
    }
    return storage;
}

}  // namespace quicchat::python

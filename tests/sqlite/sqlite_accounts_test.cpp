#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/sqlite.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/patience.hpp"
#include "support/printers.hpp"

namespace quicchat {
namespace {

using namespace sqlite;

Verifier make_test_verifier(unsigned number) {
    Verifier verifier;
    verifier.iterations = 4096 + number;
    verifier.salt[0] = static_cast<std::byte>(number);
    verifier.stored_key[31] = static_cast<std::byte>(number);
    verifier.server_key[0] = static_cast<std::byte>(number);
    return verifier;
}

TokenKeys make_keys(std::uint64_t generation) {
    TokenKeys keys{.generation = generation};
    keys.stored_key.fill(static_cast<std::byte>(generation));
    keys.server_key.fill(static_cast<std::byte>(generation + 1));
    return keys;
}

WallTime at(std::int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }

Device make_device(unsigned number, std::int64_t last_used = 0) {
    Device device;
    device.id.bytes[3] = static_cast<std::byte>(number);
    device.current = make_keys(number);
    device.created = at(number);
    device.last_used = at(last_used);
    return device;
}

class AccountsFixture {
public:
    AccountsFixture() {
        REQUIRE(*admin->add("Ada", make_test_verifier(1), at(10)));
        REQUIRE(*admin->add("bob", make_test_verifier(2), at(20)));
        restart();
    }

    void restart() {
        book.reset();
        store.reset();
        auto opened = Store::open({.path = path}, Entropy::seeded(1));
        if (!opened) FAIL(opened.error().text);
        store = *opened;
        book.emplace(store);
        book->accounts();
    }

    void wait_for(SaveTicket ticket) {
        const auto end =
            std::chrono::steady_clock::now() + test::patience(std::chrono::seconds{10});
        while (book->saved() < ticket && std::chrono::steady_clock::now() < end) {
            pollfd wake{store->wake_fd(), POLLIN, 0};
            (void)::poll(&wake, 1, 100);
            while (store->poll_news()) {
            }
        }
        REQUIRE(book->saved() >= ticket);
    }

    std::optional<Device> find(unsigned number) {
        const auto found = book->find_device("ada", make_device(number).id);
        REQUIRE(found);
        return *found;
    }

    test::TemporaryFolder folder;
    std::string path = folder.file("chat.db");
    StorageResult<AccountAdmin> admin = AccountAdmin::open(path, Entropy::seeded(1));
    std::shared_ptr<Store> store;
    std::optional<SqliteAccounts> book;
};

TEST_CASE("accounts in a database", "[sqlite][accounts]") {
    AccountsFixture f;

    SECTION("are those that the command line added") {
        CHECK(f.book->accounts().accounts().size() == 2);
        REQUIRE(f.book->accounts().find("ADA") != nullptr);
        CHECK(f.book->accounts().find("ada")->name == "Ada");
        CHECK(f.book->accounts().find("ada")->verifier == make_test_verifier(1));
    }
    SECTION("are up to date with every change of another connection") {
        const AccountStore& accounts = f.book->accounts();
        CHECK(*f.admin->replace_verifier("ADA", make_test_verifier(5)));
        f.book->accounts();
        CHECK(accounts.find("ada")->verifier == make_test_verifier(5));
        CHECK(*f.admin->disable("ada"));
        CHECK_FALSE(f.book->accounts().find("ada")->enabled);
        CHECK(*f.admin->enable("ada"));
        CHECK(f.book->accounts().find("ada")->enabled);
        CHECK(*f.admin->remove("ada"));
        CHECK(f.book->accounts().find("ada") == nullptr);
        CHECK(*f.admin->add("ADA", make_test_verifier(6), at(30)));
        CHECK(f.book->accounts().find("ada")->name == "ADA");
    }
    SECTION("have names that are checked, and taken once") {
        CHECK_FALSE(*f.admin->add("ADA", make_test_verifier(3), at(30)));
        const auto bad = f.admin->add("no spaces", make_test_verifier(3), at(30));
        REQUIRE_FALSE(bad);
        CHECK(bad.error().errc == Errc::invalid_name);
        CHECK(f.book->accounts().accounts().size() == 2);
        for (auto done :
             {f.admin->disable("nobody"), f.admin->enable("nobody"), f.admin->remove("nobody"),
              f.admin->replace_verifier("nobody", make_test_verifier(1)),
              f.admin->revoke_devices("nobody"),
              f.admin->revoke_device("ada", make_device(9).id)}) {
            REQUIRE(done);
            CHECK_FALSE(*done);
        }
    }
    SECTION("are listed with their devices") {
        f.book->save_device("ada", make_device(1, 100));
        f.wait_for(f.book->save_device("ada", make_device(2, 200)));
        const auto accounts = f.admin->list_accounts();
        REQUIRE(accounts);
        REQUIRE(accounts->size() == 2);
        CHECK(accounts->at(0).name == "Ada");
        CHECK(accounts->at(0).created == at(10));
        CHECK(accounts->at(0).devices == 2);
        CHECK(accounts->at(1).devices == 0);
        const auto devices = f.admin->list_devices("ADA");
        REQUIRE(devices->size() == 2);
        CHECK(devices->at(0).id == make_device(2).id);
        CHECK(devices->at(0).last_used == at(200));
        CHECK(devices->at(1).created == at(1));
    }
    SECTION("can be added by another process while the server runs, which moves no WAL") {
        // So much that SQLite, left alone, would move the WAL at the next commit.
        REQUIRE(f.store->open_room("#a", {1000, 100'000'000}));
        for (unsigned i = 0; i < 500; ++i) {
            Record record;
            record.id.bytes[0] = static_cast<std::byte>(i);
            record.id.bytes[1] = static_cast<std::byte>(i >> 8);
            record.text = std::string(9000, 'x');
            f.store->append(i, "#a", record);
        }
        f.wait_for(f.book->save_device("ada", make_device(1)));
        const auto size_before = std::filesystem::file_size(f.path);
        const auto wal_before = std::filesystem::file_size(f.path + "-wal");
        const pid_t child = ::fork();
        if (child == 0) {
            auto admin = AccountAdmin::open(f.path, Entropy::seeded(3));
            bool added = static_cast<bool>(admin);
            for (unsigned i = 0; i < 20 && added; ++i) {
                added = *admin->add("u" + std::to_string(i), make_test_verifier(7), at(1));
            }
            ::_exit(added ? 0 : 1);
        }
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        CHECK(f.book->accounts().accounts().size() == 22);
        CHECK(std::filesystem::file_size(f.path) == size_before);
        CHECK(std::filesystem::file_size(f.path + "-wal") > wal_before);
    }
}

TEST_CASE("several changes of accounts are one, on disk or not at all", "[sqlite][accounts]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    const auto count = [&] {
        auto admin = AccountAdmin::open(path, Entropy::seeded(2));
        REQUIRE(admin);
        return admin->list_accounts()->size();
    };
    {
        auto admin = AccountAdmin::open(path, Entropy::seeded(1));
        REQUIRE(admin);
        REQUIRE_FALSE(admin->begin());
        CHECK(*admin->add("Ada", make_test_verifier(1), at(10)));
        CHECK_FALSE(*admin->add("ada", make_test_verifier(2), at(10)));
        CHECK(*admin->add("bob", make_test_verifier(2), at(10)));
        CHECK(*admin->replace_verifier("ada", make_test_verifier(3)));
        CHECK(count() == 0);
        REQUIRE_FALSE(admin->commit());
        CHECK(count() == 2);
        CHECK(*admin->add("eve", make_test_verifier(2), at(10)));  // alone again
        CHECK(count() == 3);
        REQUIRE_FALSE(admin->begin());
        CHECK(*admin->remove("eve"));
    }
    CHECK(count() == 3);
}

TEST_CASE("devices in a database", "[sqlite][accounts]") {
    AccountsFixture f;

    SECTION("are known from the call on that saved them, and after a restart") {
        Device device = make_device(1, 5);
        device.next = make_keys(2);
        device.previous = make_keys(~0ull);
        CHECK_FALSE(f.find(1));
        const SaveTicket first = f.book->save_device("Ada", device);
        CHECK(f.find(1) == device);
        device.current = make_keys(3);
        device.next.reset();
        const SaveTicket second = f.book->save_device("ADA", device);
        CHECK(second > first);
        CHECK(f.find(1) == device);
        f.wait_for(second);
        CHECK(f.find(1) == device);
        f.restart();
        CHECK(f.find(1) == device);
        f.wait_for(f.book->remove_device("ada", device.id));
        CHECK_FALSE(f.find(1));
        f.restart();
        CHECK_FALSE(f.find(1));
    }
    SECTION("are known to be removed at once") {
        f.wait_for(f.book->save_device("ada", make_device(1)));
        f.book->remove_device("ada", make_device(1).id);
        CHECK_FALSE(f.find(1));
        f.book->save_device("ada", make_device(1, 77));
        CHECK(f.find(1)->last_used == at(77));
        f.restart();
        CHECK(f.find(1)->last_used == at(77));
    }
    SECTION("make room when there are too many: the one that was not used for longest") {
        for (unsigned i = 1; i <= devices_per_account_max; ++i) {
            f.book->save_device("ada", make_device(i, i == 7 ? 1 : 100 + i));
        }
        CHECK(f.find(7));
        f.book->save_device("ada", make_device(7, 500));  // one that is there takes no room
        CHECK(f.find(1));
        f.book->save_device("ada", make_device(100, 600));
        CHECK_FALSE(f.find(1));
        CHECK(f.find(7));
        f.restart();
        CHECK_FALSE(f.find(1));
        f.wait_for(f.book->save_device("ada", make_device(101, 600)));
        CHECK_FALSE(f.find(2));
        CHECK(f.admin->list_devices("ada")->size() == devices_per_account_max);
    }
    SECTION("are gone when the command line revokes them") {
        f.book->save_device("ada", make_device(1));
        f.book->save_device("ada", make_device(2));
        f.wait_for(f.book->save_device("ada", make_device(3)));
        CHECK(*f.admin->revoke_device("ADA", make_device(1).id));
        CHECK_FALSE(f.find(1));
        CHECK(f.find(2));
        CHECK(*f.admin->revoke_devices("ada"));
        CHECK_FALSE(f.find(2));
        CHECK_FALSE(f.find(3));
    }
    SECTION("go with the password, with the right to log in, and with the account") {
        const auto change = GENERATE(0, 1, 2);
        f.wait_for(f.book->save_device("ada", make_device(1)));
        f.wait_for(f.book->save_device("bob", make_device(1)));
        if (change == 0) CHECK(*f.admin->replace_verifier("ada", make_test_verifier(9)));
        if (change == 1) CHECK(*f.admin->disable("ada"));
        if (change == 2) CHECK(*f.admin->remove("ada"));
        CHECK_FALSE(f.find(1));
        CHECK(f.book->find_device("bob", make_device(1).id)->has_value());

        // Neither does one come back that logged in before.
        f.wait_for(f.book->save_device("ada", make_device(1)));
        CHECK_FALSE(f.find(1));
        f.book->accounts();
        f.wait_for(f.book->save_device("ada", make_device(1)));
        CHECK(f.find(1).has_value() == (change == 0));
    }
    SECTION("do not come back when they are changed while they are revoked") {
        f.wait_for(f.book->save_device("ada", make_device(1)));
        Device used = make_device(1, 99);
        // Asked while the device was there; written after it was revoked.
        Database other = *Database::open(real_path(f.path), OpenMode::read_write);
        REQUIRE(other.run("BEGIN IMMEDIATE; DELETE FROM device") == SQLITE_OK);
        const SaveTicket ticket = f.book->save_device("ada", used);
        CHECK(f.book->saved() < ticket);
        REQUIRE(other.run("COMMIT") == SQLITE_OK);
        f.wait_for(ticket);
        CHECK_FALSE(f.find(1));
    }
}

}  // namespace
}  // namespace quicchat

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/account_admin.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/store.hpp"
#include "quicchat/sqlite/writer.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"

// What a server says about a file that it cannot use; and that it leaves the file alone.

namespace quicchat {
namespace {

using namespace sqlite;
using test::read_file;
using test::write_file;

/// A database with some records, closed.
std::string make_store(const test::TemporaryFolder& folder) {
    const std::string path = folder.file("chat.db");
    auto store = Store::open({.path = path}, Entropy::seeded(1));
    if (!store) FAIL(store.error().text);
    REQUIRE((*store)->open_room("#a", {1000, 1'000'000}));
    for (unsigned i = 0; i < 100; ++i) {
        Record record;
        record.id.bytes[0] = static_cast<std::byte>(i);
        record.text = std::string(500, 'x');
        (*store)->append(i, "#a", record);
    }
    return path;
}

/// Opening fails with these words, and the file stays as it is.
void check_refusal(const std::string& path, const std::string& words,
                   Errc errc = Errc::storage_failed) {
    const bool is_file = std::filesystem::is_regular_file(path);
    const std::string before = is_file ? read_file(path) : std::string{};
    const auto store = Store::open({.path = path}, Entropy::seeded(2));
    REQUIRE_FALSE(store);
    INFO(store.error().text);
    CHECK(store.error().errc == errc);
    CHECK(store.error().text.find("'" + path + "'") != std::string::npos);
    CHECK(store.error().text.find(words) != std::string::npos);
    if (is_file) CHECK((read_file(path) == before));
}

void run_sql(const std::string& path, const std::string& sql) {
    auto database = Database::open(path, OpenMode::read_write);
    REQUIRE(database);
    REQUIRE(database->run(sql) == SQLITE_OK);
}

/// Another process that holds something until this object ends. `hold` tells whether it got it.
class Holder {
public:
    template <class Hold>
    explicit Holder(const Hold& hold) {
        int ready[2];
        int done[2];
        REQUIRE((::pipe(ready) == 0 && ::pipe(done) == 0));
        child_ = ::fork();
        if (child_ == 0) {
            ::close(done[1]);
            hold([&](bool holds) {
                const char answer = holds ? 'y' : 'n';
                (void)!::write(ready[1], &answer, 1);
                char end = 0;
                (void)!::read(done[0], &end, 1);
            });
            ::_exit(0);
        }
        ::close(done[0]);
        done_ = done[1];
        char answer = 'n';
        REQUIRE(::read(ready[0], &answer, 1) == 1);
        REQUIRE(answer == 'y');
    }
    ~Holder() {
        ::close(done_);
        ::waitpid(child_, nullptr, 0);
    }
    pid_t process() const { return child_; }

private:
    pid_t child_ = 0;
    int done_ = -1;
};

TEST_CASE("a server refuses a database that it cannot use", "[sqlite][files]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");

    SECTION("in a folder that does not exist") {
        const std::string nowhere = folder.file("none/chat.db");
        check_refusal(nowhere, "folder '" + folder.file("none") + "' does not exist");
        CHECK_FALSE(std::filesystem::exists(folder.file("none")));
    }
    SECTION("that is a folder") { check_refusal(folder.path().string(), "it is a folder"); }
    SECTION("that is no database") {
        write_file(path, std::string(5000, 'x'));
        check_refusal(path, "it is not an SQLite database");
    }
    SECTION("of another program") {
        write_file(path, "");
        run_sql(path, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
        check_refusal(path, "of another program");
    }
    SECTION("of a newer version") {
        make_store(folder);
        run_sql(path, "PRAGMA user_version=7");
        check_refusal(path, "a newer quicchat wrote it (version 7");
    }
    SECTION("with a damaged page") {
        make_store(folder);
        std::string bytes = read_file(path);
        REQUIRE(bytes.size() > 10 * 4096);
        for (std::size_t page = 4; page < bytes.size() / 4096; ++page) {
            bytes.replace(page * 4096, 200, std::string(200, '\x07'));
        }
        write_file(path, bytes);
        check_refusal(path, "it is damaged; restore it from a backup");
    }
    SECTION("whose records are not in their order") {
        make_store(folder);
        run_sql(path,
                "UPDATE room SET first=101;"
                "PRAGMA writable_schema=1;"
                "UPDATE sqlite_schema SET sql=replace(sql, 'room, offset)', 'room, offset DESC)') "
                "WHERE name='record'");
        auto entropy = Entropy::seeded(2);
        auto database = open_database({.path = path, .check = false}, entropy);
        REQUIRE(database);
        CHECK_FALSE(Writer::create(*std::move(database), Durability::fsync));
    }
    SECTION("with sizes that nothing has") {
        for (const char* change :
             {"UPDATE record SET bytes = 1 << 61 WHERE offset > 2",
              "UPDATE record SET bytes = -1 WHERE offset = 7", "UPDATE room SET bytes = -1",
              "UPDATE room SET bytes = 1 << 62", "UPDATE room SET first = -1",
              "UPDATE room SET first = 0", "UPDATE room SET head = -1",
              "UPDATE room SET first = head + 2", "UPDATE room SET head = 1 << 62"}) {
            CAPTURE(change);
            const test::TemporaryFolder other;
            const std::string file = make_store(other);
            run_sql(file, change);
            check_refusal(file, "it is damaged");
        }
    }
    SECTION("that was cut off") {
        make_store(folder);
        std::filesystem::resize_file(path, 5 * 4096);
        check_refusal(path, "it is damaged; restore it from a backup");
    }
    SECTION("that this process uses already") {
        make_store(folder);
        const auto store = Store::open({.path = path}, Entropy::seeded(1));
        REQUIRE(store);
        check_refusal(path, "another program (process " + std::to_string(::getpid()) + ") uses it");
    }
    SECTION("that another process uses, also by another name") {
        make_store(folder);
        const Holder holder{[&](const auto& wait) {
            const auto store = Store::open({.path = path}, Entropy::seeded(1));
            wait(static_cast<bool>(store));
        }};
        const std::string words =
            "another program (process " + std::to_string(holder.process()) + ") uses it";
        check_refusal(path, words);
        std::filesystem::create_symlink(path, folder.file("other.db"));
        const auto store = Store::open({.path = folder.file("other.db")}, Entropy::seeded(1));
        REQUIRE_FALSE(store);
        CHECK(store.error().text.find(words) != std::string::npos);
    }
    SECTION("that another program has locked") {
        make_store(folder);
        const Holder holder{[&](const auto& wait) {
            auto database = Database::open(path, OpenMode::read_write);
            const bool holds = database &&
                               database->run("PRAGMA locking_mode=EXCLUSIVE") == SQLITE_OK &&
                               database->run("BEGIN EXCLUSIVE") == SQLITE_OK;
            wait(holds);
        }};
        check_refusal(path, "another program has locked it");
    }
}

TEST_CASE("a server refuses what it may not write", "[sqlite][files]") {
    if (::geteuid() != 0) SKIP("needs root, to become somebody with fewer rights");
    const test::TemporaryFolder folder;
    const std::string path = make_store(folder);
    constexpr uid_t nobody = 65534;

    SECTION("the file") {
        std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
        REQUIRE(::chmod(path.c_str(), 0444) == 0);
        std::filesystem::remove(path + ".lock");
        REQUIRE(::seteuid(nobody) == 0);
        check_refusal(path, "it cannot be written; give this user the right to write");
        REQUIRE(::seteuid(0) == 0);
    }
    SECTION("the folder") {
        REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
        REQUIRE(::seteuid(nobody) == 0);
        check_refusal(path, "give this user the right to write to the folder");
        REQUIRE(::seteuid(0) == 0);
    }
}

TEST_CASE("a new database", "[sqlite][files]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");

    SECTION("is for its owner only, with all that lies beside it") {
        const auto store = Store::open({.path = path}, Entropy::seeded(1));
        REQUIRE(store);
        for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
            struct stat found {};
            REQUIRE(::stat((path + suffix).c_str(), &found) == 0);
            CHECK((found.st_mode & 0777) == 0600);
        }
    }
    SECTION("is one file after the server has ended") {
        make_store(folder);
        CHECK(std::filesystem::exists(path));
        CHECK_FALSE(std::filesystem::exists(path + "-wal"));
        CHECK_FALSE(std::filesystem::exists(path + "-shm"));
    }
    SECTION("has a secret of its own, which stays") {
        std::string secret;
        {
            const auto store = Store::open({.path = path}, Entropy::seeded(1));
            secret = to_string((*store)->secret());
        }
        CHECK(secret.size() == 32);
        CHECK((to_string((*Store::open({.path = path}, Entropy::seeded(2)))->secret()) == secret));
        const auto other = Store::open({.path = folder.file("2.db")}, Entropy::seeded(2));
        CHECK_FALSE((to_string((*other)->secret()) == secret));
    }
    SECTION("is opened with settings that keep its promises") {
        Entropy entropy = Entropy::seeded(1);
        write_file(path, "");
        for (const auto& [level, synchronous] :
             {std::pair{Durability::fsync, "2"}, std::pair{Durability::process, "1"}}) {
            auto database = open_database({.path = path, .durability = level}, entropy);
            REQUIRE(database);
            CHECK(*read_text(*database, "PRAGMA synchronous") == synchronous);
            CHECK(*read_text(*database, "PRAGMA journal_mode") == "wal");
            CHECK(*read_text(*database, "PRAGMA wal_autocheckpoint") == "0");
            CHECK(*read_text(*database, "PRAGMA mmap_size") == "0");
            CHECK(*read_text(*database, "PRAGMA cell_size_check") == "1");
            CHECK(*read_text(*database, "PRAGMA trusted_schema") == "0");
            CHECK(*read_text(*database, "PRAGMA foreign_keys") == "1");
        }
    }
    SECTION("is refused if SQLite does not take a setting") {
        Entropy entropy = Entropy::seeded(1);
        write_file(path, "");
        auto database = open_database({.path = path, .synchronous = 9}, entropy);
        REQUIRE_FALSE(database);
        CHECK(database.error().text.find("did not take the setting synchronous=9") !=
              std::string::npos);
    }
}

TEST_CASE("an older database", "[sqlite][files]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    constexpr Migration first[] = {{1,
                                    "CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY);"
                                    "INSERT INTO meta VALUES('old', 1)"}};
    constexpr Migration both[] = {
        first[0], {2, "UPDATE meta SET value=2 WHERE key='old'"}, {3, "CREATE TABLE more(a)"}};
    constexpr Migration broken[] = {first[0], both[1], {3, "CREATE TABLE meta(a)"}};
    Entropy entropy = Entropy::seeded(1);
    write_file(path, "");
    REQUIRE(open_database({.path = path, .versions = first}, entropy));

    SECTION("is brought to the newest version, once") {
        for (int i = 0; i < 2; ++i) {
            auto database = open_database({.path = path, .versions = both}, entropy);
            REQUIRE(database);
            CHECK(*read_number(*database, "PRAGMA user_version") == 3);
            CHECK(*read_number(*database, "SELECT value FROM meta WHERE key='old'") == 2);
            CHECK(*read_number(*database, "SELECT count(*) FROM more") == 0);
        }
        CHECK_FALSE(open_database({.path = path, .versions = first}, entropy));
    }
    SECTION("of the first version goes on with the records that it has") {
        const std::string old = folder.file("old.db");
        write_file(old, "");
        Record record;
        record.id.bytes[0] = std::byte{1};
        record.author = "ada";
        record.text = "hi";
        record.attributes = "{}";
        {
            auto database =
                open_database({.path = old, .versions = std::span{migrations}.first(1)}, entropy);
            REQUIRE(database);
            REQUIRE(database->run("INSERT INTO room VALUES(1, '#a', 5, 1, 1, 130)") == SQLITE_OK);
            Statement insert{*database,
                             "INSERT INTO record VALUES(1, 1, 130, 0, ?1, ?2, 'ada', 'hi', '{}', "
                             "0, 0, '', 0, 0, 0)"};
            REQUIRE(insert.run(BytesView{record.id.bytes}, BytesView{record.device.bytes}) ==
                    SQLITE_OK);
        }
        const auto store = Store::open({.path = old}, Entropy::seeded(1));
        if (!store) FAIL(store.error().text);
        REQUIRE((*store)->open_room("#a", {1000, 1'000'000}));
        const auto complete = [&](Record appended) {
            (*store)->append(1, "#a", std::move(appended));
            std::optional<LogNews> done;
            while (!(done = (*store)->poll_news())) ::usleep(1000);
            return *done;
        };
        CHECK((*store)->read("#a", 0, 9)->front().record.sent == 0);
        CHECK(complete(record).duplicate);
        record.text = "another";
        CHECK(complete(record).error == Errc::conflict);
        record.id.bytes[0] = std::byte{2};
        record.sent = 7;
        CHECK(complete(record).offset == 2);
        CHECK((*store)->read("#a", 1, 9)->front().record.sent == 7);
    }
    SECTION("stays as it was if a step fails") {
        CHECK_FALSE(open_database({.path = path, .versions = broken}, entropy));
        auto database = open_database({.path = path, .versions = first}, entropy);
        REQUIRE(database);
        CHECK(*read_number(*database, "SELECT value FROM meta WHERE key='old'") == 1);
    }
    SECTION("is left alone while a server of that version uses it") {
        auto database =
            open_database({.path = path, .may_migrate = false, .versions = both}, entropy);
        REQUIRE_FALSE(database);
        CHECK(database.error().text.find("a server of an older quicchat uses it") !=
              std::string::npos);
    }
}

}  // namespace
}  // namespace quicchat

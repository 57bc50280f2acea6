#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/schema.hpp"
#include "quicchat/sqlite/start_file.hpp"
#include "quicchat/sqlite/summing_vfs.hpp"
#include "sqlite/start_fixture.hpp"
#include "support/printers.hpp"

// Somebody writes the database of a server, or what its end has left for the next start.

namespace quicchat {
namespace {

using namespace sqlite;
using test::make_record;
using test::read_file;
using test::StartFixture;

/// Changes a byte of the file, as a program does that is not SQLite.
void overwrite(const std::string& path, const std::string& text, const std::string& other) {
    const std::size_t at = read_file(path).find(text);
    REQUIRE(at != std::string::npos);
    std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
    file.seekp(static_cast<std::streamoff>(at));
    file << other;
}

std::size_t live_records(const KnownRooms& rooms) {
    std::size_t sum = 0;
    for (const auto& [key, room] : rooms) {
        for (const auto& share : room.authors.shares()) {
            for (const auto& [device, records] : share.live) sum += records;
        }
    }
    return sum;
}

TEST_CASE("an end leaves nothing if another has written meanwhile", "[sqlite][start]") {
    StartFixture f;
    f.append_many(0, 30);

    SECTION("also into the WAL, which the server has moved into the file") {
        {
            auto shell = Database::open(f.path, OpenMode::read_write);
            REQUIRE(shell);
            REQUIRE(shell->run("UPDATE record SET author='eve' WHERE author='bob'") == SQLITE_OK);
        }
        if (GENERATE(true, false)) f.append_many(30, 5);
        f.store.reset();
        CHECK_FALSE(std::filesystem::exists(f.start_file));
        f.start();
        Record renamed = make_record(1);
        renamed.author = "eve";
        CHECK(f.append(renamed).offset == 2);
        CHECK(f.append(renamed).duplicate);
        f.store.reset();
        CHECK(read_start_file(f.path));
    }
    SECTION("also if the server has written nothing since, nor read") {
        f.start();
        overwrite(f.path, "text 7x", "dext 7x");
        f.store.reset();
        CHECK_FALSE(std::filesystem::exists(f.start_file));
        f.start();
        CHECK(f.store->read("#a", 7, 1)->front().record.text.starts_with("dext 7x"));
    }
    SECTION("but who only reads has changed nothing") {
        {
            auto shell = Database::open(f.path, OpenMode::read_write);
            REQUIRE(shell);
            REQUIRE(read_number(*shell, "SELECT count(*) FROM record"));
        }
        f.append_many(30, 5);
        f.store.reset();
        CHECK(read_start_file(f.path));
    }
    SECTION("nor who gives the file other rights or another name") {
        REQUIRE(::chmod(f.path.c_str(), 0640) == 0);
        f.append_many(30, 60);  // some of it is moved into the file
        std::filesystem::create_hard_link(f.path, f.folder.file("link"));
        f.store.reset();
        CHECK(read_start_file(f.path));
    }
}

TEST_CASE("a start trusts what an end has left for the file as it is", "[sqlite][start]") {
    StartFixture f;
    f.append_many(0, 30);
    f.store.reset();
    auto left = read_start_file(f.path);
    REQUIRE(left);
    REQUIRE(live_records(left->rooms) == 30);

    SECTION("not if another writes it before it is opened") {
        SummingVfs files{""};
        files.restore(std::move(left->sums), left->stamp);
        overwrite(f.path, "text 7x", "dext 7x");
        Entropy entropy = Entropy::seeded(1);
        const auto database =
            open_database({.path = f.path, .has_sums = true, .vfs = files.name()}, entropy);
        if (!database) FAIL(database.error().text);
        CHECK_FALSE(files.written());
    }
    /// What the next end has left if this one has left so many records of somebody.
    const auto leave = [&](std::size_t records) {
        Authors::Share share = left->rooms.begin()->second.authors.shares().front();
        share.live.begin()->second = records;
        left->rooms.begin()->second.authors.load(share);
        write_start_file(f.path, left->stamp, left->sums, left->rooms);
        REQUIRE(read_start_file(f.path));
        f.start();
        f.store.reset();
        return live_records(read_start_file(f.path)->rooms);
    };
    SECTION("and reads no records then") { CHECK(leave(1) < 30); }
    SECTION("not if it knows of more records than a room has") {
        CHECK(leave(GENERATE(1000u, ~std::size_t{0})) == 30);
    }
    SECTION("not if it lacks a room") {
        left->rooms.clear();
        write_start_file(f.path, left->stamp, left->sums, left->rooms);
        REQUIRE(read_start_file(f.path));
        f.start();
        CHECK(f.known(30).size() == 30);
    }
}

TEST_CASE("a page for whose sum there is no memory is not written", "[sqlite][start]") {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they end the program
    StartFixture f;
    f.store.reset();
    SummingVfs files{""};
    auto database = Database::open(f.path, OpenMode::read_write, files.name());
    REQUIRE(database);
    REQUIRE(read_number(*database, "SELECT count(*) FROM record"));
    sqlite3_file* file = nullptr;
    REQUIRE(sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
            SQLITE_OK);
    const std::string page(4096, 'x');
    constexpr sqlite3_int64 far = sqlite3_int64{1} << 61;
    CHECK(file->pMethods->xWrite(file, page.data(), 4096, far) == SQLITE_IOERR_NOMEM);
#endif
}

}  // namespace
}  // namespace quicchat

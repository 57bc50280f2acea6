#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/memory/random.hpp"
#include "quicchat/sqlite/account_admin.hpp"
#include "quicchat/sqlite/database.hpp"
#include "quicchat/sqlite/start_file.hpp"
#include "quicchat/sqlite/store.hpp"
#include "sqlite/start_fixture.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

// What a server leaves for its next start, and that a start sees damage all the same.

namespace quicchat {
namespace {

using namespace sqlite;
using test::make_record;
using test::read_file;
using test::StartFixture;
using test::write_file;

/// What a disk does by itself: the file's content is another, and nobody has written it.
void decay(const std::string& path, std::size_t at) {
    const auto left = read_start_file(path);
    REQUIRE(left);
    std::string bytes = read_file(path);
    bytes.at(at) = static_cast<char>(bytes[at] ^ 0x10);
    write_file(path, bytes);
    write_start_file(path, *stamp_of(path.c_str()), left->sums, left->rooms);
    REQUIRE(read_start_file(path));
}

/// Opening fails with these words, as often as one tries, and changes nothing.
void check_refusal(const std::string& path, const std::string& words) {
    const std::string before = read_file(path);
    for (int tries = 0; tries < 2; ++tries) {
        const auto store = Store::open({.path = path}, Entropy::seeded(2));
        REQUIRE_FALSE(store);
        INFO(store.error().text);
        CHECK(store.error().text.find(words) != std::string::npos);
        CHECK((read_file(path) == before));
    }
}

TEST_CASE("the sum of a page is XXH64", "[sqlite][start]") {
    CHECK(sum_of({}) == 0xef46db3751d8e999);
    CHECK(sum_of(as_bytes("abc")) == 0x44bc2cf5ad770999);
    CHECK(sum_of(as_bytes("Nobody inspects the spammish repetition")) == 0xfbcea83c8a378bf1);
}

TEST_CASE("a server that ended in order leaves what it knew", "[sqlite][start]") {
    StartFixture f;
    CHECK_FALSE(read_start_file(f.path));
    f.append_many(0, 150);
    const std::set<std::size_t> before = f.known(150);
    CHECK(before.size() >= 75);  // also such as have no record any more
    f.store.reset();

    SECTION("for its owner only, and while it runs there is nothing") {
        struct stat found {};
        REQUIRE(::stat(f.start_file.c_str(), &found) == 0);
        CHECK((found.st_mode & 0777) == 0600);
        f.start();
        CHECK_FALSE(std::filesystem::exists(f.start_file));
    }
    SECTION("as a start finds it by reading all") {
        const auto left = read_start_file(f.path);
        REQUIRE(left);
        REQUIRE(left->rooms.size() == 1);
        CHECK(left->rooms.begin()->second.authors.shares().size() == 2);
        CHECK(left->sums.size() == std::filesystem::file_size(f.path) / 4096);
        f.start();
        CHECK(f.known(150) == before);
        f.store.reset();
        std::filesystem::remove(f.start_file);
        f.start();
        for (const std::size_t number : before) CHECK(f.known(150).contains(number));
        f.store.reset();
        const auto again = read_start_file(f.path);
        REQUIRE(again);
        const auto shares = left->rooms.begin()->second.authors.shares();
        const auto read = again->rooms.begin()->second.authors.shares();
        REQUIRE(read.size() == shares.size());
        for (std::size_t i = 0; i < read.size(); ++i) {
            CHECK(read[i].author == shares[i].author);
            CHECK(read[i].bytes == shares[i].bytes);
            CHECK((read[i].live == shares[i].live));
        }
    }
    SECTION("with which it goes on, again and again") {
        std::size_t next = 150;
        for (int lives = 0; lives < 4; ++lives) {
            f.start();
            CHECK(f.append(make_record(next - 1)).duplicate);
            Record other = make_record(next - 1);
            other.text = "another";
            CHECK(f.append(other).error == Errc::conflict);
            f.append_many(next, 20);
            next += 20;
            CHECK(f.known(next).size() >= 75);
            f.store.reset();
            CHECK(read_start_file(f.path));
        }
    }
}

TEST_CASE("what an end has left is good for that state of the file only", "[sqlite][start]") {
    StartFixture f;
    f.append_many(0, 30);
    f.store.reset();
    REQUIRE(read_start_file(f.path));
    const std::string left = read_file(f.start_file);
    const auto check_all = [&] {
        f.start();
        CHECK(f.known(30).size() == 30);
        CHECK_FALSE(f.append(make_record(200)).duplicate);
    };

    SECTION("not if another program has written it") {
        auto opened = Database::open(f.path, OpenMode::read_write);
        REQUIRE(opened);
        Database& other = *opened;
        REQUIRE(other.run("DELETE FROM record WHERE offset=30; UPDATE room SET head=29") ==
                SQLITE_OK);
        REQUIRE(other.run("PRAGMA wal_checkpoint(TRUNCATE)") == SQLITE_OK);
        CHECK_FALSE(read_start_file(f.path));
        f.start();
        CHECK(f.known(29).size() == 29);
        CHECK_FALSE(f.append(make_record(29)).duplicate);
    }
    SECTION("not if somebody has, however soon") {
        for (std::size_t ends = 0; ends < 20; ++ends) {
            f.start();
            f.append_many(30 + ends, 1);
            f.store.reset();
            {
                std::fstream file{f.path, std::ios::binary | std::ios::in | std::ios::out};
                file << 'S';  // as it is
            }
            REQUIRE_FALSE(read_start_file(f.path));
        }
    }
    SECTION("not if there is something in a WAL") {
        {
            auto admin = AccountAdmin::open(f.path, Entropy::seeded(1));
            REQUIRE(admin);
            REQUIRE(admin->add("eve", Verifier{}, WallTime{}));
        }
        REQUIRE(std::filesystem::file_size(f.path + "-wal") > 0);
        CHECK_FALSE(read_start_file(f.path));
        check_all();
    }
    SECTION("not of another file") {
        std::filesystem::copy_file(f.path, f.folder.file("copy.db"));
        std::filesystem::rename(f.folder.file("copy.db"), f.path);
        CHECK_FALSE(read_start_file(f.path));
        check_all();
    }
    SECTION("not of an earlier end, as after a power failure") {
        f.start();
        f.append_many(30, 30);
        f.store.reset();
        write_file(f.start_file, left);
        CHECK_FALSE(read_start_file(f.path));
        f.start();
        CHECK(f.known(60).size() >= 50);
    }
    SECTION("not if it is damaged or cut off") {
        for (std::size_t at = 0; at < left.size(); at += 1 + left.size() / 97) {
            std::string bad = left;
            bad[at] = static_cast<char>(bad[at] ^ 1);
            write_file(f.start_file, bad);
            CHECK_FALSE(read_start_file(f.path));
            write_file(f.start_file, left.substr(0, at));
            CHECK_FALSE(read_start_file(f.path));
        }
        write_file(f.start_file, left);
        CHECK(read_start_file(f.path));
        write_file(f.start_file, left.substr(0, left.size() / 2));
        check_all();
    }
    SECTION("not after a server that did not end") {
        f.start();
        const std::filesystem::path copy = f.folder.file("killed");
        std::filesystem::create_directory(copy);
        f.append_many(30, 5);
        for (const auto& entry : std::filesystem::directory_iterator{f.folder.path()}) {
            if (entry.is_regular_file()) {
                std::filesystem::copy_file(entry.path(), copy / entry.path().filename());
            }
        }
        CHECK_FALSE(std::filesystem::exists(copy / "chat.db.start"));
        f.store.reset();
        f.path = (copy / "chat.db").string();
        f.start();
        CHECK(f.known(35).size() == 35);
    }
}

TEST_CASE("what a disk has changed by itself is noticed", "[sqlite][start]") {
    StartFixture f;
    f.append_many(0, 30);
    f.store.reset();
    const std::string whole = read_file(f.path);

    SECTION("at the start, wherever it is") {
        const auto left = read_start_file(f.path);
        REQUIRE(left);
        for (std::size_t page = 0; page < whole.size() / 4096; ++page) {
            CAPTURE(page);
            if (left->sums[page] == 0) continue;  // there is nothing in it
            decay(f.path, page * 4096 + 100 + page * 37 % 3900);
            check_refusal(f.path, "it is damaged; restore it from a backup");
            write_file(f.path, whole);
            write_start_file(f.path, *stamp_of(f.path.c_str()), left->sums, left->rooms);
        }
        f.start();
        CHECK(f.known(30).size() == 30);
    }
    SECTION("in a text, which SQLite alone does not see") {
        const std::size_t text = whole.find("text 7x");
        REQUIRE(text != std::string::npos);
        decay(f.path, text);
        check_refusal(f.path, "a page is not as it was written");
        std::filesystem::remove(f.start_file);
        f.start();
        CHECK(f.store->read("#a", 7, 1)->front().record.text.starts_with("dext 7x"));
    }
    SECTION("while the server runs: it is not read, nor is anything put into such a page") {
        f.use_faulty_disk();
        f.retention = {2000, 100'000'000, 25};
        f.start();
        for (std::size_t i = 0; i < 1000; ++i) {  // more than a start keeps in memory
            Record record = make_record(i);
            record.text += std::string(3000, 'x');
            REQUIRE(f.append(record).offset == i + 1);
        }
        f.start();
        const std::vector<char> bytes = f.disk->files().at(f.path);
        const std::string text{bytes.begin(), bytes.end()};
        for (std::size_t at = text.find("text "); at != std::string::npos;
             at = text.find("text ", at + 1)) {
            f.disk->decay(f.path, at);
        }
        const auto read = f.store->read("#a", 150, 30);
        REQUIRE_FALSE(read);
        CHECK(read.error() == Errc::storage_failed);
        Record edit = make_record(1000);
        edit.act = {.kind = Act::Kind::edit, .target = 151};
        CHECK(f.append(edit).error == Errc::storage_failed);
        REQUIRE(f.store->failure());
        CHECK(f.store->failure()->text.find("it is damaged") != std::string::npos);
    }
    SECTION("but if another program has written the file, that is as before") {
        f.start();
        {
            auto other = Database::open(f.path, OpenMode::read_write);
            REQUIRE(other);
            REQUIRE(other->run("UPDATE record SET text='other' WHERE offset=7") == SQLITE_OK);
            REQUIRE(other->run("PRAGMA wal_checkpoint(PASSIVE)") == SQLITE_OK);
        }
        CHECK(f.store->read("#a", 6, 1)->front().record.text == "other");
        CHECK(f.append(make_record(30)).error == Errc{});
        f.store.reset();
        CHECK_FALSE(std::filesystem::exists(f.start_file));
        f.start();
        CHECK(f.known(31).size() == 30);  // one has another text
        f.store.reset();
        CHECK(read_start_file(f.path));
    }
}

/// Gives some words of a piece others, and the piece the sum of these. A piece is: how many words,
/// their sum, the words.
void alter(std::string& bytes, memory::Random& random) {
    const auto word_at = [&](std::size_t at) {
        std::uint64_t word = 0;
        std::memcpy(&word, &bytes[at], sizeof word);
        return word;
    };
    std::vector<std::size_t> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += 16 + 8 * word_at(at)) pieces.push_back(at);
    const std::size_t piece = pieces[random.draw(1, pieces.size() - 1)];
    const std::uint64_t count = word_at(piece);
    for (std::uint64_t changes = random.draw(1, 3); changes > 0; --changes) {
        const std::uint64_t any = random.draw(0, ~std::uint64_t{0} - 1);
        const std::uint64_t values[] = {any, any % 70, ~std::uint64_t{0}, any & 0xffff'ffff};
        const std::uint64_t value = values[random.draw(0, 3)];
        std::memcpy(&bytes[piece + 16 + 8 * random.draw(0, count - 1)], &value, sizeof value);
    }
    const std::uint64_t sum = sum_of(as_bytes(bytes).subspan(piece + 16, 8 * count));
    std::memcpy(&bytes[piece + 8], &sum, sizeof sum);
}

TEST_CASE("no words in a file of a start do harm", "[sqlite][start]") {
    StartFixture f;
    f.append_many(0, 60);
    f.store.reset();
    const std::uint64_t seed = test::seed();
    INFO("seed=" << seed);
    memory::Random random{seed};
    std::string left = read_file(f.start_file);
    std::size_t starts = 0;
    for (int i = 0; i < 300; ++i) {
        std::string bad = left;
        alter(bad, random);
        write_file(f.start_file, bad);
        if (!read_start_file(f.path)) continue;
        auto opened =
            Store::open({.path = f.path, .durability = Durability::process}, Entropy::seeded(1));
        if (!opened) {  // it was the sum of a page
            CHECK(opened.error().text.find("it is damaged") != std::string::npos);
            continue;
        }
        ++starts;
        f.store = *std::move(opened);
        REQUIRE(f.store->open_room("#a", f.retention));
        for (std::size_t number : {50, 61, 62}) (void)f.append(make_record(number));
        f.store.reset();
        std::filesystem::remove(f.start_file);  // so that all is read
        f.start();
        f.store.reset();
        left = read_file(f.start_file);
    }
    CHECK(starts > 10);
}

}  // namespace
}  // namespace quicchat

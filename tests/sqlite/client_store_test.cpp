#include "quicchat/sqlite/client_store.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "sqlite/temporary_folder.hpp"

using namespace quicchat;
using namespace quicchat::sqlite;
using namespace quicchat::test;

namespace {

ClientStore open_store(const std::string& path, const std::string& account = "ada@chat:1") {
    auto store = ClientStore::open(path, account, Entropy::seeded(7));
    if (!store) FAIL(store.error().text);
    return *std::move(store);
}

OutboxChange keep(unsigned number, std::string text, std::string room = "#lobby") {
    UnsentMessage message{.room = std::move(room), .to = {}, .id = {{std::byte(number)}}};
    message.text = std::move(text);
    message.attributes = "{}";
    return {std::move(message), true};
}
OutboxChange forget(unsigned number, std::string room = "#lobby") {
    return {{.room = std::move(room), .to = {}, .id = {{std::byte(number)}}}, false};
}

std::vector<std::string> texts(const ClientStore& store) {
    std::vector<std::string> all;
    for (const UnsentMessage& message : store.unsent()) all.push_back(message.text);
    return all;
}

DeviceToken token(std::uint64_t generation, unsigned octet) {
    std::array<std::byte, device_token_bytes> key;
    key.fill(std::byte(octet));
    return {generation, Secret{key}};
}

}  // namespace

TEST_CASE("a client's store", "[sqlite]") {
    const TemporaryFolder folder;
    const std::string path = folder.file("client.db");

    SECTION("is the same device for ever, and another file another one") {
        const DeviceId device = open_store(path).device();
        CHECK(device != DeviceId{});
        CHECK(open_store(path).device() == device);
        auto other = ClientStore::open(folder.file("other.db"), "ada@chat:1", Entropy::seeded(8));
        REQUIRE(other);
        CHECK(other->device() != device);
    }
    SECTION("gives back what has no answer, in the order of sending") {
        {
            ClientStore store = open_store(path);
            CHECK(store.unsent().empty());
            REQUIRE_FALSE(store.apply(std::vector{keep(1, "one"), keep(2, "two")}));
            REQUIRE_FALSE(store.apply(std::vector{keep(3, "three"), forget(1)}));
        }
        {
            ClientStore store = open_store(path);
            CHECK(texts(store) == std::vector<std::string>{"two", "three"});
            CHECK(store.unsent()[0].room == "#lobby");
            CHECK(store.unsent()[0].id == MessageId{{std::byte{2}}});
            CHECK(store.unsent()[0].attributes == "{}");
            // Restoring reports them once more, which changes nothing.
            REQUIRE_FALSE(store.apply(std::vector{keep(2, "two"), keep(3, "three")}));
        }
        CHECK(texts(open_store(path)) == std::vector<std::string>{"two", "three"});
    }
    SECTION("gives back all of an act") {
        std::vector<OutboxChange> changes{keep(1, "hello"), keep(2, "helo"), keep(3, "noise")};
        changes[1].message.act = {.kind = Act::Kind::edit, .target = (Offset{1} << 62) - 1};
        changes[2].message.act = {.kind = Act::Kind::role,
                                  .subject = "bob",
                                  .value = static_cast<std::uint64_t>(Role::banned),
                                  .until = WallTime{std::chrono::hours{500'000}}};
        REQUIRE_FALSE(open_store(path).apply(changes));
        const ClientStore store = open_store(path);
        REQUIRE(store.unsent().size() == changes.size());
        for (std::size_t i = 0; i < changes.size(); ++i) {
            CHECK(store.unsent()[i].act == changes[i].message.act);
        }
    }
    SECTION("takes what the first version of the file had for messages") {
        REQUIRE_FALSE(make_database_file(path));
        {
            Entropy entropy = Entropy::seeded(7);
            auto old = open_database({.path = path,
                                      .application_id = client_application_id,
                                      .versions = std::span{client_migrations}.first(1)},
                                     entropy);
            REQUIRE(old);
            REQUIRE(old->run("INSERT INTO unsent VALUES(1, 'ada@chat:1', '#lobby', '', "
                             "x'01000000000000000000000000000000', 'hello', '{}')") == SQLITE_OK);
        }
        const ClientStore store = open_store(path);
        REQUIRE(texts(store) == std::vector<std::string>{"hello"});
        CHECK(store.unsent()[0].act == Act{});
    }
    SECTION("tells rooms, people and accounts apart") {
        {
            ClientStore store = open_store(path);
            OutboxChange told = keep(1, "psst", "");
            told.message.to = "bob";
            REQUIRE_FALSE(store.apply(std::vector{keep(1, "a", "#a"), keep(1, "b", "#b"), told}));
            REQUIRE_FALSE(store.apply(std::vector{forget(1, "#a")}));
        }
        CHECK(texts(open_store(path, "eve@chat:1")).empty());
        const ClientStore store = open_store(path);
        CHECK(texts(store) == std::vector<std::string>{"b", "psst"});
        CHECK(store.unsent()[1].to == "bob");
    }
    SECTION("keeps the newest token of each account") {
        {
            ClientStore store = open_store(path);
            CHECK_FALSE(store.token());
            REQUIRE_FALSE(store.keep(token(1, 0x11)));
            REQUIRE_FALSE(store.keep(token(2, 0x22)));
        }
        CHECK_FALSE(open_store(path, "eve@chat:1").token());
        {
            ClientStore store = open_store(path);
            REQUIRE(store.token());
            CHECK(store.token()->generation == 2);
            CHECK(store.token()->key.view()[31] == std::byte{0x22});
            REQUIRE_FALSE(store.forget_token());
        }
        CHECK_FALSE(open_store(path).token());
    }
    SECTION("has no token where a damaged one stands, and takes a new one") {
        REQUIRE_FALSE(open_store(path).keep(token(1, 0x11)));
        for (const char* damage :
             {"key=x'11'", "key=x''", "generation=0", "key=zeroblob(100000)"}) {
            CAPTURE(damage);
            {
                auto file = Database::open(path, OpenMode::read_write);
                REQUIRE(file);
                REQUIRE(file->run(std::string{"UPDATE token SET "} + damage) == SQLITE_OK);
            }
            {
                ClientStore store = open_store(path);
                CHECK_FALSE(store.token());
                REQUIRE_FALSE(store.keep(token(2, 0x22)));
            }
            const ClientStore again = open_store(path);
            REQUIRE(again.token());
            CHECK(again.token()->generation == 2);
        }
    }
    SECTION("gives the newest address token of each account away once") {
        using Token = std::vector<std::uint8_t>;
        {
            ClientStore store = open_store(path);
            CHECK(store.take_address_token().empty());
            store.keep_address_token(Token{1, 2, 3});
            store.keep_address_token(Token{4, 5});
            store.keep_address_token(Token{});
            store.keep_address_token(Token(513, 6));
        }
        CHECK(open_store(path, "ada@chat:2").take_address_token().empty());
        {
            ClientStore store = open_store(path);
            CHECK(store.take_address_token() == Token{4, 5});
            CHECK(store.take_address_token().empty());
        }
        CHECK(open_store(path).take_address_token().empty());
        open_store(path).keep_address_token(Token(512, 7));
        CHECK(open_store(path).take_address_token() == Token(512, 7));
    }
    SECTION("has no address token where a damaged one stands") {
        const std::vector<std::uint8_t> good{1, 2, 3};
        for (const char* damage : {"zeroblob(100000)", "x''"}) {
            open_store(path).keep_address_token(good);
            {
                auto file = Database::open(path, OpenMode::read_write);
                REQUIRE(file);
                REQUIRE(file->run(std::string{"UPDATE address_token SET token="} + damage) ==
                        SQLITE_OK);
            }
            ClientStore store = open_store(path);
            CHECK(store.take_address_token().empty());
            store.keep_address_token(good);
            CHECK(store.take_address_token() == good);
        }
    }
    SECTION("has room for address tokens in a file that an earlier version wrote") {
        REQUIRE_FALSE(make_database_file(path));
        {
            Entropy entropy = Entropy::seeded(7);
            auto old = open_database({.path = path,
                                      .application_id = client_application_id,
                                      .versions = std::span{client_migrations}.first(2)},
                                     entropy);
            REQUIRE(old);
            const DeviceToken login = token(3, 0x33);
            Statement insert{*old, "INSERT INTO token VALUES('ada@chat:1', 3, ?1)"};
            REQUIRE(insert.run(login.key.view()) == SQLITE_OK);
        }
        ClientStore store = open_store(path);
        REQUIRE(store.token());
        CHECK(store.token()->generation == 3);
        CHECK(store.take_address_token().empty());
        store.keep_address_token(std::vector<std::uint8_t>{1});
        CHECK(store.take_address_token().size() == 1);
    }
    SECTION("does not grow by tokens that come and go") {
        ClientStore store = open_store(path);
        for (unsigned i = 0; i < 4000; ++i) {
            store.keep_address_token(std::vector<std::uint8_t>(40, 1));
            CHECK(store.take_address_token().size() == 40);
        }
        CHECK(std::filesystem::file_size(path + "-wal") < 8u << 20);
    }
    SECTION("belongs to one program at a time") {
        const ClientStore store = open_store(path);
        const auto second = ClientStore::open(path, "ada@chat:1", Entropy::seeded(9));
        REQUIRE_FALSE(second);
        CHECK(second.error().text.find("uses it") != std::string::npos);
    }
    SECTION("is no server's database") {
        REQUIRE_FALSE(make_database_file(path));
        Entropy entropy = Entropy::seeded(1);
        REQUIRE(open_database({.path = path}, entropy));
        const auto store = ClientStore::open(path, "ada@chat:1", Entropy::seeded(9));
        REQUIRE_FALSE(store);
        CHECK(store.error().text.find("another program") != std::string::npos);
    }
    SECTION("takes what it did not take while another program had locked it") {
        const std::vector changes{keep(1, "one"), keep(2, "two"), forget(1)};
        ClientStore store = open_store(path);
        auto other = Database::open(path, OpenMode::read_write);
        REQUIRE(other);
        REQUIRE(other->run("BEGIN IMMEDIATE") == SQLITE_OK);
        CHECK(store.apply(changes));
        CHECK(store.may_pass());
        CHECK(store.keep(token(1, 0x11)));
        CHECK(store.may_pass());
        CHECK(store.forget_token());
        REQUIRE(other->run("ROLLBACK") == SQLITE_OK);
        REQUIRE_FALSE(store.apply(changes));
        REQUIRE_FALSE(store.apply(changes));
        REQUIRE_FALSE(store.keep(token(2, 0x22)));

        REQUIRE(other->run("DROP TABLE unsent") == SQLITE_OK);
        CHECK(store.apply(changes));
        CHECK_FALSE(store.may_pass());
    }
    SECTION("does not grow without end") {
        ClientStore store = open_store(path);
        for (unsigned i = 0; i < 3000; ++i) {
            const unsigned number = i % 250;
            REQUIRE_FALSE(store.apply(std::vector{keep(number, std::string(1000, 'x'))}));
            REQUIRE_FALSE(store.apply(std::vector{forget(number)}));
        }
        CHECK(std::filesystem::file_size(folder.file("client.db-wal")) < 12'000'000);
        CHECK(std::filesystem::file_size(folder.file("client.db")) < 1'000'000);
    }
}

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/files/file_index.hpp"

using namespace quicchat;

namespace {

LoggedRecord file(Offset offset, std::uint64_t size, std::byte id = std::byte{1}) {
    Record record{};
    record.author = "ada";
    record.id.bytes[0] = id;
    record.act = {.kind = Act::Kind::file, .value = size};
    return {offset, record};
}

LoggedRecord other(Offset offset, Act act = {}) {
    Record record{};
    record.author = "ada";
    record.act = std::move(act);
    return {offset, record};
}

std::size_t unwanted(FileIndex& index) {
    std::size_t count = 0;
    while (index.poll_unwanted()) ++count;
    return count;
}

}  // namespace

TEST_CASE("an index of files follows the records", "[server]") {
    FileIndex index;
    constexpr Epoch epoch{7};
    index.note("#a", epoch, file(1, 10), 1);
    index.note("#a", epoch, file(2, 20, std::byte{2}), 1);
    index.note("#b", epoch, file(1, 30), 1);
    CHECK(index.bytes() == 60);
    CHECK(index.bytes("#a") == 30);
    CHECK(index.bytes("#none") == 0);
    CHECK(index.bytes_of("Ada") == 60);
    CHECK(index.bytes_of("bob") == 0);
    CHECK(index.keys().size() == 3);
    CHECK(index.find("#a", 1) == file_key("#a", epoch, file(1, 10).record));
    CHECK_FALSE(index.find("#a", 3));
    CHECK_FALSE(index.find("#none", 1));

    SECTION("a deletion takes its file away, and no other") {
        index.note("#a", epoch, other(3, {.kind = Act::Kind::deletion, .target = 1}), 1);
        CHECK(index.poll_unwanted() == file_key("#a", epoch, file(1, 10).record));
        CHECK_FALSE(index.poll_unwanted());
        CHECK(index.bytes("#a") == 20);
        CHECK(index.bytes_of("ada") == 50);
        index.note("#a", epoch, other(4, {.kind = Act::Kind::deletion, .target = 3}), 1);
        CHECK(unwanted(index) == 0);
    }
    SECTION("what the log has dropped goes") {
        index.note("#a", epoch, other(3), 2);
        CHECK(unwanted(index) == 1);
        CHECK(index.find("#a", 2));
        index.note("#a", epoch, other(4), 4);
        CHECK(unwanted(index) == 1);
        CHECK(index.bytes("#a") == 0);
        CHECK(index.bytes() == 30);
    }
    SECTION("a room that is forgotten takes its files along") {
        index.forget("#a");
        index.forget("#none");
        CHECK(unwanted(index) == 2);
        CHECK(index.bytes() == 30);
    }
    SECTION("it says which records matter to it") {
        CHECK(index.concerns("#a", {}));
        CHECK_FALSE(index.concerns("#none", {}));
        CHECK(index.concerns("#none", {.kind = Act::Kind::file}));
    }
}

TEST_CASE("the key of a file tells room, log, author, device and id apart", "[server]") {
    const Record record = file(1, 1).record;
    const std::string key = file_key("#a", Epoch{1}, record);
    CHECK(file_key("#a", Epoch{1}, file(9, 1).record) == key);
    CHECK(file_key("#b", Epoch{1}, record) != key);
    CHECK(file_key("#a", Epoch{2}, record) != key);
    Record changed = record;
    changed.author = "bob";
    CHECK(file_key("#a", Epoch{1}, changed) != key);
    changed = record;
    changed.device.bytes[0] = std::byte{1};
    CHECK(file_key("#a", Epoch{1}, changed) != key);
    changed = record;
    changed.id.bytes[15] = std::byte{1};
    CHECK(file_key("#a", Epoch{1}, changed) != key);
}

TEST_CASE("an index of files says once which are announced", "[server]") {
    FileIndex index;
    CHECK_FALSE(index.poll_announced());
    index.note("#a", Epoch{7}, file(1, 10), 1);
    index.note("#a", Epoch{7}, other(2), 1);
    CHECK(index.poll_announced() == index.find("#a", 1));
    CHECK_FALSE(index.poll_announced());
}

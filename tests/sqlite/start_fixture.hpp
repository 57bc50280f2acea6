#pragma once

#include <poll.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite/store.hpp"
#include "sqlite/faulty_disk.hpp"
#include "sqlite/temporary_folder.hpp"

namespace quicchat::test {

inline Record make_record(std::size_t number) {
    Record record;
    record.id.bytes[0] = static_cast<std::byte>(number);
    record.id.bytes[1] = static_cast<std::byte>(number >> 8);
    record.device.bytes[0] = static_cast<std::byte>(number % 3);
    record.author = number % 2 == 0 ? "ada" : "bob";
    record.text = "text " + std::to_string(number) + std::string(300, 'x');
    record.attributes = "{}";
    return record;
}

/// A server's database that is ended and started again.
class StartFixture {
public:
    StartFixture() { start(); }

    void start() {
        store.reset();
        auto opened = sqlite::Store::open({.path = path,
                                           .durability = Durability::process,
                                           .commit = {.wal_pages_max = 20},
                                           .vfs = disk ? disk->vfs() : std::string{}},
                                          Entropy::seeded(1));
        if (!opened) FAIL(opened.error().text);
        store = *opened;
        REQUIRE(store->open_room("#a", retention));
    }

    LogNews append(Record record) {
        store->append(1, "#a", std::move(record));
        std::optional<LogNews> news;
        while (!(news = store->poll_news())) {
            pollfd wake{store->wake_fd(), POLLIN, 0};
            REQUIRE(::poll(&wake, 1, 60'000) == 1);
        }
        return *news;
    }

    void append_many(std::size_t first, std::size_t count) {
        for (std::size_t i = first; i < first + count; ++i) {
            REQUIRE(append(make_record(i)).error == Errc{});
        }
    }

    /// Which of the first records are known as such.
    std::set<std::size_t> known(std::size_t count) {
        std::set<std::size_t> found;
        for (std::size_t i = 0; i < count; ++i) {
            store->look_up(1, "#a", make_record(i));
            std::optional<LogNews> news;
            while (!(news = store->poll_news())) {
                pollfd wake{store->wake_fd(), POLLIN, 0};
                REQUIRE(::poll(&wake, 1, 60'000) == 1);
            }
            if (news->error != Errc{}) continue;
            CHECK(news->offset == i + 1);
            found.insert(i);
        }
        return found;
    }

    /// From the next start on, where there is nothing yet.
    void use_faulty_disk() {
        store.reset();
        disk = std::make_unique<FaultyDisk>(DiskFiles{{path, {}}});
    }

    std::unique_ptr<FaultyDisk> disk;
    Retention retention{40, 1'000'000, 25};
    TemporaryFolder folder;
    std::string path = folder.file("chat.db");
    std::string start_file = path + ".start";
    std::shared_ptr<sqlite::Store> store;
};

}  // namespace quicchat::test

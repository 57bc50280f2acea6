#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/sqlite.hpp"
#include "sqlite/temporary_folder.hpp"
#include "support/printers.hpp"

// To be run with -fsanitize=thread as well (preset "tsan" or QUICCHAT_SANITIZE=thread).

namespace quicchat {
namespace {

using namespace sqlite;

Record make_record(std::uint64_t number) {
    Record record;
    for (std::size_t i = 0; i < 8; ++i) {
        record.id.bytes[i] = static_cast<std::byte>(number >> (8 * i));
    }
    record.author = "ada";
    record.text = std::string(20 + number % 50, 'x');
    return record;
}

TEST_CASE("a store is written, read and administered at the same time", "[sqlite][threads]") {
    const test::TemporaryFolder folder;
    const std::string path = folder.file("chat.db");
    constexpr std::uint64_t appends = 5000;
    constexpr std::uint64_t outstanding_max = 300;
    const std::vector<std::string> rooms{"#a", "#b", "#c"};
    auto opened = Store::open({.path = path,
                               .durability = Durability::process,
                               .commit = {.records_per_commit_max = 64, .wal_pages_max = 100}},
                              Entropy::seeded(1));
    REQUIRE(opened);
    const std::shared_ptr<Store> store = *opened;
    SqliteAccounts book{store};
    for (const std::string& room : rooms) REQUIRE(store->open_room(room, {50, 1'000'000}));

    std::atomic<bool> is_over{false};
    std::atomic<bool> has_failed{false};
    std::thread admin_thread{[&] {
        auto admin = AccountAdmin::open(path, Entropy::seeded(2));
        for (int i = 0; admin && !is_over && i < 300; ++i) {
            (void)admin->add("u" + std::to_string(i), Verifier{{}, 4096, {}, {}}, {});
            (void)admin->list_accounts();
        }
    }};
    std::thread watcher{[&] {
        while (!is_over) {
            if (store->failure()) has_failed = true;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    }};

    std::map<std::string, Offset> heads;
    std::uint64_t asked = 0;
    std::uint64_t done = 0;
    while (done < appends) {
        while (asked < appends && asked - done < outstanding_max) {
            ++asked;
            store->append(asked, rooms[asked % 3], make_record(asked));
            if (asked % 10 == 0) {
                Device device;
                device.id.bytes[0] = static_cast<std::byte>(asked / 10);
                book.save_device("u0", device);
            }
        }
        pollfd wake{store->wake_fd(), POLLIN, 0};
        REQUIRE(::poll(&wake, 1, 20'000) == 1);
        while (const auto completion = store->poll_news()) {
            REQUIRE(completion->token == ++done);
            REQUIRE(completion->error == Errc{});
            REQUIRE(completion->offset == ++heads[completion->room]);
            if (done % 7 != 0) continue;
            // All that `head` promises is there, whatever the writer does meanwhile.
            const LogHead head = store->head(completion->room);
            const auto records = store->read(completion->room, head.first - 1, 100);
            REQUIRE(records);
            REQUIRE(records->size() == head.head - head.first + 1);
            REQUIRE(records->front().offset == head.first);
            REQUIRE(book.find_device("u0", DeviceId{}));
            book.accounts();
        }
    }
    is_over = true;
    admin_thread.join();
    watcher.join();
    CHECK_FALSE(has_failed);
    CHECK(book.accounts().find("u0") != nullptr);
}

}  // namespace
}  // namespace quicchat

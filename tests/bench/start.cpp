// What a database with many records costs when it is opened: time, memory and the list of files.
// `start --help` says how to use it.

#include <poll.h>
#include <sqlite3.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "process_figures.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

const std::string room = "#lobby";

// By name: earlier versions, which this is compared with, have not all of its members.
Retention retention() {
    Retention all;
    all.records_max = 100'000'000;
    all.bytes_max = 1ull << 40;
    return all;
}

std::shared_ptr<sqlite::Store> open(const std::string& path) {
    auto store = sqlite::Store::open({.path = path, .durability = Durability::process},
                                     Entropy::seeded(1));
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().text.c_str());
        std::exit(1);
    }
    return *store;
}

/// True once for each record that is stored. Earlier versions have another name for it.
template <class Store>
bool poll(Store& store) {
    if constexpr (requires { store.poll_news(); }) {
        return store.poll_news().has_value();
    } else {
        return store.poll_completion().has_value();
    }
}

/// A message of 100 bytes, of one of twenty devices.
Record make_record(std::uint64_t number) {
    Record record;
    // As clients choose them: in no order.
    std::uint64_t random = number * 0x9e3779b97f4a7c15;
    for (std::size_t i = 0; i < 16; ++i) {
        record.id.bytes[i] = static_cast<std::byte>(random >> (8 * (i % 8)));
        if (i == 7) random = (random ^ (random >> 31)) * 0xbf58476d1ce4e5b9;
    }
    record.device.bytes[0] = static_cast<std::byte>(number % 20);
    record.author = "user" + std::to_string(number % 20);
    record.text = std::string(100, '.');
    return record;
}

void fill(const std::string& path, std::uint64_t count) {
    const std::shared_ptr<sqlite::Store> store = open(path);
    (void)store->open_room(room, retention());
    std::uint64_t asked = 0;
    for (std::uint64_t done = 0; done < count;) {
        for (; asked < count && asked - done < 2000; ++asked) {
            store->append(asked, room, make_record(asked));
        }
        pollfd wake{store->wake_fd(), POLLIN, 0};
        (void)::poll(&wake, 1, 1000);
        while (poll(*store)) ++done;
    }
}

void measure(const std::string& path) {
    const ProcessFigures before = measure_process();
    const std::shared_ptr<sqlite::Store> store = open(path);
    (void)store->open_room(room, retention());
    const ProcessFigures after = measure_process();
    int highest = 0;
    int current = 0;
    (void)sqlite3_status(SQLITE_STATUS_PAGECACHE_OVERFLOW, &current, &highest, 0);
    const ProcessFigures asking = measure_process();
    const auto files = store->files(room);
    const ProcessFigures asked = measure_process();
    const auto ms = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e6; };
    std::printf("start %.0f ms, %.1f MiB more resident (%.1f MiB are pages of SQLite), "
                "files() %.3f ms for %zu\n",
                ms(after.cpu_ns - before.cpu_ns),
                static_cast<double>(after.resident_kib - before.resident_kib) / 1024,
                static_cast<double>(current) / (1024 * 1024), ms(asked.cpu_ns - asking.cpu_ns),
                files ? files->size() : 0);
}

constexpr std::string_view help =
    "What it costs to open a database with many records. Times are of the processor.\n"
    "\n"
    "  start FILE            opens it, and says what that took\n"
    "  start FILE --fill N   puts N messages of 100 bytes into one room of it\n";

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} != "--help") {
        measure(argv[1]);
    } else if (argc == 4 && std::string_view{argv[2]} == "--fill") {
        fill(argv[1], std::stoull(argv[3]));
    } else {
        std::fputs(help.data(), argc == 2 ? stdout : stderr);
        return argc == 2 ? 0 : 64;
    }
    return 0;
}

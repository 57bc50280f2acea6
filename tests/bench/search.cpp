// What a search costs the server: how long one takes through a full room, and how long a turn is at
// the most. `search` for a room in memory, `search FOLDER` for one in a database.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "quicchat/log/memory_log.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"
#include "support/known_accounts.hpp"

using namespace quicchat;

namespace {

constexpr Retention much{4096, 1 << 30};

struct Figures {
    int turns = 0;
    double total_ms = 0;
    double longest_ms = 0;
};

void fill(RoomLog& log, std::size_t bytes) {
    for (std::uint64_t i = 1; i <= much.records_max; ++i) {
        Record record{{}, {}, "ada", std::string(bytes, 'x'), "{}", {}};
        for (std::size_t n = 0; n < 8; ++n)
            record.id.bytes[n] = static_cast<std::byte>(i >> (8 * n));
        log.append(i, "#a", std::move(record), {});
    }
    for (std::uint64_t done = 0; done < much.records_max;) {
        if (log.poll_news()) ++done;
    }
}

/// So many searches at once, each in a stream of its own, until all are answered.
Figures search(Hub& hub, const std::string& words, unsigned count) {
    Pages& pages = hub.pages();
    for (unsigned i = 0; i < count; ++i) {
        (void)hub.open_page({ConnectionId{1}, "ada", {}}, StreamId{4 * i},
                            wire::SearchRequest{1, "#a", words, varint_max, 100});
    }
    Figures figures;
    while (pages.is_searching()) {
        const std::clock_t begin = std::clock();  // of the processor: others may be busy, too
        pages.look();
        pages.send(
            {}, [](ConnectionId, StreamId, const Bytes&) { return true; },
            [](ConnectionId, StreamId) {});
        const double ms = 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        ++figures.turns;
        figures.total_ms += ms;
        figures.longest_ms = std::max(figures.longest_ms, ms);
    }
    return figures;
}

template <class Log>
void measure(Log log, std::size_t bytes) {
    (void)log.open("#a", much);
    fill(log, bytes);
    const ServerConfig config{.rooms = {"#a"}, .limits = {.pages_per_connection_max = 100}};
    const test::KnownAccounts nobody;
    Hub hub{std::move(log), config, nobody};
    if (hub.open(config.rooms)) std::abort();
    const std::string hard = "xy xz xa xb xc xd xe xf";
    for (const auto& [words, count] : {std::pair{std::string{"none"}, 1u},
                                       {std::string{"green tea"}, 1u},
                                       {hard, 1u},
                                       {std::string{"none"}, 100u},
                                       {hard, 100u}}) {
        const Figures f = search(hub, words, count);
        std::printf(
            "%5zu bytes, %3u searches for \"%s\": %.2f ms each, %d turns, longest %.2f ms\n", bytes,
            count, words.c_str(), f.total_ms / count, f.turns, f.longest_ms);
    }
}

}  // namespace

int main(int argc, char** argv) {
    for (const std::size_t bytes : {100u, 4000u}) {
        if (argc < 2) {
            measure(MemoryLog{Entropy::seeded(1)}, bytes);
            continue;
        }
        const std::string path = std::string{argv[1]} + "/search" + std::to_string(bytes) + ".db";
        std::filesystem::remove(path);
        auto store = sqlite::Store::open({.path = path, .durability = Durability::process},
                                         Entropy::seeded(1));
        if (!store) return std::fprintf(stderr, "%s\n", store.error().text.c_str()), 1;
        measure(SqliteLog{*std::move(store)}, bytes);
    }
}

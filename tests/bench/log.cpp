// Figures of the room logs: how many appends are acknowledged per second, and how long one takes,
// at each level of safety. `log --help` says how to use it.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process_figures.hpp"
#include "quicchat/log/memory_log.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

constexpr std::size_t message_bytes = 100;
/// As rooms have it.
constexpr Retention retention{.records_max = 4096,
                              .bytes_max = 16 * 1024 * 1024,
                              .ids_max = 1000,
                              .age_min = std::chrono::hours{24 * 7}};

/// `messages` were acknowledged in `seconds`.
struct Figures {
    double per_second = 0;
    double p50_us = 0;
    double p99_us = 0;
};

/// A message that was not seen before, of one of twenty devices.
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
    record.text = std::string(message_bytes, '.');
    return record;
}

/// Keeps `outstanding` appends in four rooms under way for a while.
template <class Wait>
Figures measure(RoomLog& log, std::size_t outstanding, double seconds, const Wait& wait) {
    const std::vector<std::string> rooms{"#a", "#b", "#c", "#d"};
    for (const std::string& room : rooms) (void)log.open(room, retention);
    std::vector<std::uint64_t> asked_ns;
    std::vector<double> latencies;
    const std::uint64_t begin = monotonic_ns();
    const std::uint64_t end = begin + static_cast<std::uint64_t>(seconds * 1e9);
    while (monotonic_ns() < end) {
        while (asked_ns.size() - latencies.size() < outstanding) {
            const std::uint64_t number = asked_ns.size();
            asked_ns.push_back(monotonic_ns());
            log.append(number, rooms[number % rooms.size()], make_record(number), {});
        }
        wait();
        while (const auto done = log.poll_news()) {
            if (done->error != Errc{}) {
                std::fprintf(stderr, "an append failed\n");
                std::exit(1);
            }
            latencies.push_back(static_cast<double>(monotonic_ns() - asked_ns[*done->token]) /
                                1000);
        }
    }
    const double wall = static_cast<double>(monotonic_ns() - begin) / 1e9;
    const double per_second = static_cast<double>(latencies.size()) / wall;
    return {per_second, percentile(latencies, 0.50), percentile(latencies, 0.99)};
}

Figures measure_memory(std::size_t outstanding, double seconds) {
    MemoryLog log{Entropy::seeded(1)};
    return measure(log, outstanding, seconds, [] {});
}

Figures measure_sqlite(const std::filesystem::path& folder, Durability durability,
                       std::size_t records_per_commit, std::size_t outstanding, double seconds) {
    const std::string path = (folder / "bench.db").string();
    Figures figures;
    {
        auto store = sqlite::Store::open({.path = path,
                                          .durability = durability,
                                          .commit = {.records_per_commit_max = records_per_commit}},
                                         Entropy::seeded(1));
        if (!store) {
            std::fprintf(stderr, "%s\n", store.error().text.c_str());
            std::exit(1);
        }
        SqliteLog log{*store};
        figures = measure(log, outstanding, seconds, [&] {
            pollfd wake{(*store)->wake_fd(), POLLIN, 0};
            (void)::poll(&wake, 1, 1000);
        });
    }
    std::filesystem::remove(path);
    std::filesystem::remove(path + ".lock");
    return figures;
}

/// The disk alone, as a commit in a WAL uses it: two frames behind the last ones and a sync, and
/// the file from the beginning again where a WAL is. The p50.
double measure_sync(const std::filesystem::path& folder, double seconds) {
    constexpr std::size_t frame_bytes = 24 + 4096;
    constexpr std::size_t commits = sqlite::CommitConfig{}.wal_pages_max / 2;
    const std::string path = (folder / "bench.sync").string();
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::string frame(frame_bytes, 'x');
    std::vector<double> latencies;
    const std::uint64_t end = monotonic_ns() + static_cast<std::uint64_t>(seconds * 1e9);
    while (monotonic_ns() < end) {
        const std::uint64_t begin = monotonic_ns();
        const std::size_t at = latencies.size() % commits * 2 * frame_bytes;
        bool is_good = true;
        for (const std::size_t place : {at, at + frame_bytes}) {
            is_good = is_good && ::pwrite(fd, frame.data(), frame_bytes,
                                          static_cast<off_t>(place)) == frame_bytes;
        }
        if (!is_good || ::fdatasync(fd) != 0) break;
        latencies.push_back(static_cast<double>(monotonic_ns() - begin) / 1000);
    }
    ::close(fd);
    std::filesystem::remove(path);
    return percentile(latencies, 0.50);
}

/// What an append at level fsync takes beyond one at level process and the sync itself, one at a
/// time. All three in turn, since a disk is not always as quick.
void report_alone(const std::filesystem::path& folder, double seconds) {
    constexpr int rounds = 5;
    std::vector<double> sync;
    std::vector<double> process;
    std::vector<double> fsync;
    std::vector<double> beyond;
    for (int i = 0; i < rounds; ++i) {
        const double share = seconds / rounds;
        sync.push_back(measure_sync(folder, share));
        process.push_back(measure_sqlite(folder, Durability::process, 256, 1, share).p50_us);
        fsync.push_back(measure_sqlite(folder, Durability::fsync, 256, 1, share).p50_us);
        beyond.push_back(fsync.back() - process.back() - sync.back());
    }
    std::printf(
        "\none append at a time, p50: %.0f us at process, %.0f us at fsync; two frames of a WAL "
        "and "
        "their sync %.0f us;\nfsync beyond both: %.0f us\n",
        percentile(process, 0.50), percentile(fsync, 0.50), percentile(sync, 0.50),
        percentile(beyond, 0.50));
}

void print(const char* level, const char* commits, const Figures& f, double baseline) {
    std::printf("%-8s  %-21s  %9.0f  %8.0f  %8.0f  %8.1f x\n", level, commits, f.per_second,
                f.p50_us, f.p99_us, f.per_second / baseline);
}

void report(const std::filesystem::path& folder, std::size_t outstanding, double seconds) {
    const Figures memory = measure_memory(outstanding, seconds);
    const auto sqlite = [&](Durability durability, std::size_t records, std::size_t waiting) {
        return measure_sqlite(folder, durability, records, waiting, seconds);
    };
    const Figures process = sqlite(Durability::process, 256, outstanding);
    const Figures process_single = sqlite(Durability::process, 1, outstanding);
    const Figures fsync = sqlite(Durability::fsync, 256, outstanding);
    const Figures fsync_single = sqlite(Durability::fsync, 1, outstanding);
    const Figures fsync_alone = sqlite(Durability::fsync, 256, 1);

    std::printf("level     records per commit     acked / s    p50 us    p99 us  to fsync, 1\n");
    const double baseline = fsync_single.per_second;
    print("memory", "-", memory, baseline);
    print("process", "up to 256", process, baseline);
    print("process", "1", process_single, baseline);
    print("fsync", "up to 256", fsync, baseline);
    print("fsync", "1 (the baseline)", fsync_single, baseline);
    print("fsync", "one append at a time", fsync_alone, baseline);
    report_alone(folder, seconds);
}

constexpr std::string_view help =
    "Measures the room logs: appends of 100 bytes to four rooms, acknowledged at each level.\n"
    "\n"
    "  log [--folder F] [--outstanding N] [--seconds S]\n"
    "\n"
    "  --folder F       where to write; of the disk to be measured (a new folder in this one)\n"
    "  --outstanding N  appends under way at a time; 600 fill commits of 256 (600)\n"
    "  --seconds S      seconds per measurement (3)\n";

}  // namespace

int main(int argc, char** argv) {
    std::filesystem::path folder;
    std::size_t outstanding = 600;
    double seconds = 3;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const char* value = i + 1 < argc ? argv[++i] : nullptr;
        if (option == "--folder" && value) {
            folder = value;
        } else if (option == "--outstanding" && value) {
            outstanding = std::stoul(value);
        } else if (option == "--seconds" && value) {
            seconds = std::stod(value);
        } else {
            std::fputs(help.data(), option == "--help" ? stdout : stderr);
            return option == "--help" ? 0 : 64;
        }
    }
    const bool is_ours = folder.empty();
    if (is_ours) {
        std::string name = "bench-log-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) {
            std::perror("cannot make a folder here");
            return 1;
        }
        folder = name;
    }
    report(folder, outstanding, seconds);
    if (is_ours) std::filesystem::remove_all(folder);
    return 0;
}

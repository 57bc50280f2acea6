#pragma once

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <vector>

namespace quicchat::bench {

/// What a process has used so far.
struct ProcessFigures {
    std::uint64_t cpu_ns = 0;
    std::uint64_t resident_kib = 0;
};

inline std::uint64_t read_clock_ns(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(t.tv_nsec);
}

inline std::uint64_t monotonic_ns() { return read_clock_ns(CLOCK_MONOTONIC); }

/// Of the calling process.
inline ProcessFigures measure_process() {
    std::uint64_t total_pages = 0;
    std::uint64_t resident_pages = 0;
    std::ifstream{"/proc/self/statm"} >> total_pages >> resident_pages;
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return {read_clock_ns(CLOCK_PROCESS_CPUTIME_ID), resident_pages * page / 1024};
}

/// The value that `share` (0 to 1) of the samples do not exceed. Sorts them.
inline double percentile(std::vector<double>& samples, double share) {
    if (samples.empty()) return 0;
    std::sort(samples.begin(), samples.end());
    const auto last = static_cast<double>(samples.size() - 1);
    return samples[static_cast<std::size_t>(last * share)];
}

}  // namespace quicchat::bench

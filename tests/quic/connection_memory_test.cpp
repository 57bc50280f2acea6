#include "quicchat/quic/connection_memory.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat::quic;

namespace {

/// As ngtcp2 uses it.
struct Taker {
    const ngtcp2_mem& mem;

    void* take(std::size_t bytes) const { return mem.malloc(bytes, mem.user_data); }
    void give_back(void* memory) const { mem.free(memory, mem.user_data); }
};

bool is_zero(const void* memory, std::size_t bytes) {
    const auto* first = static_cast<const unsigned char*>(memory);
    return std::all_of(first, first + bytes, [](unsigned char byte) { return byte == 0; });
}

}  // namespace

TEST_CASE("what a connection gives back is what the next one gets", "[quic]") {
    if (ConnectionMemory::kept_bytes_max == 0) SKIP("nothing is kept under AddressSanitizer");
    ConnectionMemory memory;
    const Taker taker{*memory.get()};
    // The C library may give a larger piece than it was asked for, which is one of another size
    // then.
    std::size_t reused = 0;
    for (std::size_t bytes = 1; bytes <= ConnectionMemory::piece_bytes_max; ++bytes) {
        void* first = taker.take(bytes);
        std::memset(first, 0xff, bytes);
        const std::size_t before = memory.kept_bytes();
        taker.give_back(first);
        REQUIRE(memory.kept_bytes() >= before + bytes);
        void* second = taker.take(bytes);
        reused += second == first ? 1 : 0;
        taker.give_back(second);
    }
    CHECK(reused > 400);
}

TEST_CASE("pieces of a connection's memory do not overlap", "[quic]") {
    ConnectionMemory memory;
    const Taker taker{*memory.get()};
    for (int round = 0; round < 3; ++round) {
        std::vector<std::pair<unsigned char*, std::size_t>> pieces;
        for (std::size_t bytes = 1; bytes <= 700; bytes += 3) {
            pieces.emplace_back(static_cast<unsigned char*>(taker.take(bytes)), bytes);
            std::memset(pieces.back().first, static_cast<int>(bytes % 256), bytes);
        }
        for (const auto& [first, bytes] : pieces) {
            const auto value = static_cast<unsigned char>(bytes % 256);
            REQUIRE(std::all_of(first, first + bytes,
                                [value](unsigned char byte) { return byte == value; }));
            taker.give_back(first);
        }
    }
}

TEST_CASE("memory that is asked for as zeros is zeros, and what grows keeps what it had",
          "[quic]") {
    ConnectionMemory memory;
    const Taker taker{*memory.get()};
    void* used = taker.take(96);
    std::memset(used, 0xff, 96);
    taker.give_back(used);
    void* cleared = taker.mem.calloc(12, 8, taker.mem.user_data);
    CHECK(is_zero(cleared, 96));

    std::memset(cleared, 0x55, 96);
    void* grown = taker.mem.realloc(cleared, 4000, taker.mem.user_data);
    CHECK(std::memcmp(grown, std::vector<char>(96, 0x55).data(), 96) == 0);
    taker.give_back(grown);
    void* large = taker.mem.calloc(100, 100, taker.mem.user_data);
    CHECK(is_zero(large, 10'000));
    taker.give_back(large);
    taker.give_back(nullptr);
}

TEST_CASE("an endpoint keeps a bounded amount of its connections' memory", "[quic]") {
    if (ConnectionMemory::kept_bytes_max == 0) SKIP("nothing is kept under AddressSanitizer");
    ConnectionMemory memory;
    const Taker taker{*memory.get()};
    std::vector<void*> pieces;
    for (int i = 0; i < 20'000; ++i) pieces.push_back(taker.take(144));
    // The bound is one of each size, and the C library makes some pieces larger than it was asked.
    std::set<std::size_t> sizes;
    for (void* piece : pieces) sizes.insert(malloc_usable_size(piece));
    for (void* piece : pieces) taker.give_back(piece);
    CHECK(memory.kept_bytes() >= ConnectionMemory::kept_bytes_max);
    CHECK(memory.kept_bytes() < sizes.size() * (ConnectionMemory::kept_bytes_max + 512));
    const std::size_t before = memory.kept_bytes();
    taker.give_back(taker.take(5000));
    CHECK(memory.kept_bytes() == before);
}

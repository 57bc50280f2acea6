#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/wire/frame_assembler.hpp"
#include "quicchat/wire/varint.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

using Frames = std::vector<std::pair<std::uint64_t, std::string>>;

/// Takes all whole frames; they are copied, since the next `push` ends their life.
void take_all(FrameAssembler& assembler, Frames& frames) {
    while (true) {
        const Result<std::optional<FrameView>> frame = assembler.next();
        REQUIRE(frame);
        if (!*frame) return;
        frames.emplace_back((*frame)->type, test::to_hex((*frame)->payload));
    }
}

/// A header that promises `length` bytes.
Buffer header(std::uint64_t length) {
    Buffer bytes;
    append_varint(bytes, 0x24);
    append_varint(bytes, length);
    return bytes;
}

}  // namespace

TEST_CASE("a frame assembler puts frames together from any two cuts", "[wire]") {
    // Four frames: empty, short, with a type and a length in longer forms, and one of two bytes.
    const Buffer bytes = test::hex("2000 2203aabbcc 4031 8000000101 2602ffee");
    const Frames expected{{0x20, ""}, {0x22, "aa bb cc"}, {0x31, "01"}, {0x26, "ff ee"}};

    for (std::size_t first = 0; first <= bytes.size(); ++first) {
        for (std::size_t second = first; second <= bytes.size(); ++second) {
            FrameAssembler assembler{64};
            Frames frames;
            const BytesView view{bytes};
            for (const BytesView piece :
                 {view.first(first), view.subspan(first, second - first), view.subspan(second)}) {
                assembler.push(piece);
                take_all(assembler, frames);
            }
            CHECK(frames == expected);
            CHECK(assembler.at_boundary());
        }
    }
}

TEST_CASE("a frame assembler puts frames together from single bytes", "[wire]") {
    const Buffer bytes = test::hex("2000 2203aabbcc 4031 8000000101");
    FrameAssembler assembler{64};
    Frames frames;
    std::vector<bool> boundaries;
    for (const std::byte byte : bytes) {
        assembler.push(BytesView{&byte, 1});
        take_all(assembler, frames);
        boundaries.push_back(assembler.at_boundary());
    }
    CHECK(frames.size() == 3);
    CHECK(boundaries == std::vector<bool>{false, true, false, false, false, false, true, false,
                                          false, false, false, false, false, true});
}

TEST_CASE("a frame assembler", "[wire]") {
    SECTION("waits for a header that is not whole") {
        FrameAssembler assembler{64};
        for (const char* part : {"c0", "000000", "00000020", "40"}) {
            assembler.push(test::hex(part));
            const Result<std::optional<FrameView>> frame = assembler.next();
            REQUIRE(frame);
            CHECK_FALSE(*frame);
            CHECK_FALSE(assembler.at_boundary());
        }
        assembler.push(test::hex("01 77"));
        Frames frames;
        take_all(assembler, frames);
        CHECK(frames == Frames{{0x20, "77"}});
    }

    SECTION("takes a frame of just the limit") {
        FrameAssembler assembler{100};
        assembler.push(header(100));
        assembler.push(Buffer(100));
        CHECK((*assembler.next())->payload.size() == 100);
    }

    SECTION("refuses a longer one at its header, before it takes memory") {
        const auto length = GENERATE(as<std::uint64_t>{}, 101, 65'536, 1u << 31, varint_max);
        FrameAssembler assembler{100};
        assembler.push(header(length));
        CHECK(assembler.next().error() == Errc::frame_too_large);
        CHECK(assembler.memory() < 64);
        CHECK(assembler.next().error() == Errc::frame_too_large);  // and stays with it
    }

    SECTION("applies a limit that grew to the frame it is in") {
        FrameAssembler assembler{10};
        assembler.set_frame_bytes_max(100);
        assembler.push(header(100));
        CHECK(assembler.next());
    }

    SECTION("gives the memory of a long frame back once it was taken") {
        FrameAssembler assembler{64 * 1024};
        assembler.push(header(60'000));
        assembler.push(Buffer(60'000));
        CHECK((*assembler.next())->payload.size() == 60'000);
        CHECK_FALSE(*assembler.next());
        CHECK(assembler.memory() <= 1024);
        CHECK(assembler.at_boundary());
    }

    SECTION("holds no more than an incomplete frame, however many went before") {
        FrameAssembler assembler{64 * 1024};
        Buffer stream;
        for (int i = 0; i < 1000; ++i) append(stream, test::hex("2203aabbcc"));
        append(stream, test::hex("2203aa"));
        Frames frames;
        assembler.push(stream);
        take_all(assembler, frames);
        assembler.push(test::hex("bb"));
        take_all(assembler, frames);
        CHECK(frames.size() == 1000);
        CHECK_FALSE(assembler.at_boundary());
        assembler.push(test::hex("cc"));
        take_all(assembler, frames);
        CHECK(frames.size() == 1001);
    }
}

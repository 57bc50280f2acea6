#include <cstddef>
#include <cstdint>
#include <span>

#include "frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    quicchat::test::fuzz_frames(std::as_bytes(std::span{data, size}));
    return 0;
}

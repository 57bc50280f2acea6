#include <cstddef>
#include <cstdint>
#include <span>

#include "codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    quicchat::test::fuzz_codec(std::as_bytes(std::span{data, size}));
    return 0;
}

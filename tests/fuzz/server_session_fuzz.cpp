#include <cstddef>
#include <cstdint>
#include <span>

#include "server_session.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    quicchat::test::fuzz_server_session(std::as_bytes(std::span{data, size}));
    return 0;
}

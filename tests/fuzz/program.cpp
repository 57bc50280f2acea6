// What libFuzzer calls, in each of the programs. QUICCHAT_FUZZ_TARGET names the target: an argument
// would be lost where libFuzzer begins itself anew (-fork, -merge).

#include "program.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace {

void (*find_target())(quicchat::BytesView) {
    const char* const name = std::getenv("QUICCHAT_FUZZ_TARGET");
    for (const quicchat::test::FuzzTarget& target : quicchat::test::fuzz_targets()) {
        if (name != nullptr && target.name == name) return target.run;
    }
    std::fputs("QUICCHAT_FUZZ_TARGET is none of:", stderr);
    for (const quicchat::test::FuzzTarget& target : quicchat::test::fuzz_targets()) {
        std::fprintf(stderr, " %.*s", static_cast<int>(target.name.size()), target.name.data());
    }
    std::fputs("\n", stderr);
    std::exit(64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto run = find_target();
    run(std::as_bytes(std::span{data, size}));
    return 0;
}

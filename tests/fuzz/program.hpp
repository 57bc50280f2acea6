#pragma once

#include <span>
#include <string_view>

#include "quicchat/base/bytes.hpp"

namespace quicchat::test {

/// One thing to try any bytes on. It ends the process when something is wrong.
struct FuzzTarget {
    std::string_view name;
    void (*run)(BytesView bytes);
};

/// Those of this program. Several share one, since most of the time goes into compiling what they
/// include.
std::span<const FuzzTarget> fuzz_targets();

}  // namespace quicchat::test

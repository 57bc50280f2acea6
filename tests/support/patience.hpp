#pragma once

#include <cstdlib>

#include "quicchat/base/time.hpp"

namespace quicchat::test {

/// How long a test that waits for a real clock does so: QUICCHAT_TEST_TIMEOUT_SCALE times `time`,
/// for machines that are busy with other things.
inline Duration patience(Duration time) {
    const char* scale = std::getenv("QUICCHAT_TEST_TIMEOUT_SCALE");
    const double factor = scale != nullptr ? std::strtod(scale, nullptr) : 0;
    if (factor <= 0) return time;
    return Duration{static_cast<Duration::rep>(static_cast<double>(time.count()) * factor)};
}

}  // namespace quicchat::test

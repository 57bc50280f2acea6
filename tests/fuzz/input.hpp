#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "quicchat/base/bytes.hpp"

namespace quicchat::test {

/// The fuzzer's bytes, taken from the front: some steer, the rest is what a peer sends.
class FuzzInput {
public:
    explicit FuzzInput(BytesView bytes) : bytes_(bytes) {}

    bool empty() const { return bytes_.empty(); }
    std::uint8_t octet() {
        if (bytes_.empty()) return 0;
        const auto value = std::to_integer<std::uint8_t>(bytes_[0]);
        bytes_ = bytes_.subspan(1);
        return value;
    }
    /// Up to `count_max` bytes.
    BytesView take(std::size_t count_max) {
        const BytesView taken = bytes_.first(std::min(count_max, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }
    BytesView rest() const { return bytes_; }

private:
    BytesView bytes_;
};

/// What must hold for all inputs, also where asserts are off.
inline void must(bool holds) {
    if (!holds) std::abort();
}

}  // namespace quicchat::test

#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/entropy.hpp"
#include "support/seed.hpp"
#include "tests_dir.hpp"

// The targets of tests/fuzz as seeded tests.

namespace quicchat::test {

inline std::vector<Buffer> read_corpus(const std::string& target) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry :
         std::filesystem::directory_iterator{QUICCHAT_TESTS_DIR "/fuzz/corpus/" + target}) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Buffer> inputs;
    for (const auto& path : paths) {
        std::ifstream file{path, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{file}, {}};
        const BytesView bytes = as_bytes(text);
        inputs.emplace_back(bytes.begin(), bytes.end());
    }
    return inputs;
}

/// A few bytes changed, added, removed, or taken from another input.
inline Buffer vary(const std::vector<Buffer>& inputs, Entropy& entropy) {
    const auto draw = [&](std::size_t count) {
        return static_cast<std::size_t>(entropy.draw_number() % count);
    };
    Buffer input = inputs[draw(inputs.size())];
    for (std::size_t changes = 1 + draw(6); changes > 0; --changes) {
        const std::size_t place = draw(input.size() + 1);
        const auto at = input.begin() + static_cast<std::ptrdiff_t>(place);
        const Buffer& other = inputs[draw(inputs.size())];
        const std::size_t from = draw(other.size() + 1);
        switch (draw(5)) {
            case 0:
                input.insert(at, entropy.draw<1>()[0]);
                break;
            case 1:
                input.erase(
                    at, at + static_cast<std::ptrdiff_t>(std::min(input.size() - place, draw(8))));
                break;
            case 2:
                input.insert(at, other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
                break;
            default:
                if (place < input.size()) input[place] = entropy.draw<1>()[0];
        }
    }
    return input;
}

inline void run_corpus(const std::string& target, void (*fuzz)(BytesView), int count) {
    INFO("seed=" << seed());
    const std::vector<Buffer> inputs = read_corpus(target);
    REQUIRE_FALSE(inputs.empty());
    for (const Buffer& input : inputs) fuzz(input);
    fuzz({});
    Entropy entropy = Entropy::seeded(seed());
    for (int i = 0; i < count; ++i) fuzz(vary(inputs, entropy));
    SUCCEED("a target that finds a fault ends the program");
}

}  // namespace quicchat::test

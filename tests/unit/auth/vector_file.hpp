#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests_dir.hpp"

namespace quicchat::test {

/// The vectors of a file in tests/vectors that has sections: a `Vector` has a name and values.
template <class Vector>
std::vector<Vector> read_vectors(const std::string& name) {
    std::ifstream file{QUICCHAT_TESTS_DIR "/vectors/" + name};
    REQUIRE(file.is_open());
    std::vector<Vector> vectors;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        if (line.front() == '[') {
            vectors.push_back({line.substr(1, line.size() - 2), {}});
            continue;
        }
        const std::size_t equals = line.find(" = ");
        REQUIRE(equals != std::string::npos);
        REQUIRE_FALSE(vectors.empty());
        vectors.back().values[line.substr(0, equals)] = line.substr(equals + 3);
    }
    return vectors;
}

}  // namespace quicchat::test

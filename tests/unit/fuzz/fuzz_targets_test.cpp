#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "fuzz/client_session.hpp"
#include "fuzz/codec.hpp"
#include "fuzz/frames.hpp"
#include "fuzz/known_servers.hpp"
#include "fuzz/names.hpp"
#include "fuzz/scram.hpp"
#include "fuzz/search.hpp"
#include "fuzz/server.hpp"
#include "fuzz/server_session.hpp"
#include "fuzz/tokens.hpp"
#include "quicchat/base/entropy.hpp"
#include "support/literals.hpp"
#include "support/seed.hpp"
#include "tests_dir.hpp"

using namespace quicchat;

// The fuzz targets of tests/fuzz, with every compiler: the corpus, and some thousand variations.

namespace {

std::vector<Buffer> read_corpus(const std::string& target) {
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
Buffer vary(const std::vector<Buffer>& inputs, Entropy& entropy) {
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

void run(const std::string& target, void (*fuzz)(BytesView), int count) {
    INFO("seed=" << test::seed());
    const std::vector<Buffer> inputs = read_corpus(target);
    REQUIRE_FALSE(inputs.empty());
    for (const Buffer& input : inputs) fuzz(input);
    fuzz({});
    Entropy entropy = Entropy::seeded(test::seed());
    for (int i = 0; i < count; ++i) fuzz(vary(inputs, entropy));
    SUCCEED("a target that finds a fault ends the program");
}

}  // namespace

TEST_CASE("frames come out of an assembler whatever bytes go in", "[fuzz]") {
    run("frames", test::fuzz_frames, 5000);
}
TEST_CASE("what the codec reads, it writes", "[fuzz]") { run("codec", test::fuzz_codec, 5000); }
TEST_CASE("a search finds what a plain search finds", "[fuzz]") {
    run("search", test::fuzz_search, 5000);
}
TEST_CASE("names are those of the rules, written down once more", "[fuzz]") {
    run("names", test::fuzz_names, 5000);
}
TEST_CASE("a file of known servers keeps what it says", "[fuzz]") {
    run("known_servers", test::fuzz_known_servers, 3000);
}
TEST_CASE("nobody logs in by messages that no password made", "[fuzz]") {
    run("scram", test::fuzz_scram, 300);
}
TEST_CASE("nobody logs in by what is no token", "[fuzz]") {
    run("tokens", test::fuzz_tokens, 1000);
}
TEST_CASE("a server session survives any client", "[fuzz]") {
    run("server_session", test::fuzz_server_session, 3000);
}
TEST_CASE("a client session survives any server", "[fuzz]") {
    run("client_session", test::fuzz_client_session, 3000);
}
TEST_CASE("an honest client does not notice what strangers do to its server", "[fuzz]") {
    run("server", test::fuzz_server, 300);
}

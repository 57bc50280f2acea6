#include "quicchat/base/mention.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests_dir.hpp"

using namespace quicchat;

namespace {

std::vector<std::string> mentions_in(std::string_view text) {
    std::vector<std::string> names;
    for_each_mention(text, [&](std::string_view name) {
        names.emplace_back(name);
        return true;
    });
    return names;
}

}  // namespace

TEST_CASE("mentions are found as the vectors say", "[base]") {
    std::ifstream file{QUICCHAT_TESTS_DIR "/vectors/mentions.txt"};
    REQUIRE(file);
    int count = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        const auto vector = nlohmann::json::parse(line);
        const auto text = vector.at("text").get<std::string>();
        INFO(line);
        CHECK(mentions_in(text) == vector.at("names").get<std::vector<std::string>>());
        for (const auto& name : mentions_in(text)) CHECK(mentions(text, name));
        ++count;
    }
    CHECK(count > 25);
}

TEST_CASE("a text mentions somebody whatever the case of the name", "[base]") {
    CHECK(mentions("@Bob!", "bOB"));
    CHECK(mentions("@eve @carl @bob", "bob"));
    CHECK_FALSE(mentions("@bobby", "bob"));
    CHECK_FALSE(mentions("@bob", "bobby"));
    CHECK_FALSE(mentions("bob", "bob"));
    CHECK_FALSE(mentions("", "bob"));
}

TEST_CASE("looking for mentions ends when it is told to", "[base]") {
    int seen = 0;
    for_each_mention("@a @b @c", [&](std::string_view) { return ++seen < 2; });
    CHECK(seen == 2);
}

#include <cstddef>
#include <fstream>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "quicchat/base/display_name.hpp"
#include "tests_dir.hpp"

namespace quicchat {
namespace {

TEST_CASE("display names are those of the corpus", "[base]") {
    std::ifstream corpus{QUICCHAT_TESTS_DIR "/vectors/display_names.txt"};
    std::size_t count = 0;
    for (std::string line; std::getline(corpus, line);) {
        if (line.empty() || line.front() == '#') continue;
        INFO(line);
        const bool is_good = line.starts_with("good ");
        REQUIRE((is_good || line.starts_with("bad ")));
        const auto name = nlohmann::json::parse(line.substr(line.find('"'))).get<std::string>();
        CHECK(is_display_name(name) == is_good);
        ++count;
    }
    CHECK(count > 30);
}

TEST_CASE("a display name", "[base]") {
    SECTION("is UTF-8") {
        for (const char* bad : {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
            CHECK_FALSE(is_display_name(bad));
        }
    }
    SECTION("has no character that is invisible or steers, at any place") {
        for (std::uint32_t c = 0; c < 0xe0100; ++c) {
            if (!detail::is_misleading(c) && !detail::is_control(c)) continue;
            std::string text = "a";
            if (c < 0x80) {
                text += static_cast<char>(c);
            } else if (c < 0x800) {
                text += static_cast<char>(0xc0 | (c >> 6));
                text += static_cast<char>(0x80 | (c & 0x3f));
            } else if (c < 0x10000) {
                text += static_cast<char>(0xe0 | (c >> 12));
                text += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
                text += static_cast<char>(0x80 | (c & 0x3f));
            } else {
                text += static_cast<char>(0xf0 | (c >> 18));
                text += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
                text += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
                text += static_cast<char>(0x80 | (c & 0x3f));
            }
            INFO(c);
            CHECK_FALSE(is_display_name(text + "b"));
            CHECK_FALSE(is_display_name(text));
        }
    }
    SECTION("is as long as the caller says for other lines") {
        CHECK(is_plain_line(std::string(255, 'x'), 255));
        CHECK_FALSE(is_plain_line(std::string(256, 'x'), 255));
    }
}

TEST_CASE("combining marks", "[base]") {
    for (const std::uint32_t c : {0x300u, 0x34eu, 0x350u, 0x36fu, 0x591u, 0x20d0u, 0x1e94au}) {
        CHECK(is_combining(c));
    }
    for (const std::uint32_t c :
         {0x0u, 'a' + 0u, 0x2ffu, 0x34fu, 0x370u, 0x200du, 0xfe0fu, 0x1f468u, 0x10ffffu}) {
        CHECK_FALSE(is_combining(c));
    }
    std::uint32_t end = 0;
    for (const detail::CharacterRange& range : detail::combining_marks) {
        CHECK(range.first >= end);
        CHECK(range.last >= range.first);
        end = range.last + 1;
    }
}

}  // namespace
}  // namespace quicchat

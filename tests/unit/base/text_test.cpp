#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/base/text.hpp"

using namespace quicchat;
using namespace std::string_view_literals;

TEST_CASE("clean text", "[base]") {
    SECTION("is UTF-8 of every length, at the borders of each") {
        const auto text = GENERATE(as<std::string_view>{}, "", "hello", "tab\tand\nnewline",
                                   "\xc2\xa0", "\xdf\xbf",                   // U+A0, U+7FF
                                   "\xe0\xa0\x80", "\xed\x9f\xbf",           // U+800, U+D7FF
                                   "\xee\x80\x80", "\xef\xbf\xbf",           // U+E000, U+FFFF
                                   "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf");  // U+10000, U+10FFFF
        CHECK(is_clean_text(text));
        CHECK(is_clean_text("a" + std::string{text} + "z"));
    }

    SECTION("has no overlong forms (RFC 3629 §3)") {
        const auto text = GENERATE(as<std::string_view>{}, "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
                                   "\xe0\x9f\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf",
                                   "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80");
        CHECK_FALSE(is_clean_text(text));
    }

    SECTION("has no surrogates and nothing above U+10FFFF") {
        const auto text = GENERATE(as<std::string_view>{}, "\xed\xa0\x80", "\xed\xbf\xbf",
                                   "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff");
        CHECK_FALSE(is_clean_text(text));
    }

    SECTION("is not cut, and continues only where something began") {
        const auto text = GENERATE(as<std::string_view>{}, "\xc3", "\xe2\x82", "\xf0\x9f\x98",
                                   "\xe2\x82z", "\xc3z", "\x80", "\xbf", "a\x80");
        CHECK_FALSE(is_clean_text(text));
        CHECK_FALSE(is_clean_text("before " + std::string{text}));
    }

    SECTION("has no control characters but tab and newline") {
        for (int c = 0; c < 0x20; ++c) {
            INFO("U+" << c);
            CHECK(is_clean_text(std::string(1, static_cast<char>(c))) == (c == '\t' || c == '\n'));
        }
        CHECK_FALSE(is_clean_text("\x7f"));
        CHECK_FALSE(is_clean_text("\x1b[2J"));
        for (int c = 0x80; c < 0xa0; ++c) {
            const std::string c1{'\xc2', static_cast<char>(c)};
            CHECK_FALSE(is_clean_text(c1));
        }
        CHECK_FALSE(is_clean_text("nul\0inside"sv));
    }

    SECTION("is looked at eight bytes at a time, and each of them counts") {
        for (int c = 0; c < 0x100; ++c) {
            const bool is_plain = c >= 0x20 && c < 0x7f;
            for (std::size_t at = 0; at < 25; ++at) {
                std::string text(25, at % 2 == 0 ? ' ' : '~');
                text[at] = static_cast<char>(c);
                INFO("byte " << c << " at " << at);
                CHECK(detail::count_plain(text) == (is_plain ? text.size() : at));
                CHECK(is_clean_text(text) == (is_plain || c == '\t' || c == '\n'));
            }
        }
        static_assert(is_clean_text("a constant text is judged as well") && !is_clean_text("\x7f"));
    }
}

TEST_CASE("a text is cleaned and cut", "[base]") {
    CHECK(cleaned_text("hello", 100) == "hello");
    CHECK(cleaned_text("a\x1b[31m\xff\xc3"
                       "b\n\x7f\xc2\x85"
                       "c",
                       100) == "a[31mb\nc");
    CHECK(cleaned_text("hello", 3) == "hel");
    CHECK(cleaned_text("\xc3\xa4\xc3\xa4", 3) == "\xc3\xa4");
    CHECK(cleaned_text("", 3).empty());
    CHECK(cleaned_text("\xf0\x9f\x91\x8b", 3).empty());
}

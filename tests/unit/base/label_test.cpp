#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/base/label.hpp"

using namespace quicchat;

TEST_CASE("a label is a text in one line that looks like what it is", "[base]") {
    SECTION("in any language") {
        const auto text = GENERATE(as<std::string_view>{}, "a", "Ada Lovelace", "Zo\xc3\xab",
                                   "\xe5\xb1\xb1\xe7\x94\xb0", "\xf0\x9f\x91\xa9", "e\xcc\x81",
                                   "holiday plan (2).pdf");
        CHECK(is_label(text, 64));
    }
    SECTION("and nothing that hides, steers or pretends") {
        const auto text = GENERATE(as<std::string_view>{}, "", " a", "a ", "a\nb", "a\tb", "a\rb",
                                   "\x1b[31m", "a\x7f", "a\xc2\x9b", "a\xff",
                                   "\xe2\x80\xae"
                                   "fdp.exe",        // right-to-left override
                                   "a\xe2\x81\xa6",  // an isolate
                                   "a\xe2\x80\x8b", "a\xef\xbb\xbf", "a\xc2\xad",  // invisible
                                   "a\xe2\x80\xa8", "\xe3\x85\xa4",  // a line separator, a filler
                                   "a\xf3\xa0\x81\x81");             // a tag character
        INFO(text);
        CHECK_FALSE(is_label(text, 64));
    }
    SECTION("of so many bytes, with so many marks in a row") {
        CHECK(is_label(std::string(64, 'a'), 64));
        CHECK_FALSE(is_label(std::string(65, 'a'), 64));
        const auto piled = [](int marks) {
            std::string text = "a";
            for (int i = 0; i < marks; ++i) text += "\xcc\x81";
            return text + "b";
        };
        CHECK(is_label(piled(8), 64));
        CHECK_FALSE(is_label(piled(9), 64));
    }
}

TEST_CASE("the name of a file is no path", "[base]") {
    CHECK(is_file_name("a.txt"));
    CHECK(is_file_name("..."));
    CHECK(is_file_name(std::string(255, 'n')));
    for (const char* name : {"", ".", "..", "/etc/passwd", "a/b", "a\\b", "../a"}) {
        INFO(name);
        CHECK_FALSE(is_file_name(name));
    }
    CHECK_FALSE(is_file_name(std::string(256, 'n')));
    CHECK_FALSE(is_file_name(std::string_view{"a\0b", 3}));
}

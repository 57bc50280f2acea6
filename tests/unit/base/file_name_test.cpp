#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/file_name.hpp"

using namespace quicchat;

TEST_CASE("the name of a file is no path", "[base]") {
    for (const char* name : {"a.txt", "...", "holiday plan (2).pdf",
                             "gr\xc3\xb6\xc3\x9f"
                             "e.txt"}) {
        INFO(name);
        CHECK(is_file_name(name));
    }
    CHECK(is_file_name(std::string(255, 'n')));
    for (const char* name :
         {"", ".", "..", "/etc/passwd", "a/b", "a\\b", "../a", " a", "a\nb", "\x1b[31m",
          "\xe2\x80\xae"
          "fdp.exe"}) {
        INFO(name);
        CHECK_FALSE(is_file_name(name));
    }
    CHECK_FALSE(is_file_name(std::string(256, 'n')));
    CHECK_FALSE(is_file_name(std::string_view{"a\0b", 3}));
}

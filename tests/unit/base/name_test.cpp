#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/base/name.hpp"

using namespace quicchat;

TEST_CASE("a user's name", "[base]") {
    SECTION("is made of ASCII letters, digits, _ . and -") {
        for (int c = 0; c < 256; ++c) {
            const char letter = static_cast<char>(c);
            const bool allowed = std::string_view{"_.-"}.find(letter) != std::string_view::npos ||
                                 (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                 (c >= 'A' && c <= 'Z');
            INFO("character " << c);
            CHECK(is_user_name(std::string(1, letter)) == allowed);
            CHECK(is_room_name(std::string{'#', letter}) == allowed);
        }
    }

    SECTION("has 1 to 32 bytes") {
        CHECK_FALSE(is_user_name(""));
        CHECK(is_user_name(std::string(32, 'a')));
        CHECK_FALSE(is_user_name(std::string(33, 'a')));
    }
}

TEST_CASE("a room's name", "[base]") {
    CHECK(is_room_name("#a"));
    CHECK_FALSE(is_room_name("#"));
    CHECK_FALSE(is_room_name(""));
    CHECK_FALSE(is_room_name("lobby"));
    CHECK_FALSE(is_room_name("##a"));
    CHECK_FALSE(is_room_name("@ada,@bob"));
    CHECK(is_room_name("#" + std::string(63, 'a')));
    CHECK_FALSE(is_room_name("#" + std::string(64, 'a')));
}

TEST_CASE("names are compared without case, by ASCII alone", "[base]") {
    CHECK(canonical_name("AdA.Z-9_") == "ada.z-9_");
    CHECK(canonical_name("\xc3\x84@[`{") == "\xc3\x84@[`{");
}

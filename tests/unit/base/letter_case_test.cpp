#include "quicchat/base/letter_case.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/text.hpp"

using namespace quicchat;

TEST_CASE("letters are folded to those that they are compared by", "[base]") {
    SECTION("in ASCII, Latin, Greek and Cyrillic") {
        for (const auto& [text, folded] : {std::pair{"Green TEA_9", "green tea_9"},
                                           {"ÀÖØÞ ÿŸ", "àöøþ ÿÿ"},
                                           {"ĀĮĲĶĹŇŊŶŹŽ", "āįĳķĺňŋŷźž"},
                                           {"ΆΈΊΌΎΏΑΡΣΫ", "άέίόύώαρσϋ"},
                                           {"ΟΔΥΣΣΕΥΣ οδυσσευς", "οδυσσευσ οδυσσευσ"},
                                           {"ЀЏАЯѠҀҊҾӀӁӐӾԀ", "ѐџаяѡҁҋҿӏӂӑӿԁ"},
                                           {"µ ſ", "μ s"}}) {
            CHECK(fold_case(text) == folded);
        }
    }
    SECTION("and all else stays as it is") {
        // Letters whose folding is longer, small letters, marks, other alphabets, emoji.
        for (const char* text : {"İıŉß", "ªº×÷", "e\xcc\x81", "Ḁẞ", "ԱՖ", "Ⴀ", "ＡＺ", "👍🏽",
                                 "\t\n", "ĸ", "ϒ", "҂҃"}) {
            CHECK(fold_case(text) == text);
        }
    }
    SECTION("also what is not UTF-8") {
        CHECK(fold_case("\xc3") == "\xc3");
        CHECK(fold_case("A\xff\xc3\x84\xed\xa0\x80Z") == "a\xff\xc3\xa4\xed\xa0\x80z");
    }
    SECTION("once and for all") {
        for (std::uint32_t c = 0; c < 0x3000; ++c) {
            CHECK(fold_letter(fold_letter(c)) == fold_letter(c));
            const bool has_case = c < 0x180 || (c >= 0x370 && c < 0x530);
            if (!has_case) CHECK(fold_letter(c) == c);
        }
    }
}

#include "quicchat/base/search_words.hpp"

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/entropy.hpp"
#include "support/printers.hpp"

using namespace quicchat;

TEST_CASE("the words of a search are the texts between spaces", "[base]") {
    CHECK(SearchWords{"green tea"}.size() == 2);
    CHECK(SearchWords{"  green   tea "}.size() == 2);
    CHECK(SearchWords{"green"}.size() == 1);
    CHECK(SearchWords{"green\ttea\n"}.size() == 1);
    CHECK(SearchWords{"   "}.size() == 0);
    CHECK(SearchWords{""}.size() == 0);
}

TEST_CASE("a text has the words of a search if each stands somewhere in it", "[base]") {
    const SearchWords words{"Tea green"};
    CHECK(words.are_in("green tea"));
    CHECK(words.are_in("I like TEA, if it is Green"));
    CHECK(words.are_in("evergreensteal"));
    CHECK_FALSE(words.are_in("green coffee"));
    CHECK_FALSE(words.are_in("te a green"));
    CHECK_FALSE(words.are_in(""));
    CHECK(SearchWords{"GRÖSSE чай"}.are_in("Чай in jeder Größse: größsse, grösse"));
    CHECK_FALSE(SearchWords{"größe"}.are_in("GRÖSSE"));  // a letter is compared with a letter
    CHECK(SearchWords{"green\ttea"}.are_in("Green\tTea"));
    CHECK_FALSE(SearchWords{"green\ttea"}.are_in("green tea"));
    CHECK(SearchWords{"\" * NOT ( 'x' --"}.are_in("'X' -- NOT (\"*\")"));  // no language
}

TEST_CASE("what cannot be searched for is refused", "[base]") {
    CHECK(check_search("tea") == Errc{});
    CHECK(check_search(std::string(256, 'x')) == Errc{});
    CHECK(check_search(std::string(257, 'x')) == Errc::message_too_long);
    CHECK(check_search(std::string(1 << 20, 'x')) == Errc::message_too_long);
    CHECK(check_search("") == Errc::invalid_request);
    CHECK(check_search("    ") == Errc::invalid_request);
    for (const char* bad : {"\x1b[2J", "a\x7f", "\xc2\x85", "\xc3", "\xed\xa0\x80", "a\rb"}) {
        CHECK(check_search(bad) == Errc::invalid_text);
    }
}

TEST_CASE("a word is found wherever a plain search finds it") {
    Entropy random = Entropy::seeded(7);
    const auto draw = [&](std::size_t letters, std::size_t length_max) {
        // Few letters, so that beginnings and ends of words repeat; some have two octets.
        static constexpr const char* alphabet[] = {"a", "b", "д", "е", "c"};
        std::string text;
        for (std::size_t n = 1 + random.draw_number() % length_max; n > 0; --n) {
            text += alphabet[random.draw_number() % letters];
        }
        return text;
    };
    std::size_t found = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::size_t letters = 1 + static_cast<std::size_t>(i) % 5;
        const std::string text = draw(letters, 40);
        const std::string word = draw(letters, 8);
        const bool is_there = text.find(word) != std::string::npos;
        CAPTURE(text, word);
        REQUIRE(SearchWords{word}.are_in(text) == is_there);
        found += is_there ? 1 : 0;
    }
    CHECK(found > 5000);
}

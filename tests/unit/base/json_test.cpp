#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <nlohmann/json.hpp>

#include "quicchat/base/json.hpp"
#include "support/seed.hpp"

using namespace quicchat;

namespace {

std::string repeat(std::string_view text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("attributes are one JSON object", "[base]") {
    SECTION("with any values inside") {
        const auto text = GENERATE(as<std::string_view>{}, "{}", " { } ", R"({"a":1})",
                                   R"({"a":null,"b":[1,2.5,"x",true]})", R"({"a":{"b":{"c":[]}}})",
                                   "{\"\xc3\xa4\":\"\\u00e4\"}", R"({"a":1,"a":2})");
        CHECK(is_json_object(text, 16));
    }

    SECTION("and nothing else") {
        const auto text = GENERATE(
            as<std::string_view>{}, "", " ", "null", "1", "\"x\"", "[]", "[{}]", "{}{}", "{} x",
            "{", "}", "{\"a\"}", "{a:1}", "{'a':1}", "{\"a\":1,}", "{\"a\":NaN}", "{\"a\":1e999}",
            "{\"a\":01}", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}", "{\"a\":1} // comment",
            "{\"a\":\"\n\"}", std::string_view{"{}\0", 3}, std::string_view{"{\"a\":1\0}", 8});
        INFO(text);
        CHECK_FALSE(is_json_object(text, 16));
    }

    SECTION("without the byte order mark, at which other parsers stumble (RFC 8259 §8.1)") {
        CHECK_FALSE(is_json_object("\xef\xbb\xbf{}", 16));
    }

    SECTION("that nests no deeper than allowed") {
        const auto nested = [](std::size_t depth) {
            return repeat("{\"a\":", depth - 1) + "{}" + repeat("}", depth - 1);
        };
        CHECK(is_json_object(nested(16), 16));
        CHECK_FALSE(is_json_object(nested(17), 16));
        const auto arrays = [](std::size_t depth) {
            return "{\"a\":" + repeat("[", depth - 1) + repeat("]", depth - 1) + "}";
        };
        CHECK(is_json_object(arrays(16), 16));
        CHECK_FALSE(is_json_object(arrays(17), 16));
        CHECK(is_json_object(R"({"a":{},"b":{},"c":[[]],"d":[[]]})", 3));
    }
}

TEST_CASE("checking JSON needs no stack, however deep it nests", "[base]") {
    const std::string deep = "{\"a\":" + repeat("[", 100'000) + repeat("]", 100'000) + "}";
    CHECK_FALSE(is_json_object(deep, 16));
    CHECK(is_json_object(deep, 1'000'000));
    CHECK_FALSE(is_json_object(repeat("{\"a\":", 100'000), 1'000'000));
}

TEST_CASE("numbers are JSON as far as a double reaches", "[base]") {
    const std::string zeros(400, '0');
    for (const std::string& number :
         {std::string{"-0"}, std::string{"1.7976931348623158e308"}, std::string{"1e-999"},
          std::string{"0E+999"}, "0." + zeros + "1", "0." + zeros + "1e500", "1" + zeros + "e-400",
          "0." + zeros + "e99999999999999999999", "1e-" + std::string(400, '9')}) {
        INFO(number);
        CHECK(is_json_object("{\"a\":" + number + "}", 16));
    }
    for (const std::string& number :
         {std::string{"1.7976931348623159e308"}, std::string{"-1e309"}, "1" + zeros,
          "1" + zeros + "e-10", "0." + zeros + "1e800", "1e" + std::string(400, '9'),
          std::string{"-"}, std::string{"+1"}, std::string{".5"}, std::string{"1."},
          std::string{"1.e1"}, std::string{"1e"}, std::string{"1e+"}, std::string{"-01"}}) {
        INFO(number);
        CHECK_FALSE(is_json_object("{\"a\":" + number + "}", 16));
    }
}

TEST_CASE("what is JSON is what others call JSON", "[base]") {
    INFO("seed=" << test::seed());
    std::mt19937_64 random{test::seed()};
    constexpr std::string_view samples[] = {
        R"({"a":[1,-2.5e+3,0.1E-2,{"b":null}],"c":"x\"\\\/\b\f\n\r\t"})",
        "{\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\":\"\\u00e4\\uD83D\\uDE00\",\"d\":[]}",
        " {\t\"a\" : true ,\r\n\"b\":[ false , {} , [ ] ] } ",
        R"({"a":1e308,"b":1e-400,"c":123456789012345678901234567890,"d":-0})"};
    constexpr std::string_view characters =
        "{}[],:\"\\/u019dD+-.eEtrnulfas \n\t\x01\x7f\xc3\xa4\xe2\x82\xac\xed\xa0\xf0\xf4\x90\x80";
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    int valid = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text{samples[below(std::size(samples))]};
        for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
            const std::size_t at = below(text.size() + 1);
            text.erase(at, below(2) * below(4));
            if (below(3) != 0) text.insert(at, 1, characters[below(characters.size())]);
        }
        const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
        INFO(text);
        REQUIRE(is_json_object(text, 16) == parsed.is_object());
        valid += parsed.is_object() ? 1 : 0;
    }
    CHECK(valid > 1000);
}

#include <cstddef>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/base/json.hpp"

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
        const auto text =
            GENERATE(as<std::string_view>{}, "", " ", "null", "1", "\"x\"", "[]", "[{}]", "{}{}",
                     "{} x", "{", "}", "{\"a\"}", "{a:1}", "{'a':1}", "{\"a\":1,}", "{\"a\":NaN}",
                     "{\"a\":1e999}", "{\"a\":01}", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}",
                     "{\"a\":1} // comment", "{\"a\":\"\n\"}");
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

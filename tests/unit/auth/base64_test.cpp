#include "quicchat/auth/base64.hpp"

#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

TEST_CASE("base64 matches the samples of RFC 4648 §10", "[auth]") {
    struct Sample {
        std::string_view bytes;
        std::string_view text;
    };
    for (const Sample& sample :
         {Sample{"", ""}, Sample{"f", "Zg=="}, Sample{"fo", "Zm8="}, Sample{"foo", "Zm9v"},
          Sample{"foob", "Zm9vYg=="}, Sample{"fooba", "Zm9vYmE="}, Sample{"foobar", "Zm9vYmFy"}}) {
        CAPTURE(sample.bytes);
        CHECK(encode_base64(as_bytes(sample.bytes)) == sample.text);
        REQUIRE(decode_base64(sample.text));
        CHECK(as_text(*decode_base64(sample.text)) == sample.bytes);
    }
}

TEST_CASE("base64 carries every byte at every place", "[auth]") {
    for (unsigned value = 0; value < 256; ++value) {
        for (std::size_t size = 1; size <= 4; ++size) {
            Buffer bytes(size, std::byte{0x5a});
            bytes[size - 1] = static_cast<std::byte>(value);
            const Result<Buffer> decoded = decode_base64(encode_base64(bytes));
            REQUIRE(decoded);
            REQUIRE(*decoded == bytes);
        }
    }
}

TEST_CASE("base64 takes the canonical text only", "[auth]") {
    for (const std::string_view text :
         {"Z",     "Zg",     "Zg=",      "Zg===", "=",    "==",   "===",     "====",
          "A===",  "=AAA",   "Zg==Zg==", "Zm9v=", "Z=g=", "Zh==", "Zm9=",    "Zm8=Zm8=",
          "Zm 9v", "Zm9v\n", "\nZm9v",   "Zm9v ", "Zm-v", "Zm_v", "Zm9\xff", "Zm,v"}) {
        CAPTURE(text);
        CHECK_FALSE(decode_base64(text));
    }
    CHECK_FALSE(decode_base64(std::string_view{"Zm\0v", 4}));
}

TEST_CASE("no two texts of four characters are the same bytes", "[auth]") {
    const std::string characters = std::string{detail::base64_alphabet.substr(0, 20)} + "/=-\n";
    std::string text(4, ' ');
    for (text[0] = 'Q'; const char b : characters) {
        for (const char c : characters) {
            for (const char d : characters) {
                text[1] = b, text[2] = c, text[3] = d;
                if (const Result<Buffer> bytes = decode_base64(text)) {
                    REQUIRE(encode_base64(*bytes) == text);
                }
            }
        }
    }
}

TEST_CASE("base64 for URLs has two other characters, and no padding", "[auth]") {
    for (unsigned value = 0; value < 256; ++value) {
        for (std::size_t size = 0; size <= 4; ++size) {
            const Buffer bytes(size, static_cast<std::byte>(value));
            const std::string text = encode_base64url(bytes);
            REQUIRE(text.find_first_of("+/=") == std::string::npos);
            REQUIRE(decode_base64url(text).value() == bytes);
        }
    }
    CHECK(encode_base64url(as_bytes("\xfb\xff\xbf\x66")) == "-_-_Zg");
    for (const std::string_view text : {"Z", "Zg==", "Zg=", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9vY",
                                        "Zm 9v", "Zm9v\n", "Zm,v", "=", "Zm9v="}) {
        CAPTURE(text);
        CHECK_FALSE(decode_base64url(text));
    }
}

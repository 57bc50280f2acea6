#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/webtransport/huffman.hpp"
#include "quicchat/webtransport/qpack.hpp"
#include "support/literals.hpp"

using namespace quicchat;
using namespace quicchat::webtransport;
using test::hex;

TEST_CASE("Huffman's code is that of RFC 7541", "[webtransport]") {
    SECTION("in its examples, Appendix C.4 and C.6") {
        CHECK(decode_huffman(hex("f1e3c2e5f23a6ba0ab90f4ff")) == "www.example.com");
        CHECK(decode_huffman(hex("a8eb10649cbf")) == "no-cache");
        CHECK(decode_huffman(hex("25a849e95ba97d7f")) == "custom-key");
        CHECK(decode_huffman(hex("d07abe941054d444a8200595040b8166e082a62d1bff")) ==
              "Mon, 21 Oct 2013 20:13:21 GMT");
        CHECK(decode_huffman(hex("94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587"
                                 "316065c003ed4ee5b1063d5007")) ==
              "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
        CHECK(decode_huffman({}) == "");
    }
    SECTION("with codes of 30 bits") {
        CHECK(decode_huffman(hex("fffffff3")) == "\n");
        CHECK(decode_huffman(hex("ffffffff")) == std::nullopt);  // EOS, and too much of it
    }
    SECTION("whose padding is less than an octet, of ones") {
        CHECK(decode_huffman(hex("1f")) == "a");
        CHECK(decode_huffman(hex("1e")) == std::nullopt);
        CHECK(decode_huffman(hex("1fff")) == std::nullopt);
    }
}

TEST_CASE("field sections are read", "[webtransport]") {
    SECTION("with names and values that are literal or of the static table") {
        const auto fields = decode_fields(hex("0000 cf c1 5f4b 0161 2361 6263 0178"));
        REQUIRE(fields);
        CHECK(*fields ==
              Fields{{":method", "CONNECT"}, {":path", "/"}, {"origin", "a"}, {"abc", "x"}});
        CHECK(find_field(*fields, "origin") == "a");
        CHECK_FALSE(find_field(*fields, "Origin"));
    }
    SECTION("without the names of what is of no interest") {
        CHECK(decode_fields(hex("0000 d9 5f09 0131")) == Fields{{"", ""}, {"", "1"}});
    }
    SECTION("unless they need a dynamic table or are cut") {
        const std::string section =
            GENERATE("", "00", "0100", "0000 80", "0000 40 0161", "0000 10", "0000 00 0161",
                     "0000 ff24", "0000 51", "0000 51 02 61", "0000 23 6162", "0000 23 616263",
                     "0000 27", "0000 ff", "0000 51 7f ffffffff ff", "ffffffffffff 00");
        CAPTURE(section);
        CHECK_FALSE(decode_fields(hex(section)));
    }
    SECTION("of what we say, in whatever length") {
        const Fields fields{{"a", ""},
                            {"seven77", std::string(126, 'x')},
                            {"longer-name", std::string(127, 'y')},
                            {std::string(300, 'n'), std::string(5000, 'z')}};
        CHECK(decode_fields(encode_request(fields)) == fields);
        CHECK(encode_response(404) == hex("0000 5f09 03 343034"));
        auto answer = decode_fields(encode_response(200, fields));
        REQUIRE(answer);
        CHECK(answer->front() == std::pair<std::string, std::string>{"", "200"});
        answer->erase(answer->begin());
        CHECK(*answer == fields);
    }
}

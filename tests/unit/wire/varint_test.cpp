#include <cstddef>
#include <cstdint>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/wire/varint.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"

using namespace quicchat;

namespace {

struct Sample {
    std::string bytes;
    std::uint64_t value;
};

}  // namespace

TEST_CASE("varints match the sample values of RFC 9000 §A.1", "[wire]") {
    const auto sample = GENERATE(values<Sample>({
        {"c2 19 7c 5e ff 14 e8 8c", 151'288'809'941'952'652},
        {"9d 7f 3e 7d", 494'878'333},
        {"7b bd", 15'293},
        {"25", 37},
    }));
    const Buffer bytes = test::hex(sample.bytes);
    BytesView view = bytes;
    CHECK(read_varint(view).value() == sample.value);
    CHECK(view.empty());

    Buffer written;
    append_varint(written, sample.value);
    CHECK(test::to_hex(written) == sample.bytes);
}

TEST_CASE("a varint is written in the shortest form, at the borders of each length", "[wire]") {
    const auto sample = GENERATE(values<Sample>({
        {"00", 0},
        {"3f", 63},
        {"40 40", 64},
        {"7f ff", 16'383},
        {"80 00 40 00", 16'384},
        {"bf ff ff ff", 1'073'741'823},
        {"c0 00 00 00 40 00 00 00", 1'073'741'824},
        {"ff ff ff ff ff ff ff ff", varint_max},
    }));
    Buffer written;
    append_varint(written, sample.value);
    CHECK(test::to_hex(written) == sample.bytes);
    CHECK(varint_size(sample.value) == written.size());
    CHECK(varint_size_from_first(written[0]) == written.size());
    BytesView view = written;
    CHECK(read_varint(view).value() == sample.value);
}

TEST_CASE("reading a varint", "[wire]") {
    SECTION("accepts longer forms than needed (RFC 9000 §16)") {
        const auto text =
            GENERATE(as<std::string>{}, "25", "40 25", "80 00 00 25", "c0 00 00 00 00 00 00 25");
        const Buffer bytes = test::hex(text);
        BytesView view = bytes;
        CHECK(read_varint(view).value() == 37);
        CHECK(view.empty());
    }

    SECTION("leaves what follows") {
        const Buffer bytes = test::hex("7bbd 25 ff");
        BytesView view = bytes;
        CHECK(read_varint(view).value() == 15'293);
        CHECK(read_varint(view).value() == 37);
        CHECK(test::to_hex(view) == "ff");
    }

    SECTION("drops nothing when the integer is cut off, wherever") {
        const auto text =
            GENERATE(as<std::string>{}, "40 25", "9d 7f 3e 7d", "c2 19 7c 5e ff 14 e8 8c");
        const Buffer bytes = test::hex(text);
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            BytesView view = BytesView{bytes}.first(length);
            CHECK(read_varint(view).error() == Errc::malformed_frame);
            CHECK(view.size() == length);
        }
    }
}

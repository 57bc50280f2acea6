#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/wire/cursor.hpp"
#include "quicchat/wire/message.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"

using namespace quicchat;

TEST_CASE("a field writer", "[wire]") {
    Buffer buffer;
    FieldWriter writer{buffer};

    SECTION("writes an epoch as eight bytes, big-endian") {
        writer.epoch(Epoch{0x0123456789abcdef});
        CHECK(test::to_hex(buffer) == "01 23 45 67 89 ab cd ef");
    }

    SECTION("writes times in milliseconds, and those before 1970 as 1970") {
        writer.time(WallTime{std::chrono::milliseconds{15'293}});
        writer.time(WallTime{std::chrono::milliseconds{-1}});
        writer.time(WallTime::min());
        CHECK(test::to_hex(buffer) == "7b bd 00 00");
    }

    SECTION("writes texts with their length before them") {
        writer.text("hi", 0);
        writer.texts({"a", ""}, 0, 0);
        writer.data(test::hex("ff"), 0);
        CHECK(test::to_hex(buffer) == "02 68 69 02 01 61 00 01 ff");
    }

    SECTION("writes choices and flags as numbers") {
        writer.choice(Durability::fsync, Durability::fsync);
        writer.flag(true);
        writer.flag(false);
        CHECK(test::to_hex(buffer) == "02 01 00");
    }
}

TEST_CASE("a field reader", "[wire]") {
    SECTION("reads what a writer wrote") {
        const Buffer bytes = test::hex("0123456789abcdef 7bbd 026869 02 01");
        FieldReader reader{bytes};
        Epoch epoch{};
        WallTime time;
        std::string text;
        Durability durability{};
        bool flag = false;
        reader.epoch(epoch);
        reader.time(time);
        reader.text(text, 2);
        reader.choice(durability, Durability::fsync);
        reader.flag(flag);
        CHECK(reader.ok());
        CHECK(reader.rest().empty());
        CHECK(epoch == Epoch{0x0123456789abcdef});
        CHECK(time.time_since_epoch().count() == 15'293);
        CHECK(text == "hi");
        CHECK(durability == Durability::fsync);
        CHECK(flag);
    }

    SECTION("refuses values outside an enumeration, however large") {
        for (const char* text : {"03", "3f", "ff ff ff ff ff ff ff ff", "40 80 00 01 00"}) {
            const Buffer bytes = test::hex(text);
            FieldReader reader{bytes};
            Durability durability{};
            reader.choice(durability, Durability::fsync);
            CHECK_FALSE(reader.ok());
        }
        // 256 would be 0 if it were narrowed before it is compared.
        const Buffer bytes = test::hex("41 00");
        FieldReader reader{bytes};
        Durability durability{};
        reader.choice(durability, Durability::fsync);
        CHECK_FALSE(reader.ok());
    }

    SECTION("knows two flags") {
        const Buffer bytes = test::hex("02");
        FieldReader reader{bytes};
        bool flag = false;
        reader.flag(flag);
        CHECK_FALSE(reader.ok());
    }

    SECTION("refuses lengths above the limit or above what is there") {
        std::string text = "before";
        const Buffer long_text = test::hex("03 61 62 63");
        FieldReader limited{long_text};
        limited.text(text, 2);
        CHECK_FALSE(limited.ok());

        const Buffer lie = test::hex("ff ff ff ff ff ff ff ff 61");
        FieldReader lied_to{lie};
        lied_to.text(text, ~std::size_t{0});
        CHECK_FALSE(lied_to.ok());
        CHECK(text.empty());
    }

    SECTION("refuses counts that cannot be true") {
        std::vector<std::string> texts;
        for (const char* lie : {"02 00", "ff ff ff ff ff ff ff ff 00 00", "04 01 61 01 62"}) {
            const Buffer bytes = test::hex(lie);
            FieldReader reader{bytes};
            reader.texts(texts, ~std::size_t{0}, 10);
            CHECK_FALSE(reader.ok());
            CHECK(texts.capacity() < 16);
        }
        const Buffer three = test::hex("03 00 00 00");
        FieldReader reader{three};
        reader.texts(texts, 2, 10);
        CHECK_FALSE(reader.ok());
    }

    SECTION("reads nothing more after a failure") {
        const Buffer bytes = test::hex("02 25 25 25");
        FieldReader reader{bytes};
        bool flag = false;
        std::uint64_t number = 1;
        reader.flag(flag);
        reader.number(number);
        CHECK_FALSE(reader.ok());
        CHECK(number == 1);
        CHECK(reader.rest().size() == 3);
    }
}

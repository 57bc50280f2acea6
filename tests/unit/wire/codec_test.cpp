#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "quicchat/wire/codec.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"
#include "unit/wire/random_message.hpp"

using namespace quicchat;

namespace {

/// What decoding a payload of that type says: `Errc{}` if it is a message.
Errc decode_error(FrameType type, BytesView payload) {
    const Result<Message> message = decode({static_cast<std::uint64_t>(type), payload});
    return message ? Errc{} : to_errc(message.error());
}
Errc decode_error(FrameType type, std::string_view hex) {
    return decode_error(type, test::hex(hex));
}

std::string repeat(std::string_view text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

constexpr std::string_view id_hex = "000102030405060708090a0b0c0d0e0f";

}  // namespace

TEST_CASE("a frame's length is the shortest varint, however long it is", "[wire]") {
    const std::size_t size = GENERATE(range(std::size_t{0}, std::size_t{80}));
    Buffer payload;
    FieldWriter{payload}.data(Buffer(size, std::byte{7}), size);
    Buffer whole;
    append_frame(whole, {static_cast<std::uint64_t>(FrameType::login_response), payload});
    CHECK(encode(wire::LoginResponse{Buffer(size, std::byte{7})}) == whole);
}

TEST_CASE("every message comes out of the codec as it went in", "[wire]") {
    INFO("seed=" << test::seed());
    Entropy entropy = Entropy::seeded(test::seed());
    test::for_each_message([&]<class M>() {
        for (int i = 0; i < 100; ++i) {
            const M message = test::random_message<M>(entropy);
            const Buffer frame = encode(message);
            const FrameView view = test::view_frame(frame);
            INFO("frame " << test::to_hex(frame));
            REQUIRE(view.type == static_cast<std::uint64_t>(M::type));
            const Result<Message> decoded = decode(view);
            REQUIRE(decoded);
            REQUIRE(std::get<M>(*decoded) == message);
        }
    });
}

TEST_CASE("no message can be cut short", "[wire]") {
    INFO("seed=" << test::seed());
    Entropy entropy = Entropy::seeded(test::seed());
    test::for_each_message([&]<class M>() {
        for (int i = 0; i < 10; ++i) {
            const Buffer frame = encode(test::random_message<M>(entropy));
            const FrameView view = test::view_frame(frame);
            std::size_t length = 0;
            // A copy of just so many bytes, so that sanitizers see a read behind them.
            while (length < view.payload.size() &&
                   decode_error(M::type, Buffer{view.payload.begin(),
                                                view.payload.begin() +
                                                    static_cast<std::ptrdiff_t>(length)}) ==
                       Errc::malformed_frame) {
                ++length;
            }
            INFO("frame " << test::to_hex(frame));
            REQUIRE(length == view.payload.size());
        }
    });
}

TEST_CASE("extensions behind the known fields (PROTOCOL.md §2.3)", "[wire]") {
    Entropy entropy = Entropy::seeded(1);
    test::for_each_message([&]<class M>() {
        const M message = test::random_message<M>(entropy);
        const Buffer frame = encode(message);
        const FrameView view = test::view_frame(frame);
        const auto decode_with = [&](std::string_view extension) {
            Buffer payload{view.payload.begin(), view.payload.end()};
            append(payload, test::hex(extension));
            return decode({view.type, payload});
        };
        // Odd ones are skipped, whatever they hold,
        for (const char* odd : {"01 00", "01 02 aabb", "7f ff 01 00", "03 01 ff 05 00"}) {
            REQUIRE(decode_with(odd));
            CHECK(std::get<M>(*decode_with(odd)) == message);
        }
        // even ones refused, also behind odd ones,
        for (const char* even : {"00 00", "02 01 ff", "01 00 02 00", "02 00 01 00"}) {
            CHECK(decode_with(even).error() == Errc::unknown_frame);
        }
        // and what is no extension is an error.
        for (const char* broken : {"01", "01 01", "01 c0", "41", "01 00 03 02 ff"}) {
            CHECK(decode_with(broken).error() == Errc::malformed_frame);
        }
    });
}

TEST_CASE("a type of a later version is unknown, whatever it holds", "[wire]") {
    for (const std::uint64_t type :
         {0ull, 1ull, 3ull, 0x14ull, 0x35ull, 0x30ull, varint_max + 0ull}) {
        const Buffer payload = test::hex("ff ff");
        CHECK(decode({type, payload}).error() == Errc::unknown_frame);
        CHECK(decode({type, {}}).error() == Errc::unknown_frame);
    }
    CHECK(may_be_skipped(0x35));
    CHECK_FALSE(may_be_skipped(0x34));
}

TEST_CASE("values outside an enumeration are malformed", "[wire]") {
    CHECK(decode_error(FrameType::join, "01 02 2361 00") == Errc{});
    CHECK(decode_error(FrameType::join, "01 02 2361 03") == Errc::malformed_frame);
    const std::string joined = "01 02 2361 0000000000000001 00 01 ";
    CHECK(decode_error(FrameType::joined, joined + "01 05 02 00 00") == Errc{});
    CHECK(decode_error(FrameType::joined, joined + "02 05 02 00 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::joined, joined + "01 06 02 00 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::joined, joined + "01 05 03 00 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::ack, "01 0000000000000001 05 02 00") == Errc{});
    CHECK(decode_error(FrameType::ack, "01 0000000000000001 05 03 00") == Errc::malformed_frame);
    const std::string event = "01 00 " + std::string{id_hex} + " 01 61 01 62 02 7b7d ";
    CHECK(decode_error(FrameType::event, event + "0a 00 00 00 00 00") == Errc{});
    CHECK(decode_error(FrameType::event, event + "0b 00 00 00 00 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::members, "01 01 01 61 05 01 00 01") == Errc{});
    CHECK(decode_error(FrameType::members, "01 01 01 61 06 01 00 01") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::members, "01 01 01 61 05 02 00 01") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::members, "01 00 02") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::presence, "01 61 02 00") == Errc::malformed_frame);
}

TEST_CASE("texts have the bounds of PROTOCOL.md §4", "[wire]") {
    const auto text = [](std::size_t bytes) {
        Buffer buffer;
        append_varint(buffer, bytes);
        buffer.resize(buffer.size() + bytes, std::byte{'a'});
        return test::to_hex(buffer) + " ";
    };
    const std::string device = std::string{id_hex} + " ";
    SECTION("names of users and mechanisms") {
        CHECK(decode_error(FrameType::login_begin, text(32) + device + text(0)) == Errc{});
        CHECK(decode_error(FrameType::login_begin, text(33) + device + text(0)) ==
              Errc::malformed_frame);
        CHECK(decode_error(FrameType::login_done, text(33) + text(0)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::presence, text(33) + "01 00") == Errc::malformed_frame);
        CHECK(decode_error(FrameType::members_request, "01" + text(33)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::members, "01 01" + text(33) + "03 01 00 01") ==
              Errc::malformed_frame);
        const std::string head = "0000000000000001 01 00 " + std::string{id_hex} + " ";
        const std::string tail = text(1) + text(2) + "00 00 00 00 00";
        CHECK(decode_error(FrameType::told, head + text(32) + text(32) + tail) == Errc{});
        CHECK(decode_error(FrameType::told, head + text(33) + text(32) + tail) ==
              Errc::malformed_frame);
        CHECK(decode_error(FrameType::told, head + text(32) + text(33) + tail) ==
              Errc::malformed_frame);
    }
    SECTION("display names") {
        CHECK(decode_error(FrameType::presence, text(1) + "01" + text(64)) == Errc{});
        CHECK(decode_error(FrameType::presence, text(1) + "01" + text(65)) ==
              Errc::malformed_frame);
    }
    SECTION("names of rooms") {
        const std::string tail = "0000000000000001 00 01 01 03 00 00 00";
        CHECK(decode_error(FrameType::joined, "01" + text(64) + tail) == Errc{});
        CHECK(decode_error(FrameType::joined, "01" + text(65) + tail) == Errc::malformed_frame);
        const std::string numbers = "00 03 00 00 00 00 01";
        CHECK(decode_error(FrameType::rooms, "01 01" + text(64) + text(512) + numbers) == Errc{});
        CHECK(decode_error(FrameType::rooms, "01 01" + text(65) + text(512) + numbers) ==
              Errc::malformed_frame);
        CHECK(decode_error(FrameType::rooms, "01 01" + text(64) + text(513) + numbers) ==
              Errc::malformed_frame);
        CHECK(decode_error(FrameType::rooms_request, "01" + text(65)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::marker, text(64) + text(32) + "01") == Errc{});
        CHECK(decode_error(FrameType::marker, text(65) + text(32) + "01") == Errc::malformed_frame);
        CHECK(decode_error(FrameType::marker, text(64) + text(33) + "01") == Errc::malformed_frame);
    }
    SECTION("SASL messages, agents, and the texts of errors") {
        CHECK(decode_error(FrameType::login_challenge, text(2048)) == Errc{});
        CHECK(decode_error(FrameType::login_challenge, text(2049)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::login_response, text(2049)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::login_begin, text(1) + device + text(2048)) == Errc{});
        CHECK(decode_error(FrameType::login_begin, text(1) + device + text(2049)) ==
              Errc::malformed_frame);
        CHECK(decode_error(FrameType::token, "01" + text(2049)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::login_done, text(1) + text(2049)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::hello, "00 00 00" + text(1024)) == Errc{});
        CHECK(decode_error(FrameType::hello, "00 00 00" + text(1025)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::welcome, "00 00 00 00 00" + text(1025)) ==
              Errc::malformed_frame);
        CHECK(decode_error(FrameType::error, "00 01 04 00" + text(512)) == Errc{});
        CHECK(decode_error(FrameType::error, "00 01 04 00" + text(513)) == Errc::malformed_frame);
        CHECK(decode_error(FrameType::goaway, "00 00" + text(513)) == Errc::malformed_frame);
    }
    SECTION("the number of features") {
        CHECK(decode_error(FrameType::hello, "00 00 4064" + repeat("0161", 100) + "00") == Errc{});
        CHECK(decode_error(FrameType::hello, "00 00 4065" + repeat("0161", 101) + "00") ==
              Errc::malformed_frame);
    }
}

TEST_CASE("counts that lie are malformed, and take no memory", "[wire]") {
    CHECK(decode_error(FrameType::hello, "00 00 ffffffffffffffff 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::members, "01 ffffffffffffffff 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::members, "01 bfffffff 0161 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::members, "01 02 0161 03 01 00 01") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::rooms, "01 ffffffffffffffff 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::rooms, "01 bfffffff 0161 00") == Errc::malformed_frame);
    CHECK(decode_error(FrameType::publish, "01" + std::string{id_hex} + "ffffffffffffffff 61") ==
          Errc::malformed_frame);
}

TEST_CASE("a frame is written with its length before it", "[wire]") {
    const Buffer gap = encode(wire::Gap{3, 300});
    CHECK(test::to_hex(gap) == "2a 03 03 41 2c");
    const Buffer challenge = encode(wire::LoginChallenge{Buffer(70, std::byte{0xee})});
    CHECK(test::to_hex(BytesView{challenge}.first(6)) == "08 40 48 40 46 ee");
}

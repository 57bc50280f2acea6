#include <string>
#include <string_view>
#include <variant>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "quicchat/session/server_session.hpp"
#include "support/literals.hpp"
#include "support/printers.hpp"
#include "unit/wire/random_message.hpp"

using namespace quicchat;

namespace {

constexpr StreamId control{0};
constexpr StreamId room_stream{4};
constexpr std::string_view id_hex = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view login_hex = "06 14 01 4d 000102030405060708090a0b0c0d0e0f 01 aa";

struct Fixture {
    Limits limits{};
    ServerSession session{limits, "{}"};

    Result<ServerRequest> request(StreamId stream, std::string_view hex) {
        const Buffer frame = test::hex(hex);
        return session.handle_frame(stream, test::view_frame(frame));
    }
    Errc receive(StreamId stream, std::string_view hex) {
        const Result<ServerRequest> result = request(stream, hex);
        return result ? Errc{} : to_errc(result.error());
    }
    void greet() { REQUIRE(receive(control, "02 06 00 00 00 02 7b7d") == Errc{}); }
    void log_in() {
        greet();
        REQUIRE(receive(control, login_hex) == Errc{});
        (void)session.login_accepted("ada", {});
    }
};

}  // namespace

TEST_CASE("a server session greets", "[session]") {
    Fixture server;

    SECTION("with Welcome, the common version and the limits") {
        server.greet();
        CHECK(server.session.state() == State::authenticating);
        const auto welcome = server.session.poll_outgoing();
        REQUIRE(welcome);
        CHECK(test::to_hex(*welcome) == "04 0d 00 00 80 00 80 00 60 00 40 64 02 7b 7d");
        CHECK_FALSE(server.session.poll_outgoing());
    }
    SECTION("clients that know later versions as well") {
        CHECK(server.receive(control, "02 06 00 07 00 02 7b7d") == Errc{});
        CHECK(test::to_hex(*server.session.poll_outgoing()).substr(0, 8) == "04 0d 00");
    }
    SECTION("but not those that know only later ones, and says why") {
        CHECK(server.receive(control, "02 06 01 07 00 02 7b7d") == Errc::version_mismatch);
        CHECK(server.session.close_text() ==
              "the server speaks quicchat/1.0 to 1.0, the client 1.1 to 1.7");
    }
    SECTION("nor those whose range is empty") {
        CHECK(server.receive(control, "02 06 05 00 00 02 7b7d") == Errc::version_mismatch);
    }
    SECTION("nor those whose agent is no JSON object") {
        CHECK(server.receive(control, "02 05 00 00 00 01 78") == Errc::malformed_frame);
        CHECK(server.receive(control, "02 06 00 00 00 02 7b1b") == Errc::malformed_frame);
        CHECK(server.session.state() == State::negotiating);
    }
}

TEST_CASE("a server session closes on frames out of order", "[session]") {
    Fixture server;

    SECTION("anything before Hello") {
        const auto frame = GENERATE(as<std::string>{}, std::string{login_hex}, "0a 02 01 aa",
                                    "20 05 01 02 2361 00", "2c 02 01 00");
        CHECK(server.receive(control, frame) == Errc::unexpected_frame);
    }
    SECTION("Hello twice") {
        server.greet();
        CHECK(server.receive(control, "02 06 00 00 00 02 7b7d") == Errc::unexpected_frame);
    }
    SECTION("the chat before the login") {
        server.greet();
        CHECK(server.receive(room_stream, "20 05 01 02 2361 00") == Errc::unexpected_frame);
        CHECK(server.receive(control, "34 18 01 " + std::string{id_hex} + "0162 0161 02 7b7d") ==
              Errc::unexpected_frame);
    }
    SECTION("a second login (RFC 9266 §4.1)") {
        server.greet();
        CHECK(server.receive(control, login_hex) == Errc{});
        CHECK(server.receive(control, login_hex) == Errc::unexpected_frame);
    }
    SECTION("an answer to no challenge") {
        server.greet();
        CHECK(server.receive(control, "0a 02 01 aa") == Errc::unexpected_frame);
    }
    SECTION("a login after the login") {
        server.log_in();
        CHECK(server.receive(control, login_hex) == Errc::unexpected_frame);
        CHECK(server.receive(control, "0a 02 01 aa") == Errc::unexpected_frame);
    }
    SECTION("frames that only servers send") {
        server.log_in();
        CHECK(server.receive(control, "0c 05 03616461 00") == Errc::unexpected_frame);
        CHECK(server.receive(room_stream, "31 04 01 61 01 00") == Errc::unexpected_frame);
        CHECK(server.receive(room_stream, "2a 02 01 02") == Errc::unexpected_frame);
        CHECK(server.receive(control, "10 03 00 00 00") == Errc::unexpected_frame);
        CHECK(server.receive(control, "12 02 01 00") == Errc::unexpected_frame);
        CHECK(server.receive(room_stream, "33 01 01") == Errc::unexpected_frame);
    }
    SECTION("requests on the wrong stream") {
        server.log_in();
        CHECK(server.receive(control, "20 05 01 02 2361 00") == Errc::unexpected_frame);
        CHECK(server.receive(room_stream, "34 18 01 " + std::string{id_hex} +
                                              "0162 0161 02 7b7d") == Errc::unexpected_frame);
    }
}

TEST_CASE("a server session hands on", "[session]") {
    Fixture server;

    SECTION("the login") {
        server.greet();
        const auto begin = server.request(control, login_hex);
        REQUIRE(begin);
        CHECK(std::get<wire::LoginBegin>(*begin).mechanism == "M");
        CHECK(test::to_hex(server.session.device().bytes) ==
              "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f");
        const auto response = server.request(control, "0a 02 01 bb");
        REQUIRE(response);
        CHECK(test::to_hex(std::get<wire::LoginResponse>(*response).data) == "bb");
        CHECK(test::to_hex(server.session.login_accepted("ada", test::hex("cc"))) ==
              "0c 06 03 61 64 61 01 cc");
        CHECK(server.session.state() == State::ready);
        CHECK(server.session.user() == "ada");
    }
    SECTION("requests of a room, whatever they say: the hub judges") {
        server.log_in();
        const auto join = server.request(room_stream, "20 05 01 02 7878 00");
        REQUIRE(join);
        CHECK(std::get<wire::Join>(*join).room == "xx");
        const auto publish = server.request(
            room_stream, "24 19 01 " + std::string{id_hex} + "01ff 00 00 00 00 00 00");
        REQUIRE(publish);
        CHECK(std::get<wire::Publish>(*publish).text == "\xff");
    }
    SECTION("nothing of what it may skip") {
        server.log_in();
        const auto skipped = server.request(control, "35 02 ffff");
        REQUIRE(skipped);
        CHECK(std::holds_alternative<std::monostate>(*skipped));
        CHECK(server.receive(control, "32 02 ffff") == Errc::unknown_frame);
        CHECK(server.receive(control, "24 01 01") == Errc::malformed_frame);
    }
    SECTION("nothing once the connection is closing") {
        server.log_in();
        server.session.handle_close(Input::failed);
        const auto dropped = server.request(control, "32 02 ffff");
        REQUIRE(dropped);
        CHECK(std::holds_alternative<std::monostate>(*dropped));
    }
}

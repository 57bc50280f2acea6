#include "quicchat/auth/known_servers.hpp"
#include "quicchat/transport/fingerprint.hpp"

#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

namespace {

Fingerprint key(unsigned number) {
    Fingerprint fingerprint{};
    fingerprint.fill(static_cast<std::byte>(number));
    fingerprint[0] = std::byte{0xf0};
    return fingerprint;
}

const std::string key1 = format_fingerprint(key(1));
const std::string key2 = format_fingerprint(key(2));

ServerKeyMatch match_in(std::string_view text, std::string_view address, unsigned number) {
    return match_server_key(parse_known_servers(text).value(), address, key(number));
}

}  // namespace

TEST_CASE("the text of a fingerprint", "[auth]") {
    CHECK(key1 == "sha256:f001010101010101010101010101010101010101010101010101010101010101");
    CHECK(parse_fingerprint(key1).value() == key(1));
    for (std::size_t size = 0; size < key1.size(); ++size) {
        CHECK_FALSE(parse_fingerprint(key1.substr(0, size)));
    }
    std::string upper = key1;
    upper[7] = 'F';
    for (const std::string& bad :
         {key1 + "0", key1 + " ", " " + key1, upper, "SHA256:" + key1.substr(7), key1.substr(7),
          "sha1:" + key1.substr(7), "sha256:0x" + key1.substr(9)}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_fingerprint(bad));
    }
}

TEST_CASE("an address of a server", "[auth]") {
    for (const std::string_view good :
         {"localhost:1", "127.0.0.1:4433", "[::1]:65535", "a-b.example:443"}) {
        CAPTURE(good);
        CHECK(is_server_address(good));
    }
    for (const std::string_view bad :
         {"",          ":",       ":1",       "a",     "a:",   "a:0",      "a:01",
          "a:65536",   "a:99999", "a:123456", "a:1x",  "a:-1", "::1:4433", "[]:1",
          "[::1:4433", "a b:1",   "a\t:1",    "a\n:1", "#a:1", "a:1:2"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_server_address(bad));
    }
}

TEST_CASE("known servers", "[auth]") {
    SECTION("are read line by line, with comments") {
        const auto known = parse_known_servers("# servers\n\n  \t\nChat.Example:4433 " + key1 +
                                               " since 2026-11-22\r\n[::1]:1\t" + key2);
        REQUIRE(known);
        REQUIRE(known->servers.size() == 2);
        CHECK(known->bad_lines.empty());
        CHECK(known->servers[0].address == "chat.example:4433");
        CHECK(known->servers[0].key == key(1));
        CHECK(known->servers[0].comment == "since 2026-11-22");
        CHECK(known->servers[1].address == "[::1]:1");
        CHECK(known->servers[1].comment.empty());
    }
    SECTION("tell a known key from a changed one") {
        const std::string text = "a:1 " + key1 + "\nb:1 " + key2 + "\n";
        CHECK(match_in(text, "a:1", 1) == ServerKeyMatch::same);
        CHECK(match_in(text, "A:1", 1) == ServerKeyMatch::same);
        CHECK(match_in(text, "a:1", 2) == ServerKeyMatch::changed);
        CHECK(match_in(text, "a:2", 1) == ServerKeyMatch::unknown);
        CHECK(match_in("", "a:1", 1) == ServerKeyMatch::unknown);
    }
    SECTION("may have several keys") {
        const std::string text = "a:1 " + key1 + "\na:1 " + key2 + "\n";
        CHECK(match_in(text, "a:1", 1) == ServerKeyMatch::same);
        CHECK(match_in(text, "a:1", 2) == ServerKeyMatch::same);
        CHECK(match_in(text, "a:1", 3) == ServerKeyMatch::changed);
    }
    SECTION("report damaged lines, and do not take their server for a new one") {
        const std::string text = "a:1 " + key1 + "\nb:1 sha256:12\nnonsense\nc:99999 " + key1 +
                                 "\nD:1\na:1 " + key2.substr(0, 70);
        const auto known = parse_known_servers(text).value();
        CHECK(known.servers.size() == 1);
        std::string numbers;
        for (const auto& line : known.bad_lines) numbers += std::to_string(line.number) + " ";
        CHECK(numbers == "2 3 4 5 6 ");
        CHECK(match_in(text, "b:1", 1) == ServerKeyMatch::unreadable);
        CHECK(match_in(text, "d:1", 1) == ServerKeyMatch::unreadable);
        CHECK(match_in(text, "a:1", 1) == ServerKeyMatch::same);
        CHECK(match_in(text, "a:1", 2) == ServerKeyMatch::changed);
    }
    SECTION("begin behind a byte order mark") {
        const std::string text =
            "\xef\xbb\xbf"
            "a:1 " +
            key1 + "\n";
        CHECK(match_in(text, "a:1", 1) == ServerKeyMatch::same);
        CHECK(match_in(*add_known_server(text, {"b:1", key(2), ""}), "a:1", 2) ==
              ServerKeyMatch::changed);
    }
    SECTION("are in no encoding of two bytes a character") {
        std::string wide;
        for (const char c : "a:1 " + key1 + "\n") wide += std::string{c, '\0'};
        CHECK(parse_known_servers(wide).error() == Errc::invalid_text);
        CHECK(add_known_server(wide, {"b:1", key(2), ""}).error() == Errc::invalid_text);
    }
    SECTION("have limits") {
        CHECK(parse_known_servers(std::string(known_servers_lines_max, '\n')));
        CHECK_FALSE(parse_known_servers(std::string(known_servers_lines_max + 1, '\n')));
        CHECK(parse_known_servers(std::string(known_servers_bytes_max, '#')));
        CHECK_FALSE(parse_known_servers(std::string(known_servers_bytes_max + 1, '#')));
    }
    SECTION("are added behind what is there") {
        const auto text = add_known_server("# mine\nbroken", {"A:1", key(1), "new\nb:1 \x7f"});
        REQUIRE(text);
        CHECK(*text == "# mine\nbroken\na:1 " + key1 + " new?b:1 ?\n");
        CHECK(match_in(*text, "a:1", 1) == ServerKeyMatch::same);
        CHECK(*add_known_server("", {"a:1", key(1), ""}) == "a:1 " + key1 + "\n");
        CHECK_FALSE(add_known_server("", {"a b:1", key(1), ""}));
        CHECK_FALSE(add_known_server("", {"a:1\nb:1", key(1), ""}));
        CHECK_FALSE(
            add_known_server(std::string(known_servers_lines_max, '\n'), {"a:1", key(1), ""}));
        CHECK_FALSE(
            add_known_server(std::string(known_servers_bytes_max, '#'), {"a:1", key(1), ""}));
    }
}

#include "quicchat/auth/device_token.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/auth/token_rotation.hpp"
#include "reference_crypto.hpp"
#include "support/literals.hpp"
#include "vector_file.hpp"

using namespace quicchat;
using test::ReferenceCrypto;

namespace {

/// One vector of tests/vectors/token.txt.
struct TokenVector {
    std::string name;
    std::map<std::string, std::string> values;

    Buffer bytes(const std::string& key) const { return test::hex(values.at(key)); }
    template <std::size_t size>
    std::array<std::byte, size> array(const std::string& key) const {
        const Buffer all = bytes(key);
        REQUIRE(all.size() == size);
        std::array<std::byte, size> copy{};
        std::ranges::copy(all, copy.begin());
        return copy;
    }
};

Digest bytes_of(unsigned first) {
    Digest bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(first + i);
    return bytes;
}

DeviceId device_of(unsigned number) {
    DeviceId id;
    id.bytes.fill(static_cast<std::byte>(number));
    return id;
}

const DeviceToken token{7, Secret{bytes_of(0x40)}};
const ChannelBinding binding = bytes_of(0);
const TokenKeys keys = derive_token_keys<ReferenceCrypto>(token);

TokenKeys keys_of(std::uint64_t generation) {
    TokenKeys made;
    made.generation = generation;
    made.stored_key = bytes_of(static_cast<unsigned>(generation));
    return made;
}

}  // namespace

TEST_CASE("a login by token matches its vectors", "[auth]") {
    std::size_t checked = 0;
    for (const TokenVector& vector : test::read_vectors<TokenVector>("token.txt")) {
        if (vector.name == "exporter") continue;
        INFO(vector.name);
        const std::string& user = vector.values.at("user");
        const std::uint64_t generation = std::stoull(vector.values.at("generation"));
        const DeviceId device{vector.array<16>("device")};
        const ChannelBinding bound = vector.array<32>("binding");
        const DeviceToken given{generation, Secret{vector.bytes("token")}};

        const TokenKeys kept = derive_token_keys<ReferenceCrypto>(given);
        CHECK(kept.stored_key == vector.array<32>("stored_key"));
        CHECK(kept.server_key == vector.array<32>("server_key"));
        CHECK(detail::token_auth_message(user, device, generation, bound) ==
              vector.bytes("auth_message"));
        const TokenLogin login = make_token_login<ReferenceCrypto>(user, device, given, bound);
        CHECK(login.claim.proof == vector.array<32>("proof"));
        CHECK(encode_token_claim(login.claim) == vector.bytes("login_begin"));
        CHECK(login.server_signature == vector.array<32>("login_done"));

        const TokenClaim claim = parse_token_claim(vector.bytes("login_begin")).value();
        CHECK(verify_token_claim<ReferenceCrypto>(claim, device, bound, kept).proven);
        ++checked;
    }
    CHECK(checked == 3);
}

TEST_CASE("a token's proof", "[auth]") {
    const TokenLogin login = make_token_login<ReferenceCrypto>("ada", device_of(1), token, binding);
    const auto verify = [&](const TokenClaim& claim, DeviceId device, const ChannelBinding& bound,
                            const TokenKeys& with) {
        return verify_token_claim<ReferenceCrypto>(claim, device, bound, with);
    };

    SECTION("holds for its token, and the server proves that it has the keys") {
        const TokenVerdict verdict = verify(login.claim, device_of(1), binding, keys);
        CHECK(verdict.proven);
        CHECK(verdict.server_signature == login.server_signature);
    }
    SECTION("holds for nothing else") {
        CHECK_FALSE(verify(login.claim, device_of(2), binding, keys).proven);
        CHECK_FALSE(verify(login.claim, device_of(1), bytes_of(1), keys).proven);
        CHECK_FALSE(verify(login.claim, device_of(1), binding, TokenKeys{}).proven);
        TokenClaim other = login.claim;
        other.user = "adb";
        CHECK_FALSE(verify(other, device_of(1), binding, keys).proven);
        other = login.claim;
        other.generation = 8;
        CHECK_FALSE(verify(other, device_of(1), binding, keys).proven);
        for (std::size_t bit = 0; bit < 256; ++bit) {
            other = login.claim;
            other.proof[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
            REQUIRE_FALSE(verify(other, device_of(1), binding, keys).proven);
        }
    }
    SECTION("is not what the server answers, nor what it keeps") {
        TokenClaim echo = login.claim;
        for (const Digest& known : {login.server_signature, keys.stored_key, keys.server_key}) {
            echo.proof = known;
            CHECK_FALSE(verify(echo, device_of(1), binding, keys).proven);
        }
    }
    SECTION("is over a message that no other login has") {
        std::set<Buffer> messages;
        std::size_t made = 0;
        for (const std::string& user : {std::string{"a"}, std::string{"aa"}, std::string{"b"}}) {
            for (const unsigned device : {0x61u, 0x62u}) {
                for (const std::uint64_t generation :
                     {std::uint64_t{0x61}, std::uint64_t{1} << 32, std::uint64_t{1} << 56}) {
                    for (const unsigned bound : {0x61u, 0x62u}) {
                        messages.insert(detail::token_auth_message(user, device_of(device),
                                                                   generation, bytes_of(bound)));
                        ++made;
                    }
                }
            }
        }
        CHECK(messages.size() == made);
    }
}

TEST_CASE("the message of a login by token", "[auth]") {
    TokenClaim claim{"ada", 0x0102030405060708, bytes_of(9)};
    const Buffer message = encode_token_claim(claim);

    SECTION("comes back as it was") {
        CHECK(message.size() == 1 + 3 + 8 + 32);
        const TokenClaim read = parse_token_claim(message).value();
        CHECK(read.user == "ada");
        CHECK(read.generation == claim.generation);
        CHECK(read.proof == claim.proof);
        claim.user = std::string(32, 'x');
        claim.generation = ~std::uint64_t{0};
        CHECK(parse_token_claim(encode_token_claim(claim)).value().user == claim.user);
    }
    SECTION("is taken whole or not at all") {
        for (std::size_t size = 0; size < message.size(); ++size) {
            const auto cut = parse_token_claim(BytesView{message}.first(size));
            REQUIRE_FALSE(cut);
            REQUIRE(cut.error() == Errc::token_refused);
        }
        Buffer longer = message;
        longer.push_back(std::byte{0});
        CHECK_FALSE(parse_token_claim(longer));
        for (const unsigned length : {0u, 2u, 4u, 33u, 255u}) {
            Buffer wrong = message;
            wrong[0] = static_cast<std::byte>(length);
            CHECK_FALSE(parse_token_claim(wrong));
        }
    }
    SECTION("has a user's name and a generation") {
        for (const char letter : {' ', '#', '\0', '\n', '\xc3'}) {
            Buffer wrong = message;
            wrong[2] = static_cast<std::byte>(letter);
            CHECK_FALSE(parse_token_claim(wrong));
        }
        claim.generation = 0;
        CHECK_FALSE(parse_token_claim(encode_token_claim(claim)));
        claim.generation = 1;
        const Buffer no_name(1 + 8 + 32);
        CHECK_FALSE(parse_token_claim(no_name));
        Buffer long_name(1 + 33 + 8 + 32, std::byte{'a'});
        long_name[0] = std::byte{33};
        CHECK_FALSE(parse_token_claim(long_name));
    }
}

TEST_CASE("what can be a token", "[auth]") {
    CHECK(is_device_token(token));
    CHECK_FALSE(is_device_token({0, token.key}));
    CHECK_FALSE(is_device_token({1, Secret{}}));
    CHECK_FALSE(is_device_token({1, Secret{token.key.view().first(31)}}));
    CHECK_FALSE(is_device_token({1, Secret{Buffer(33)}}));
}

TEST_CASE("the tokens of a device", "[auth]") {
    const WallTime now{std::chrono::hours{100}};
    Device device;
    device.id = device_of(1);
    device.current = keys_of(4);
    device.next = keys_of(5);
    device.previous = keys_of(3);
    device.created = WallTime{std::chrono::hours{1}};

    SECTION("are found by their generation") {
        CHECK(find_token(device, 3).place == TokenPlace::previous);
        CHECK(find_token(device, 4).place == TokenPlace::current);
        CHECK(find_token(device, 5).place == TokenPlace::next);
        CHECK(find_token(device, 5).keys == keys_of(5));
        CHECK(find_token(device, 2).place == TokenPlace::none);
        CHECK(find_token(device, 6).place == TokenPlace::none);
        CHECK(find_token(std::nullopt, 4).place == TokenPlace::none);
        device.current = {};
        CHECK(find_token(device, 0).place == TokenPlace::none);
    }
    SECTION("stay when the current one is used, but for a new next one") {
        Device expected = device;
        expected.next = keys_of(6);
        expected.last_used = now;
        CHECK(after_token_login(device, TokenPlace::current, keys_of(6), now) == expected);
    }
    SECTION("move up when the next one is used") {
        Device expected = device;
        expected.previous = keys_of(4);
        expected.current = keys_of(5);
        expected.next = keys_of(6);
        expected.last_used = now;
        CHECK(after_token_login(device, TokenPlace::next, keys_of(6), now) == expected);
    }
    SECTION("have no previous one after the very first") {
        const Device first = after_password_login(std::nullopt, device_of(1), keys_of(1), now);
        const Device used = after_token_login(first, TokenPlace::next, keys_of(2), now);
        CHECK(used.current == keys_of(1));
        CHECK(used.next == keys_of(2));
        CHECK_FALSE(used.previous);
    }
    SECTION("begin anew with a password") {
        const Device anew = after_password_login(device, device_of(1), keys_of(6), now);
        CHECK(anew.current == TokenKeys{});
        CHECK(anew.next == keys_of(6));
        CHECK_FALSE(anew.previous);
        CHECK(anew.created == device.created);
        CHECK(after_password_login(std::nullopt, device_of(1), keys_of(1), now).created == now);
    }
    SECTION("never share a number") {
        CHECK(next_generation(std::nullopt) == 1);
        CHECK(next_generation(device) == 6);
        device.next.reset();
        CHECK(next_generation(device) == 5);
        device.current = {};
        CHECK(next_generation(device) == 4);
    }
    SECTION("expire") {
        device.last_used = now;
        CHECK_FALSE(is_expired(device, now));
        CHECK_FALSE(is_expired(device, now + std::chrono::hours{90 * 24}));
        CHECK(is_expired(device, now + std::chrono::hours{90 * 24} + std::chrono::milliseconds{1}));
        CHECK_FALSE(is_expired(device, now - std::chrono::hours{90 * 24 * 2}));
    }
}

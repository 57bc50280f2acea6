#include "quicchat/auth/client_key_cache.hpp"

#include <cstddef>

#include <catch2/catch_test_macros.hpp>

using namespace quicchat;

TEST_CASE("a client key cache", "[auth]") {
    const Buffer salt(16, std::byte{1});
    const Buffer check(32, std::byte{2});
    const Buffer other(32, std::byte{3});
    ScramKeys keys;
    keys.client_key[0] = std::byte{42};
    ClientKeyCache cache{2};
    cache.remember("Ada", salt, 4096, check, keys);

    SECTION("finds keys by all that they were made of") {
        REQUIRE(cache.find("ada", salt, 4096, check) != nullptr);
        CHECK(cache.find("ada", salt, 4096, check)->client_key == keys.client_key);
        CHECK(cache.find("eve", salt, 4096, check) == nullptr);
        CHECK(cache.find("ada", other, 4096, check) == nullptr);
        CHECK(cache.find("ada", salt, 4097, check) == nullptr);
        CHECK(cache.find("ada", salt, 4096, other) == nullptr);
        CHECK(cache.find("ada", salt, 4096, {}) == nullptr);
    }
    SECTION("lets the oldest go when it is full") {
        cache.remember("bob", salt, 4096, check, keys);
        cache.remember("bob", salt, 4096, check, keys);
        CHECK(cache.size() == 2);
        CHECK(cache.find("ada", salt, 4096, check) != nullptr);
        cache.remember("cyd", salt, 4096, check, keys);
        CHECK(cache.size() == 2);
        CHECK(cache.find("ada", salt, 4096, check) == nullptr);
    }
    SECTION("is a value") {
        ClientKeyCache copy = cache;
        cache.clear();
        CHECK(cache.size() == 0);
        CHECK(copy.size() == 1);
    }
}

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/files/partial_uploads.hpp"

using namespace quicchat;

TEST_CASE("files that were begun take room, and go at last", "[server]") {
    const Limits limits{.uploads_per_account_max = 2, .upload_expiry = std::chrono::hours{1}};
    PartialUploads files{limits};
    const TimePoint start{std::chrono::hours{100}};
    CHECK(files.add("one", "ada", "#a", 10) == "");
    CHECK(files.add("two", "ADA", "#b", 20) == "");
    CHECK(files.bytes() == 30);
    CHECK(files.bytes("#a") == 10);
    CHECK(files.bytes("#none") == 0);
    CHECK_FALSE(files.next_deadline());

    SECTION("an account has so many, and the oldest that was left makes room") {
        CHECK_FALSE(files.add("three", "Ada", "#a", 5));
        CHECK(files.add("other", "bob", "#a", 5) == "");
        files.leave("two", start);
        files.leave("one", start + std::chrono::minutes{1});
        CHECK(files.add("three", "ada", "#a", 5) == "two");
        CHECK_FALSE(files.contains("two"));
        CHECK(files.bytes("#b") == 0);
        CHECK(files.add("one", "ada", "#a", 10) == "");  // that one again
        CHECK_FALSE(files.add("four", "ada", "#a", 5));
    }
    SECTION("one that is finished takes no room") {
        files.erase("one");
        files.erase("none");
        CHECK(files.bytes() == 20);
        CHECK(files.size() == 1);
    }
    SECTION("one that nobody goes on with is dropped") {
        files.leave("one", start);
        files.leave("none", start);
        CHECK(files.next_deadline() == start + std::chrono::hours{1});
        CHECK_FALSE(files.take_expired(start + std::chrono::minutes{59}));
        CHECK(files.take_expired(start + std::chrono::hours{1}) == "one");
        CHECK_FALSE(files.take_expired(start + std::chrono::hours{1}));
        CHECK(files.bytes() == 20);
    }
    SECTION("unless it is sent again") {
        files.leave("one", start);
        CHECK(files.add("one", "ada", "#a", 10) == "");
        CHECK_FALSE(files.take_expired(start + std::chrono::hours{9}));
    }
}

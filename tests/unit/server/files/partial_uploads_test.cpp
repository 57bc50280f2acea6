#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/server/files/partial_uploads.hpp"

using namespace quicchat;

TEST_CASE("files that were begun take room, and go at last", "[server]") {
    const Limits limits{.uploads_per_account_max = 2,
                        .upload_ahead_bytes = 100,
                        .upload_expiry = std::chrono::hours{1},
                        .empty_upload_expiry = std::chrono::minutes{1}};
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
        files.note_received("one", 10);
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

TEST_CASE("what was begun before the server was is dropped when it is old", "[server]") {
    const Limits limits{.upload_ahead_bytes = 100, .upload_expiry = std::chrono::hours{1}};
    PartialUploads files{limits};
    const TimePoint start{std::chrono::hours{100}};
    const TimePoint old = start + std::chrono::hours{1};
    files.note_found(500, start);
    CHECK(files.bytes() == 500);
    CHECK(files.next_deadline() == old);
    CHECK_FALSE(files.take_drop(old - std::chrono::seconds{1}));
    CHECK(files.add("one", "ada", "#a", 90) == "");
    CHECK(files.claim("one", 50));
    files.note_received("one", 60);
    CHECK(files.bytes() == 450 + 90);
    CHECK(files.take_drop(old));
    CHECK_FALSE(files.take_drop(old));  // once

    SECTION("so that only what others have goes on with takes space") {
        files.note_dropped(60, old);
        CHECK(files.bytes() == 90);
        CHECK_FALSE(files.next_deadline());
    }
    SECTION("what stays, because a clock was set, is tried again") {
        files.note_dropped(60 + 300, old);
        CHECK(files.bytes() == 300 + 90);
        CHECK(files.take_drop(old + std::chrono::hours{1}));
    }
}

TEST_CASE("an offer takes hardly any space before its bytes come", "[server]") {
    const Limits limits{.uploads_per_account_max = 8,
                        .upload_ahead_bytes = 100,
                        .upload_expiry = std::chrono::hours{24},
                        .empty_upload_expiry = std::chrono::minutes{1}};
    PartialUploads files{limits};
    const TimePoint start{std::chrono::hours{100}};
    CHECK(files.add("large", "ada", "#a", 1'000'000) == "");
    CHECK(files.add("small", "ada", "#a", 10) == "");
    CHECK(files.bytes() == 110);
    CHECK(files.bytes_of("ADA") == 110);
    CHECK(files.bytes_of("bob") == 0);

    SECTION("and a little more than what has come") {
        files.note_received("large", 5000);
        CHECK(files.bytes("#a") == 5110);
        files.note_received("large", 1'000'000);
        CHECK(files.bytes("#a") == 1'000'010);
    }
    SECTION("and is forgotten in a minute if none came") {
        files.note_received("large", 5000);
        files.leave("large", start);
        files.leave("small", start);
        CHECK(files.bytes() == 5000);
        CHECK(files.next_deadline() == start + std::chrono::minutes{1});
        CHECK(files.take_expired(start + std::chrono::minutes{1}) == "small");
        CHECK_FALSE(files.take_expired(start + std::chrono::hours{23}));
        CHECK(files.take_expired(start + std::chrono::hours{24}) == "large");
        CHECK(files.bytes() == 0);
        CHECK(files.size() == 0);
    }
}

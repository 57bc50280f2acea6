#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "unit/server/hub_fixture.hpp"

namespace quicchat::test {
namespace {

/// What a hub has of its log when more is written than rooms keep.
TEST_CASE("a hub whose rooms are full", "[server]") {
    HubFixture chat{{.private_log_bytes_max = 256 * 1024}};
    chat.log_in(1, "ada", DeviceId{{std::byte{7}}});
    chat.log_in(2, "bob");
    const std::string text(30'000, 'x');
    /// How often bob is told of it.
    const auto tell = [&](unsigned number) {
        REQUIRE(chat.tell(1, "bob", number, text) == Errc{});
        REQUIRE(chat.hub.settle() == Errc{});
        return std::ranges::count_if(chat.control(), [](const auto& entry) {
            return entry.first == 2 && std::holds_alternative<wire::Told>(entry.second);
        });
    };

    SECTION("tells nobody twice what is sent again, also when its record is gone") {
        for (unsigned number = 1; number <= 20; ++number) CHECK(tell(number) == 1);
        REQUIRE(chat.log->head("@ada,@bob").first > 12);
        for (unsigned number = 1; number <= 20; ++number) CHECK(tell(number) == 0);
        CHECK(chat.log->head("@ada,@bob").head == 20);
    }
    SECTION("lets nobody push out in haste what others wrote") {
        REQUIRE(chat.tell(2, "ada", 1, "hello") == Errc{});
        for (unsigned number = 1; number <= 20; ++number) {
            REQUIRE(chat.tell(1, "bob", number, text) == Errc{});
        }
        REQUIRE(chat.hub.settle() == Errc{});
        const auto refused = std::ranges::count_if(chat.control(), [](const auto& entry) {
            const auto* error = std::get_if<wire::Error>(&entry.second);
            return error != nullptr && from_wire_code(error->code) == Errc::rate_limited &&
                   error->retry_after_ms > 0;
        });
        CHECK(refused >= 12);
        CHECK(chat.log->read("@ada,@bob", 0, 1)->front().record.text == "hello");
        chat.set_time(std::chrono::hours{24 * 7});
        CHECK(tell(30) == 1);
    }
}

}  // namespace
}  // namespace quicchat::test

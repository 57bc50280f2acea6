#include <memory>
#include <string>
#include <type_traits>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/result.hpp"
#include "support/printers.hpp"

namespace quicchat {
namespace {

TEST_CASE("a result", "[base]") {
    SECTION("holds a value") {
        Result<std::string> result{std::string{"ada"}};
        CHECK(result);
        CHECK(result.has_value());
        CHECK(*result == "ada");
        CHECK(result->size() == 3);
        result.value() += "!";
        CHECK(std::as_const(result).value() == "ada!");
        CHECK(std::as_const(result)->size() == 4);
    }
    SECTION("holds the reason there is none") {
        const Result<std::string> result = Errc::login_failed;
        CHECK_FALSE(result);
        CHECK_FALSE(result.has_value());
        CHECK(result.error() == Errc::login_failed);
    }
    SECTION("holds errors of other categories unchanged") {
        const std::error_code error = std::make_error_code(std::errc::address_in_use);
        CHECK(Result<int>{error}.error() == error);
    }
    SECTION("moves values that cannot be copied") {
        Result<std::unique_ptr<int>> result{std::make_unique<int>(5)};
        const std::unique_ptr<int> value = *std::move(result);
        CHECK(*value == 5);
        CHECK(*Result<std::unique_ptr<int>>{std::make_unique<int>(6)}.value() == 6);
    }
    SECTION("tells a value that looks false from an error") {
        CHECK(Result<int>{0}.has_value());
        CHECK(Result<bool>{false}.has_value());
        CHECK(Result<std::string>{std::string{}}.has_value());
    }
}

static_assert(!std::is_convertible_v<Result<int>, bool>, "a result is not a number");
static_assert(!std::is_copy_constructible_v<std::unique_ptr<int>> &&
              std::is_move_constructible_v<Result<std::unique_ptr<int>>>);

}  // namespace
}  // namespace quicchat

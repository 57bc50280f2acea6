#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/base/match.hpp"

namespace quicchat {
namespace {

struct Said {
    std::string text;
};
struct Left {
    int code;
};
using Event = std::variant<Said, Left>;

TEST_CASE("match", "[base]") {
    SECTION("calls the handler of what the variant holds") {
        const auto tell = [](const Event& event) {
            return match(
                event, [](const Said& e) { return e.text; },
                [](const Left& e) { return std::to_string(e.code); });
        };
        CHECK(tell(Said{"hello"}) == "hello");
        CHECK(tell(Left{5}) == "5");
    }
    SECTION("lets a handler change what the variant holds") {
        Event event = Said{"hello"};
        match(
            event, [](Said& e) { e.text += "!"; }, [](Left&) {});
        CHECK(std::get<Said>(event).text == "hello!");
    }
    SECTION("lets a handler take what a temporary holds") {
        std::variant<std::unique_ptr<int>, Left> event{std::make_unique<int>(7)};
        const std::unique_ptr<int> taken = match(
            std::move(event), [](std::unique_ptr<int>&& e) { return std::move(e); },
            [](Left&&) { return std::unique_ptr<int>{}; });
        CHECK(*taken == 7);
    }
    SECTION("passes references on") {
        Event event = Left{1};
        int other = 0;
        int& code = match(
            event, [&](Said&) -> int& { return other; }, [](Left& e) -> int& { return e.code; });
        code = 9;
        CHECK(std::get<Left>(event).code == 9);
    }
}

// A handler that is missing stops the compiler with a sentence; here is the condition of it.
struct OnSaid {
    void operator()(const Said&) const {}
};
struct OnLeft {
    void operator()(const Left&) const {}
};
struct OnLeftByMistake {
    void operator()(const Left&, int) const {}
};
template <class... Handlers>
constexpr bool complete =
    detail::handles_all<detail::Overloaded<Handlers...>>(static_cast<const Event*>(nullptr));

static_assert(complete<OnSaid, OnLeft>);
static_assert(!complete<OnSaid>, "forgets Left");
static_assert(!complete<OnSaid, OnLeftByMistake>);

}  // namespace
}  // namespace quicchat

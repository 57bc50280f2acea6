#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

namespace quicchat::quic {
namespace detail {

// Doxygen takes it for a class that derives from itself.
/// @cond
/// The one thing that a function takes. Generic lambdas and overloaded ones have no such thing.
template <class Function>
struct ArgumentOf : ArgumentOf<decltype(&Function::operator())> {};
template <class R, class E>
struct ArgumentOf<R (*)(E)> : std::type_identity<std::remove_cvref_t<E>> {};
template <class C, class R, class E>
struct ArgumentOf<R (C::*)(E)> : std::type_identity<std::remove_cvref_t<E>> {};
template <class C, class R, class E>
struct ArgumentOf<R (C::*)(E) const> : std::type_identity<std::remove_cvref_t<E>> {};
/// @endcond

template <class One, class Event>
inline constexpr bool is_one_of = false;
template <class One, class... All>
inline constexpr bool is_one_of<One, std::variant<All...>> = (std::is_same_v<One, All> || ...);

}  // namespace detail

/// Functions that take one type of event each, or `const Event&` for all of them. `Event` is a
/// std::variant.
template <class Event>
class Handlers {
public:
    /// Kept until this ends. What a handler that takes one type returns is ignored.
    template <class Handler>
    void add(Handler handler) {
        using One = typename detail::ArgumentOf<Handler>::type;
        if constexpr (std::is_same_v<One, Event>) {
            handlers_.emplace_back(std::move(handler));
        } else {
            static_assert(detail::is_one_of<One, Event>, "there is no event of this type");
            handlers_.emplace_back([handler = std::move(handler)](const Event& event) mutable {
                if (const auto* one = std::get_if<One>(&event)) handler(*one);
            });
        }
    }

    /// In the order in which they were added. Those that a handler adds begin with the next event.
    void call(const Event& event) {
        const std::size_t count = handlers_.size();
        for (std::size_t i = 0; i < count; ++i) handlers_[i](event);
    }

private:
    std::deque<std::function<void(const Event&)>> handlers_;  ///< They stay where they are.
};

}  // namespace quicchat::quic

#pragma once

#include <type_traits>
#include <utility>
#include <variant>

namespace quicchat {
namespace detail {

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;  // clang 14 lacks CTAD for aggregates

template <class Handler, class... Alternatives>
constexpr bool handles_all(const std::variant<Alternatives...>*) {
    return (std::is_invocable_v<Handler&, Alternatives&> && ...) ||
           (std::is_invocable_v<Handler&, const Alternatives&> && ...) ||
           (std::is_invocable_v<Handler&, Alternatives&&> && ...);
}

// Doxygen takes it for a class that derives from itself.
/// @cond
template <class Handler>
struct Handled : Handled<decltype(&Handler::operator())> {};
template <class Handler, class R, class Alternative>
struct Handled<R (Handler::*)(Alternative) const> {
    using Type = std::remove_cvref_t<Alternative>;
};
/// @endcond

template <class R, class Variant, class Handler>
bool handle_if(Variant& variant, R& result, Handler& handler) {
    auto* held = std::get_if<typename Handled<Handler>::Type>(&variant);
    if (held == nullptr) return false;
    result = handler(std::move(*held));
    return true;
}

}  // namespace detail

/// Calls the handler for the alternative that the variant holds. Forgetting one does not compile.
template <class Variant, class... Handlers>
decltype(auto) match(Variant&& variant, Handlers&&... handlers) {
    using Handler = detail::Overloaded<std::decay_t<Handlers>...>;
    constexpr bool complete =
        detail::handles_all<Handler>(static_cast<const std::remove_cvref_t<Variant>*>(nullptr));
    static_assert(complete, "match: no handler for one of the alternatives");
    if constexpr (complete) {  // or else std::visit buries the message above
        return std::visit(Handler{std::forward<Handlers>(handlers)...},
                          std::forward<Variant>(variant));
    }
}

/// Calls the handler for the alternative that the variant holds, which may be moved from; if there
/// is none, that is `otherwise`. For variants of many alternatives, since `match` makes a function
/// for each.
template <class R, class Variant, class... Handlers>
R match_some(Variant&& variant, R otherwise, Handlers&&... handlers) {
    R result = std::move(otherwise);
    (void)(detail::handle_if(variant, result, handlers) || ...);
    return result;
}

}  // namespace quicchat

#pragma once

#include <cassert>
#include <optional>
#include <system_error>
#include <utility>

#include "quicchat/base/error.hpp"

namespace quicchat {

/// A value, or the reason there is none. A subset of C++23's std::expected<T, std::error_code>
/// with the same spelling, so that it can become an alias once the compilers we support have it.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}
    Result(std::error_code error) : error_(error) { assert(error); }
    Result(Errc errc) : Result(make_error_code(errc)) {}

    bool has_value() const { return value_.has_value(); }
    explicit operator bool() const { return has_value(); }
    T& operator*() & { return assert(value_), *value_; }
    const T& operator*() const& { return assert(value_), *value_; }
    T&& operator*() && { return assert(value_), *std::move(value_); }
    T* operator->() { return assert(value_), &*value_; }
    const T* operator->() const { return assert(value_), &*value_; }
    T& value() & { return **this; }
    const T& value() const& { return **this; }
    T&& value() && { return *std::move(*this); }
    std::error_code error() const { return assert(!value_), error_; }

private:
    std::optional<T> value_;
    std::error_code error_;
};

}  // namespace quicchat

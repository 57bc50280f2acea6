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
    /// It went well.
    Result(T value) : value_(std::move(value)) {}
    /// It did not; `error` is one.
    Result(std::error_code error) : error_(error) { assert(error); }
    /// The same.
    Result(Errc errc) : Result(make_error_code(errc)) {}

    /// It went well.
    bool has_value() const { return value_.has_value(); }
    /// The same.
    explicit operator bool() const { return has_value(); }
    /// The value, if there is one.
    T& operator*() & { return assert(value_), *value_; }
    /// The same.
    const T& operator*() const& { return assert(value_), *value_; }
    /// The same.
    T&& operator*() && { return assert(value_), *std::move(value_); }
    /// A part of the value, if there is one.
    T* operator->() { return assert(value_), &*value_; }
    /// The same.
    const T* operator->() const { return assert(value_), &*value_; }
    /// The value, if there is one.
    T& value() & { return **this; }
    /// The same.
    const T& value() const& { return **this; }
    /// The same.
    T&& value() && { return *std::move(*this); }
    /// Why there is no value, if there is none.
    std::error_code error() const { return assert(!value_), error_; }

private:
    std::optional<T> value_;
    std::error_code error_;
};

}  // namespace quicchat

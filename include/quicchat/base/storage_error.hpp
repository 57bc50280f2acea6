#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

#include "quicchat/base/error.hpp"

namespace quicchat {

/// What is wrong with a database or a folder, for programs and for people: the text is a sentence
/// that names it and, where there is one, the way out.
struct StorageError {
    /// For programs. Mostly this one: few errors have a number of their own.
    Errc errc = Errc::storage_failed;
    std::string text;  ///< For people: a sentence that names what is broken.
};

/// A value, or what is wrong with the storage. `Result` with a text.
template <class T>
class [[nodiscard]] StorageResult {
public:
    /// Either is returned as it is, without a name for the result.
    /// @{
    StorageResult(T value) : value_(std::move(value)) {}
    StorageResult(StorageError error) : error_(std::move(error)) {}
    /// @}

    /// Whether there is a value.
    explicit operator bool() const { return value_.has_value(); }
    /// The value. Only if there is one: this is asserted.
    /// @{
    T& operator*() & { return assert(value_), *value_; }
    const T& operator*() const& { return assert(value_), *value_; }
    T&& operator*() && { return assert(value_), *std::move(value_); }
    T* operator->() { return assert(value_), &*value_; }
    const T* operator->() const { return assert(value_), &*value_; }
    /// @}

    /// What is wrong. Only if there is no value: this is asserted.
    const StorageError& error() const { return assert(!value_), error_; }

private:
    std::optional<T> value_;
    StorageError error_;
};

}  // namespace quicchat

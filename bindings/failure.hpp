#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <system_error>
#include <utility>

#include "quicchat/base/result.hpp"
#include "quicchat/sqlite/error.hpp"

namespace quicchat::python {

/// Becomes `_core.CoreError(category, value, name, text)` in Python.
class CoreFailure : public std::exception {
public:
    explicit CoreFailure(std::error_code error) : error_(error) {}
    const std::error_code& error() const { return error_; }
    const char* what() const noexcept override { return "quicchat"; }

private:
    std::error_code error_;
};

/// Nothing can be written where qlogs should go. Becomes `_core.QlogError(value, text)` in Python.
class QlogFailure : public CoreFailure {
public:
    using CoreFailure::CoreFailure;
};

/// Something is wrong with a database. Becomes `_core.StorageFailure(name, text)` in Python.
class StorageFailure : public std::exception {
public:
    explicit StorageFailure(StorageError error) : error_(std::move(error)) {}
    const StorageError& error() const { return error_; }
    const char* what() const noexcept override { return error_.text.c_str(); }

private:
    StorageError error_;
};

/// An object from before a fork was used in the child. Becomes `quicchat.ForkError`.
class ForkFailure : public std::exception {
public:
    const char* what() const noexcept override { return "used after fork"; }
};

/// The value, or CoreFailure.
template <class T>
T value_or_throw(Result<T> result) {
    if (!result) throw CoreFailure{result.error()};
    return *std::move(result);
}

/// The value, or StorageFailure.
template <class T>
T value_or_throw(StorageResult<T> result) {
    if (!result) throw StorageFailure{result.error()};
    return *std::move(result);
}

}  // namespace quicchat::python

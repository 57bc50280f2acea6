#pragma once

#include "quicchat/base/error.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::string ErrorCategory::message(int value) const {
    const ErrorInfo* info = find_error(static_cast<Errc>(value));
    return info != nullptr ? std::string{info->text} : "unknown quicchat error";
}

QUICCHAT_DECL const std::error_category& error_category() {
    static const ErrorCategory category;
    return category;
}

QUICCHAT_DECL std::error_code make_error_code(Errc errc) {
    return {static_cast<int>(errc), error_category()};
}

QUICCHAT_DECL Errc to_errc(const std::error_code& error) {
    if (error.category() == error_category()) return static_cast<Errc>(error.value());
    return Errc::internal_error;
}

}  // namespace quicchat

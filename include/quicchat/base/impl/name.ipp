#pragma once

#include "quicchat/base/name.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL std::string canonical_name(std::string_view name) {
    std::string canonical{name};
    for (char& c : canonical) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return canonical;
}

QUICCHAT_DECL bool is_same_name(std::string_view one, std::string_view other) {
    return one == other || canonical_name(one) == canonical_name(other);
}

}  // namespace quicchat

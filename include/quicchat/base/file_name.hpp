#pragma once

#include <string_view>

#include "quicchat/base/display_name.hpp"
#include "quicchat/base/limits.hpp"

namespace quicchat {

/// True for what can be the name of a file: no path, and none of the names that file systems keep
/// for themselves (PROTOCOL.md §3.2). It is for people: nobody opens anything by it.
constexpr bool is_file_name(std::string_view name) {
    return is_plain_line(name, file_name_bytes_max) && name != "." && name != ".." &&
           name.find_first_of("/\\") == std::string_view::npos;
}

}  // namespace quicchat

#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "quicchat/auth/known_servers.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"

// Reads and writes the `known_servers` file. What is in it is auth/known_servers.hpp's part.

namespace quicchat::quic {
namespace detail {

QUICCHAT_DECL std::error_code file_error();

QUICCHAT_DECL std::error_code write_whole_file(int fd, std::string_view text);

/// Puts `text` in the place of the file, all or nothing, also over a power cut. The caller has the
/// lock, so the temporary name is its own.
QUICCHAT_DECL std::error_code replace_file(const std::filesystem::path& path,
                                           std::string_view text);

/// Makes the folder, for its owner only. One that exists is left as it is.
QUICCHAT_DECL std::error_code make_private_folder(const std::filesystem::path& folder);

}  // namespace detail

/// The text of the file. A file that does not exist is an empty one. Fails with the system's error,
/// or with `invalid_request` for a file that is too large to be ours.
QUICCHAT_DECL Result<std::string> read_known_servers_file(const std::filesystem::path& path);

/// Adds a server to the file, which is made if need be (mode 0600, its folder 0700). Several
/// programs may do so at once. A line that is there already is not added again. If meanwhile
/// another key was added for the address, nothing is written and the error is `server_key_changed`.
QUICCHAT_DECL Result<std::monostate> add_to_known_servers_file(const std::filesystem::path& path,
                                                               const KnownServer& server);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/known_servers_file.ipp"
#endif

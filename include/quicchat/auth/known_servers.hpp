#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

// The keys of servers that were seen before, in a text file as ssh keeps it. One server a line:
//
//     chat.example.org:4433 sha256:3f9a…c2 since 2026-11-22
//
// that is: address, fingerprint, and a comment to the end of the line. Empty lines and lines that
// begin with `#` mean nothing. A server may have several lines, then each of the keys is good.

namespace quicchat {

/// Nobody knows that many servers; a file above this is not ours.
inline constexpr std::size_t known_servers_bytes_max = 1024 * 1024;
/// Lines of any kind.
inline constexpr std::size_t known_servers_lines_max = 10'000;

/// One line.
struct KnownServer {
    std::string address;    ///< "host:port" in lower case; "[::1]:4433" for IPv6.
    Fingerprint key{};      ///< SHA-256 of the server's public key.
    std::string comment{};  ///< Without the space before it and the line's end. May be empty.
};

/// A line that could not be read.
struct BadKnownServerLine {
    std::size_t number = 0;  ///< The first line is 1.
    std::string address;     ///< Its first word in lower case.
};

/// A file of known servers that was read.
struct KnownServers {
    std::vector<KnownServer> servers;  ///< In the order of the file.
    /// Lines that mean something and could not be read.
    std::vector<BadKnownServerLine> bad_lines;
};

/// What a key that a server shows means to one who has seen servers before.
enum class ServerKeyMatch {
    unknown,     ///< The address was never seen: ask, or trust on first use.
    same,        ///< The key is one of those that were seen.
    changed,     ///< Others were seen. Stop: somebody may sit between.
    unreadable,  ///< A line of that address is damaged. Stop: it may have said something else.
};

namespace detail {

/// Takes the first word off the front of a line.
QUICCHAT_DECL std::string_view take_word(std::string_view& line);

QUICCHAT_DECL std::string lower_case(std::string_view text);

}  // namespace detail

/// True for "host:port" and "[IPv6]:port". It does not check whether there is such a host.
constexpr bool is_server_address(std::string_view address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || address.size() > 300) return false;
    const std::string_view host = address.substr(0, colon);
    const std::string_view port = address.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.front() == '0') return false;
    unsigned number = 0;
    for (const char c : port) {
        if (c < '0' || c > '9') return false;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    if (number > 65535) return false;
    if (host.front() == '#') return false;  // would be a comment
    const bool bracketed = host.front() == '[' && host.back() == ']' && host.size() > 2;
    return std::all_of(host.begin(), host.end(), [&](char c) {
        return c > ' ' && c != 0x7f && (bracketed || (c != ':' && c != '[' && c != ']'));
    });
}

/// Reads the file's text; a byte order mark before it is none of it. A bad line is reported and
/// skipped. Fails with `invalid_request` if the text is above the limits, and with `invalid_text`
/// if it has a zero byte: it is in UTF-16, and nobody knows then which servers it tells of.
QUICCHAT_DECL Result<KnownServers> parse_known_servers(std::string_view text);

/// Compares the key that a server showed with those that were seen at its address.
QUICCHAT_DECL ServerKeyMatch match_server_key(const KnownServers& known, std::string_view address,
                                              const Fingerprint& key);

/// One line with its line end. Nothing in the comment can begin another line. Fails with
/// `invalid_name` if the address is not one.
QUICCHAT_DECL Result<std::string> format_known_server(const KnownServer& server);

/// The file's text with a line more. Everything that was there stays, also lines that we cannot
/// read. Fails like `parse_known_servers`.
QUICCHAT_DECL Result<std::string> add_known_server(std::string_view text,
                                                   const KnownServer& server);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/known_servers.ipp"
#endif

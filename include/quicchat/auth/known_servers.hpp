#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/transport/fingerprint.hpp"

// The keys of servers that were seen before, in a text file as ssh keeps it. One server a line:
//
//     chat.example.org:4433 sha256:3f9a…c2 since 2026-11-22
//
// that is: address, fingerprint, and a comment to the end of the line. Empty lines and lines that
// begin with `#` mean nothing. A server may have several lines, then each of the keys is good.

namespace quicchat {

/// Nobody knows that many servers; a file above this is not ours.
inline constexpr std::size_t known_servers_bytes_max = 1024 * 1024;
inline constexpr std::size_t known_servers_lines_max = 10'000;

/// One line.
struct KnownServer {
    std::string address;  ///< "host:port" in lower case; "[::1]:4433" for IPv6.
    Fingerprint key{};
    std::string comment{};
};

/// A line that could not be read.
struct BadKnownServerLine {
    std::size_t number = 0;  ///< The first line is 1.
    std::string address;     ///< Its first word in lower case.
};

struct KnownServers {
    std::vector<KnownServer> servers;
    std::vector<BadKnownServerLine> bad_lines;
};

enum class ServerKeyMatch {
    unknown,     ///< The address was never seen: ask, or trust on first use.
    same,        ///< The key is one of those that were seen.
    changed,     ///< Others were seen. Stop: somebody may sit between.
    unreadable,  ///< A line of that address is damaged. Stop: it may have said something else.
};

namespace detail {

/// Takes the first word off the front of a line.
inline std::string_view take_word(std::string_view& line) {
    constexpr std::string_view blanks = " \t";
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    return word;
}

inline std::string lower_case(std::string_view text) {
    std::string lower{text};
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

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

/// Reads the file's text. A bad line is reported and skipped. Fails with `invalid_request` only if
/// the text is above the limits.
inline Result<KnownServers> parse_known_servers(std::string_view text) {
    if (text.size() > known_servers_bytes_max) return Errc::invalid_request;
    KnownServers result;
    for (std::size_t number = 1; !text.empty(); ++number) {
        if (number > known_servers_lines_max) return Errc::invalid_request;
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);

        const std::string_view address = detail::take_word(line);
        if (address.empty() || address.front() == '#') continue;
        const Result<Fingerprint> key = parse_fingerprint(detail::take_word(line));
        if (!is_server_address(address) || !key) {
            result.bad_lines.push_back({number, detail::lower_case(address)});
            continue;
        }
        result.servers.push_back({detail::lower_case(address), *key, std::string{line}});
    }
    return result;
}

/// Compares the key that a server showed with those that were seen at its address.
inline ServerKeyMatch match_server_key(const KnownServers& known, std::string_view address,
                                       const Fingerprint& key) {
    const std::string wanted = detail::lower_case(address);
    bool seen = false;
    for (const KnownServer& server : known.servers) {
        if (server.address != wanted) continue;
        if (server.key == key) return ServerKeyMatch::same;
        seen = true;
    }
    if (seen) return ServerKeyMatch::changed;
    for (const BadKnownServerLine& line : known.bad_lines) {
        if (line.address == wanted) return ServerKeyMatch::unreadable;
    }
    return ServerKeyMatch::unknown;
}

/// One line with its line end. Nothing in the comment can begin another line. Fails with
/// `invalid_name` if the address is not one.
inline Result<std::string> format_known_server(const KnownServer& server) {
    if (!is_server_address(server.address)) return Errc::invalid_name;
    std::string line = detail::lower_case(server.address) + ' ' + format_fingerprint(server.key);
    if (!server.comment.empty()) {
        line += ' ';
        for (const char c : server.comment) {
            const auto octet = static_cast<unsigned char>(c);
            line += octet < 0x20 || octet == 0x7f ? '?' : c;
        }
    }
    return line + '\n';
}

/// The file's text with a line more. Everything that was there stays, also what we cannot read.
inline Result<std::string> add_known_server(std::string_view text, const KnownServer& server) {
    Result<std::string> line = format_known_server(server);
    if (!line) return line;
    std::string result{text};
    if (!result.empty() && result.back() != '\n') result += '\n';
    result += *line;
    const auto lines = static_cast<std::size_t>(std::count(result.begin(), result.end(), '\n'));
    if (result.size() > known_servers_bytes_max || lines > known_servers_lines_max) {
        return Errc::invalid_request;
    }
    return result;
}

}  // namespace quicchat

#pragma once

#include "quicchat/auth/known_servers.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::detail {

QUICCHAT_RARE_DECL std::string_view take_word(std::string_view& line) {
    constexpr std::string_view blanks = " \t";
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    return word;
}

QUICCHAT_RARE_DECL std::string lower_case(std::string_view text) {
    std::string lower{text};
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_RARE_DECL Result<KnownServers> parse_known_servers(std::string_view text) {
    if (text.size() > known_servers_bytes_max) return Errc::invalid_request;
    if (text.find('\0') != std::string_view::npos) return Errc::invalid_text;
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
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

QUICCHAT_RARE_DECL ServerKeyMatch match_server_key(const KnownServers& known,
                                                   std::string_view address,
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

QUICCHAT_RARE_DECL Result<std::string> format_known_server(const KnownServer& server) {
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

QUICCHAT_RARE_DECL Result<std::string> add_known_server(std::string_view text,
                                                        const KnownServer& server) {
    Result<std::string> line = format_known_server(server);
    if (!line) return line;
    if (text.find('\0') != std::string_view::npos) return Errc::invalid_text;
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

#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "input.hpp"
#include "quicchat/auth/known_servers.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::test {

inline bool is_same_server(const KnownServer& one, const KnownServer& other) {
    return one.address == other.address && one.key == other.key && one.comment == other.comment;
}

/// Any file: what is added to it is found again, and nothing that was there is lost, moved or
/// believed in another way.
inline void fuzz_known_servers(BytesView bytes) {
    FuzzInput input{bytes};
    const std::size_t address_bytes = input.octet();
    KnownServer server{std::string{as_text(input.take(address_bytes))}};
    const std::size_t comment_bytes = input.octet();
    server.comment = as_text(input.take(comment_bytes));
    server.key.fill(std::byte{0x5a});
    const std::string_view text = as_text(input.rest());
    must(parse_fingerprint(format_fingerprint(server.key)).value() == server.key);

    const Result<KnownServers> before = parse_known_servers(text);
    if (!before) {
        const bool has_zero = text.find('\0') != std::string_view::npos;
        return must(before.error() == (has_zero ? Errc::invalid_text : Errc::invalid_request));
    }
    must(before->servers.size() + before->bad_lines.size() <=
         1 + static_cast<std::size_t>(std::ranges::count(text, '\n')));
    for (const KnownServer& known : before->servers) {
        must(is_server_address(known.address));
        must(match_server_key(*before, known.address, known.key) == ServerKeyMatch::same);
        const std::string line = format_known_server(known).value();
        const KnownServers again = parse_known_servers(line).value();
        must(again.servers.size() == 1 && again.bad_lines.empty());
        must(again.servers[0].address == known.address && again.servers[0].key == known.key);
    }
    const Result<std::string> added = add_known_server(text, server);
    if (!added)
        return must(added.error() == (is_server_address(server.address) ? Errc::invalid_request
                                                                        : Errc::invalid_name));
    must(added->starts_with(text) && added->back() == '\n');
    const KnownServers after = parse_known_servers(*added).value();
    must(after.servers.size() == before->servers.size() + 1);
    must(std::ranges::equal(before->servers, std::span{after.servers}.first(before->servers.size()),
                            is_same_server));
    must(after.bad_lines.size() == before->bad_lines.size());
    must(match_server_key(after, server.address, server.key) == ServerKeyMatch::same);
    Fingerprint other = server.key;
    other[0] ^= std::byte{1};
    must(match_server_key(after, server.address, other) != ServerKeyMatch::unknown);
}

}  // namespace quicchat::test

#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"

namespace quicchat::quic {

/// An IPv4 or IPv6 address with a port.
class SocketAddress {
public:
    SocketAddress() = default;

    /// Copies what the system gave us. Other families than IPv4 and IPv6 give an empty address.
    SocketAddress(const sockaddr* address, std::size_t size);

    /// Reads a numeric address: "127.0.0.1", "::1" or "[::1]"; of a link-local one also which
    /// interface it is at, "fe80::1%eth0" (RFC 4007 §11). Never asks a name server.
    static std::optional<SocketAddress> from_numeric(std::string_view host, std::uint16_t port);

    /// Reads "127.0.0.1:4433" or "[::1]:4433".
    static std::optional<SocketAddress> parse(std::string_view text);

    /// "127.0.0.1:4433", "[::1]:4433", or "" for an empty address.
    std::string to_string() const;

    /// The address without the port, with its interface if it has one. An IPv4 client of a
    /// dual-stack socket reads as IPv4.
    std::string host_string() const;

    /// In the byte order of this machine. 0 of an empty address, which has none to set.
    /// @{
    std::uint16_t port() const;

    void set_port(std::uint16_t port);
    /// @}

    /// True for 0.0.0.0 and ::.
    bool is_wildcard() const;

    /// True for two addresses of one interface, whatever their ports.
    bool is_same_host(const SocketAddress& other) const;

    /// True if it is no address at all. One that is all zeros is an address, see `is_wildcard`.
    bool empty() const { return size_ == 0; }
    /// AF_INET, AF_INET6, or AF_UNSPEC for an empty one.
    int family() const { return empty() ? AF_UNSPEC : storage_.ss_family; }
    /// As the system's calls want it. They stay valid until this is changed or destroyed.
    /// @{
    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const { return static_cast<socklen_t>(size_); }
    /// @}

    /// Only of an address of that family, which is not checked.
    /// @{
    const sockaddr_in& v4() const { return reinterpret_cast<const sockaddr_in&>(storage_); }
    const sockaddr_in6& v6() const { return reinterpret_cast<const sockaddr_in6&>(storage_); }
    /// @}

    /// Equal in family, address, port and interface.
    friend bool operator==(const SocketAddress& a, const SocketAddress& b) {
        if (a.family() != b.family()) return false;
        if (a.family() == AF_INET) {
            return a.v4().sin_port == b.v4().sin_port &&
                   a.v4().sin_addr.s_addr == b.v4().sin_addr.s_addr;
        }
        if (a.family() != AF_INET6) return true;
        return a.v6().sin6_port == b.v6().sin6_port &&
               a.v6().sin6_scope_id == b.v6().sin6_scope_id &&
               std::memcmp(&a.v6().sin6_addr, &b.v6().sin6_addr, sizeof(in6_addr)) == 0;
    }

private:
    sockaddr_storage storage_{};
    std::size_t size_ = 0;
};

/// What getaddrinfo says went wrong: a name that does not exist, a name server that is away.
class ResolveCategory final : public std::error_category {
public:
    /// As std::error_category has them: "getaddrinfo", and gai_strerror's text.
    /// @{
    const char* name() const noexcept override { return "getaddrinfo"; }
    std::string message(int value) const override;
    /// @}
};

/// The only ResolveCategory.
QUICCHAT_DECL const std::error_category& resolve_category();

/// Finds the addresses of a host name or of numeric text, the best first. BLOCKS for as long as the
/// name server takes, which may be many seconds: call it before the event loop or on a thread of
/// its own.
QUICCHAT_DECL Result<std::vector<SocketAddress>> resolve(std::string_view host, std::uint16_t port);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/address.ipp"
#endif

#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "quicchat/base/result.hpp"

namespace quicchat::quic {

/// An IPv4 or IPv6 address with a port.
class SocketAddress {
public:
    SocketAddress() = default;

    /// Copies what the system gave us. Other families than IPv4 and IPv6 give an empty address.
    SocketAddress(const sockaddr* address, std::size_t size) {
        const bool v4 =
            address != nullptr && size >= sizeof(sockaddr_in) && address->sa_family == AF_INET;
        const bool v6 =
            address != nullptr && size >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6;
        if (!v4 && !v6) return;
        size_ = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        std::memcpy(&storage_, address, size_);
    }

    /// Reads a numeric address: "127.0.0.1", "::1" or "[::1]". Never asks a name server.
    static std::optional<SocketAddress> from_numeric(std::string_view host, std::uint16_t port) {
        if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
            host = host.substr(1, host.size() - 2);
        }
        const std::string text{host};
        sockaddr_in v4{};
        if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
            v4.sin_family = AF_INET;
            v4.sin_port = htons(port);
            return SocketAddress{reinterpret_cast<const sockaddr*>(&v4), sizeof v4};
        }
        sockaddr_in6 v6{};
        if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(port);
            return SocketAddress{reinterpret_cast<const sockaddr*>(&v6), sizeof v6};
        }
        return std::nullopt;
    }

    /// Reads "127.0.0.1:4433" or "[::1]:4433".
    static std::optional<SocketAddress> parse(std::string_view text) {
        const std::size_t colon = text.rfind(':');
        if (colon == std::string_view::npos) return std::nullopt;
        const std::string_view host = text.substr(0, colon);
        const std::string_view digits = text.substr(colon + 1);
        const bool bracketed = !host.empty() && host.front() == '[';
        if (host.find(':') != std::string_view::npos && !bracketed) return std::nullopt;

        std::uint16_t port = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
        return from_numeric(host, port);
    }

    /// "127.0.0.1:4433", "[::1]:4433", or "" for an empty address.
    std::string to_string() const {
        if (empty()) return {};
        const std::string host = host_string();
        const std::string port = std::to_string(this->port());
        return host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
    }

    /// The address without the port. An IPv4 client of a dual-stack socket reads as IPv4.
    std::string host_string() const {
        char text[INET6_ADDRSTRLEN] = {};
        if (family() == AF_INET) {
            inet_ntop(AF_INET, &v4().sin_addr, text, sizeof text);
        } else if (family() == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6().sin6_addr)) {
            inet_ntop(AF_INET, v6().sin6_addr.s6_addr + 12, text, sizeof text);
        } else if (family() == AF_INET6) {
            inet_ntop(AF_INET6, &v6().sin6_addr, text, sizeof text);
        }
        return text;
    }

    std::uint16_t port() const {
        if (family() == AF_INET) return ntohs(v4().sin_port);
        if (family() == AF_INET6) return ntohs(v6().sin6_port);
        return 0;
    }

    void set_port(std::uint16_t port) {
        if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
        if (family() == AF_INET6) {
            reinterpret_cast<sockaddr_in6*>(&storage_)->sin6_port = htons(port);
        }
    }

    /// True for 0.0.0.0 and ::.
    bool is_wildcard() const {
        if (family() == AF_INET) return v4().sin_addr.s_addr == htonl(INADDR_ANY);
        return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6().sin6_addr);
    }

    bool empty() const { return size_ == 0; }
    int family() const { return empty() ? AF_UNSPEC : storage_.ss_family; }
    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const { return static_cast<socklen_t>(size_); }
    const sockaddr_in& v4() const { return reinterpret_cast<const sockaddr_in&>(storage_); }
    const sockaddr_in6& v6() const { return reinterpret_cast<const sockaddr_in6&>(storage_); }

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
    const char* name() const noexcept override { return "getaddrinfo"; }
    std::string message(int value) const override { return gai_strerror(value); }
};

inline const std::error_category& resolve_category() {
    static const ResolveCategory category;
    return category;
}

/// Finds the addresses of a host name or of numeric text. BLOCKS for as long as the name server
/// takes, which may be many seconds: call it before the event loop or on a thread of its own.
inline Result<std::vector<SocketAddress>> resolve(std::string_view host, std::uint16_t port) {
    if (const auto numeric = SocketAddress::from_numeric(host, port)) {
        return std::vector<SocketAddress>{*numeric};
    }
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(std::string{host}.c_str(), nullptr, &hints, &list);
    if (error == EAI_SYSTEM) return std::error_code{errno, std::system_category()};
    if (error != 0) return std::error_code{error, resolve_category()};

    std::vector<SocketAddress> found;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        SocketAddress address{entry->ai_addr, entry->ai_addrlen};
        address.set_port(port);
        if (!address.empty()) found.push_back(address);
    }
    freeaddrinfo(list);
    if (found.empty()) return std::error_code{EAI_NONAME, resolve_category()};
    return found;
}

}  // namespace quicchat::quic

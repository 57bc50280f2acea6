#pragma once

#include "quicchat/quic/address.hpp"

#include <cerrno>
#include <charconv>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/host_name.hpp"

namespace quicchat::quic::detail {

/// The number of an interface, from its name or the number itself.
QUICCHAT_DECL std::optional<std::uint32_t> scope_of(std::string_view text) {
    std::uint32_t scope = if_nametoindex(std::string{text}.c_str());
    if (scope != 0) return scope;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), scope);
    if (error != std::errc{} || end != text.data() + text.size() || scope == 0) return std::nullopt;
    return scope;
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_DECL SocketAddress::SocketAddress(const sockaddr* address, std::size_t size) {
    const bool v4 =
        address != nullptr && size >= sizeof(sockaddr_in) && address->sa_family == AF_INET;
    const bool v6 =
        address != nullptr && size >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6;
    if (!v4 && !v6) return;
    size_ = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&storage_, address, size_);
}

QUICCHAT_DECL std::optional<SocketAddress> SocketAddress::from_numeric(std::string_view host,
                                                                       std::uint16_t port) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    const std::size_t percent = host.find('%');
    const std::string text{host.substr(0, percent)};
    const bool scoped = percent != std::string_view::npos;
    sockaddr_in v4{};
    if (!scoped && inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        return SocketAddress{reinterpret_cast<const sockaddr*>(&v4), sizeof v4};
    }
    sockaddr_in6 v6{};
    if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        if (scoped) {
            const auto scope = detail::scope_of(host.substr(percent + 1));
            if (!scope || !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return std::nullopt;
            v6.sin6_scope_id = *scope;
        }
        return SocketAddress{reinterpret_cast<const sockaddr*>(&v6), sizeof v6};
    }
    return std::nullopt;
}

QUICCHAT_DECL std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    const bool bracketed = !host.empty() && host.front() == '[';
    if (host.find(':') != std::string_view::npos && !bracketed) return std::nullopt;

    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return from_numeric(host, port);
}

QUICCHAT_DECL std::string SocketAddress::to_string() const {
    if (empty()) return {};
    const std::string host = host_string();
    const std::string port = std::to_string(this->port());
    return host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
}

QUICCHAT_DECL std::string SocketAddress::host_string() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (family() == AF_INET) {
        inet_ntop(AF_INET, &v4().sin_addr, text, sizeof text);
    } else if (family() == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6().sin6_addr)) {
        inet_ntop(AF_INET, v6().sin6_addr.s6_addr + 12, text, sizeof text);
    } else if (family() == AF_INET6) {
        inet_ntop(AF_INET6, &v6().sin6_addr, text, sizeof text);
        const std::uint32_t scope = v6().sin6_scope_id;
        char name[IF_NAMESIZE] = {};
        if (scope != 0) {
            const bool named = if_indextoname(scope, name) != nullptr;
            return std::string{text} + "%" + (named ? name : std::to_string(scope));
        }
    }
    return text;
}

QUICCHAT_DECL std::uint16_t SocketAddress::port() const {
    if (family() == AF_INET) return ntohs(v4().sin_port);
    if (family() == AF_INET6) return ntohs(v6().sin6_port);
    return 0;
}

QUICCHAT_DECL void SocketAddress::set_port(std::uint16_t port) {
    if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
    if (family() == AF_INET6) {
        reinterpret_cast<sockaddr_in6*>(&storage_)->sin6_port = htons(port);
    }
}

QUICCHAT_DECL bool SocketAddress::is_same_host(const SocketAddress& other) const {
    SocketAddress with_port = other;
    with_port.set_port(port());
    return *this == with_port;
}

QUICCHAT_DECL bool SocketAddress::is_wildcard() const {
    if (family() == AF_INET) return v4().sin_addr.s_addr == htonl(INADDR_ANY);
    return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6().sin6_addr);
}

QUICCHAT_DECL std::string ResolveCategory::message(int value) const { return gai_strerror(value); }

QUICCHAT_DECL const std::error_category& resolve_category() {
    static const ResolveCategory category;
    return category;
}

QUICCHAT_DECL Result<std::vector<SocketAddress>> resolve(std::string_view host,
                                                         std::uint16_t port) {
    if (const auto numeric = SocketAddress::from_numeric(host, port)) {
        return std::vector<SocketAddress>{*numeric};
    }
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    const std::optional<std::string> name = ascii_host_name(host);
    if (!name) return std::error_code{EAI_NONAME, resolve_category()};
    const int error = getaddrinfo(name->c_str(), nullptr, &hints, &list);
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

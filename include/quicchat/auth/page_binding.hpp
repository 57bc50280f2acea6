#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// True for "host:port" as it stands in a page's binding: the host of a URL as browsers write it
/// (WHATWG URL, host serializing), and the port in decimal, also where a URL would leave it out.
QUICCHAT_DECL bool is_page_host(std::string_view text);

/// What a page binds its login to, since no browser gives it the TLS exporter (PROTOCOL.md §5.9):
/// what it knows of the server that TLS has checked. The kind comes first and every part has a
/// length, so that neither can be taken for the other.
class PageBinding {
public:
    /// So many may be pinned at once.
    static constexpr std::size_t certificates_max = 4;
    static constexpr std::size_t host_bytes_max = 255;  ///< Of "host:port".

    /// The page pinned these certificates, of which the browser saw one. `invalid_request` if there
    /// is none or there are too many, or if one is all zeros.
    static Result<PageBinding> to_certificates(std::span<const CertificateHash> pinned);
    /// The page pinned nothing: the browser has checked that the certificate is that host's.
    /// `invalid_request` if that is no `is_page_host`.
    static Result<PageBinding> to_host(std::string_view host, std::uint16_t port);
    /// Takes one off the front of what a page sent; nothing if there is none.
    static std::optional<PageBinding> take(BytesView& data);

    /// As it travels and as it is hashed.
    BytesView bytes() const { return bytes_; }
    /// Whether that certificate was among those that were pinned.
    bool has_certificate(const CertificateHash& certificate) const;
    /// "host:port"; empty if certificates were pinned.
    std::string_view host() const;

private:
    enum class Kind : std::uint8_t { certificates = 1, host = 2 };

    explicit PageBinding(Buffer bytes) : bytes_(std::move(bytes)) {}

    Kind kind() const { return static_cast<Kind>(bytes_[0]); }
    BytesView value() const { return BytesView{bytes_}.subspan(2); }

    Buffer bytes_;  // kind, number of hashes or length of the text, those
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/page_binding.ipp"
#endif

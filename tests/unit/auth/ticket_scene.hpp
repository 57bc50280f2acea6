#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "quicchat/auth/ticket_authenticator.hpp"
#include "quicchat/auth/ticket_login.hpp"
#include "reference_crypto.hpp"

// A site with its key, and a server that takes its tickets.

namespace quicchat::test {

using PageLogin = TicketLogin<ReferenceCrypto>;
using PageAuthenticator = TicketAuthenticator<ReferenceCrypto>;

inline constexpr std::string_view site_key = "a key of the site, of enough bytes";
inline constexpr std::string_view other_key = "a key of somebody, of enough bytes";

inline CertificateHash certificate_hash(std::string_view name) {
    return ReferenceCrypto::sha256(as_bytes(name));
}

inline PageBinding pinned(std::string_view name) {
    return PageBinding::to_certificates(std::vector(1, certificate_hash(name))).value();
}

/// Head "." body with its signature, whatever they are.
inline std::string signed_ticket(std::string_view head, std::string_view body,
                                 std::string_view key = site_key) {
    const std::string text =
        encode_base64url(as_bytes(head)) + '.' + encode_base64url(as_bytes(body));
    return text + '.' +
           encode_base64url(ReferenceCrypto::hmac_sha256(as_bytes(key), as_bytes(text)));
}

/// A server of that key, and pages at it.
class TicketScene {
public:
    explicit TicketScene(std::shared_ptr<AccountHook> hook = {}) : hook_(std::move(hook)) {
        set_keys(site_key);
    }

    template <class... Keys>
    void set_keys(Keys... keys) {
        TicketRules rules{
            .keys = {}, .audience = "chat.example", .hosts = {"chat.example.org:443"}};
        (rules.keys.push_back(Secret{as_bytes(keys)}), ...);
        desk->set_rules(std::move(rules));
    }

    std::int64_t seconds() const {
        return std::chrono::duration_cast<std::chrono::seconds>(now.wall.time_since_epoch())
            .count();
    }

    /// What the site would say of Carol, with an id of its own.
    TicketClaims claims() {
        return {.user = "carol",
                .audience = "chat.example",
                .id = "a-random-id-of-22-chars" + std::to_string(++tickets_),
                .issued = seconds(),
                .expiry = seconds() + 60};
    }

    std::string ticket() { return sign(claims()); }

    /// With the key of the site, whether or not the site would say that.
    static std::string sign(const TicketClaims& claims) {
        return quicchat::detail::ticket_signed_part(claims) + '.' + signature(claims);
    }

    /// A body with the claims that are usual, and others behind.
    std::string body(std::string_view more = {}) {
        return R"({"sub":"carol","aud":"chat.example","jti":"a-random-id-of-22-chars)" +
               std::to_string(++tickets_) + R"(","iat":)" + std::to_string(seconds()) +
               R"(,"exp":)" + std::to_string(seconds() + 60) + std::string{more} + '}';
    }

    /// What a page with that binding says.
    static Buffer shown(std::string_view ticket, const PageBinding& binding) {
        PageLogin login{binding};
        if (!login.set_ticket(ticket)) return {};
        return login.start({}, {}, {})->data;
    }

    /// A connection, and what the server says to a login on it.
    LoginStep start(const Buffer& data, std::string_view mechanism = ticket_mechanism,
                    bool is_page = true) {
        authenticator.emplace(
            DeviceAuthenticator<ReferenceCrypto>{book, as_bytes("a secret of enough bytes"),
                                                 Entropy::seeded(1), hook_},
            desk, book, hook_);
        exchange = authenticator->begin(Buffer(login_entropy_bytes, std::byte{2}));
        return exchange->start({std::string{mechanism},
                                data,
                                no_binding,
                                {},
                                "[::1]:4433",
                                now,
                                is_page ? &page : nullptr});
    }

    /// Who is let in by a ticket; empty: nobody, and the error is the right one.
    std::string user_of(std::string_view ticket, const PageBinding& binding = pinned("ours")) {
        return user_of(start(shown(ticket, binding)));
    }
    static std::string user_of(const LoginStep& step) {
        if (const auto* accepted = std::get_if<LoginAccepted>(&step)) {
            return accepted->data.empty() ? accepted->user : "with data";
        }
        const auto* refused = std::get_if<LoginRefused>(&step);
        return refused != nullptr && refused->errc == Errc::ticket_refused ? "" : "another step";
    }

    Now now{TimePoint{std::chrono::hours{1}}, WallTime{std::chrono::hours{500'000}}};
    PageSession page{certificate_hash("ours"), "https://www.example.org"};
    std::shared_ptr<TicketDesk> desk = std::make_shared<TicketDesk>(now.wall, 100);
    std::shared_ptr<MemoryAccounts> book = std::make_shared<MemoryAccounts>();
    std::optional<PageAuthenticator> authenticator;
    std::unique_ptr<LoginExchange> exchange;

private:
    static std::string signature(const TicketClaims& claims) {
        const std::string text = quicchat::detail::ticket_signed_part(claims);
        return encode_base64url(ReferenceCrypto::hmac_sha256(as_bytes(site_key), as_bytes(text)));
    }

    ChannelBinding no_binding{};
    std::shared_ptr<AccountHook> hook_;
    int tickets_ = 0;
};

}  // namespace quicchat::test

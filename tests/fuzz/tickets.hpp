#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"
#include "quicchat/auth/ticket_desk.hpp"
#include "quicchat/auth/ticket_login.hpp"
#include "quicchat/base/name.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// A server that takes tickets of one key, and a page at it.
class TicketFuzzScene {
public:
    TicketFuzzScene() {
        page.certificate.fill(std::byte{7});
        desk.set_rules(
            {.keys = {Secret{as_bytes(key)}}, .audience = "chat", .hosts = {"chat.example:443"}});
    }

    Result<std::string> redeem(BytesView data) {
        return desk.redeem<ReferenceCrypto>(data, page, now);
    }

    /// What a page says that has a ticket of the site with that head "." body.
    Buffer shown(std::string_view signed_part) const {
        const PageBinding binding =
            PageBinding::to_certificates(std::vector(1, page.certificate)).value();
        const Digest signature = ReferenceCrypto::hmac_sha256(as_bytes(key), as_bytes(signed_part));
        return encode_ticket_message(
            {binding, ticket_proof<ReferenceCrypto>(signature, binding), signed_part});
    }

    static constexpr std::string_view key = "the key of a site, long enough.....";
    static constexpr std::int64_t seconds = 1'800'000'000;
    const WallTime now{std::chrono::seconds{seconds}};
    PageSession page{{}, "https://example"};
    TicketDesk desk{now};
};

/// Whoever has the key may say anything in a ticket: what is read is written the same way again,
/// and who is let in is in time, a user, and there once.
inline void fuzz_signed_part(std::string_view signed_part) {
    const std::optional<TicketClaims> claims = read_ticket(signed_part);
    if (claims) {
        must(is_user_name(claims->user));
        const auto again = read_ticket(detail::ticket_signed_part(*claims));
        must(again && again->user == claims->user && again->audience == claims->audience &&
             again->id == claims->id && again->issued == claims->issued &&
             again->expiry == claims->expiry && again->not_before == claims->not_before &&
             again->origin == claims->origin);
    }
    TicketFuzzScene scene;
    const Buffer data = scene.shown(signed_part);
    const Result<std::string> user = scene.redeem(data);
    const std::int64_t now = TicketFuzzScene::seconds;
    const bool is_good = claims && claims->audience == "chat" && claims->expiry > now &&
                         claims->expiry <= now + 300 && claims->issued >= now &&
                         claims->issued <= now + 60 && claims->not_before.value_or(0) <= now + 60 &&
                         claims->origin.value_or("https://example") == "https://example";
    must(user.has_value() == (is_good && !signed_part.empty()));
    must(!user || *user == claims->user);
    must(!scene.redeem(data));
    must(scene.desk.remembered() == (user ? 1 : 0));
}

/// What a stranger says instead of a ticket, and what somebody with the key may put into one.
inline void fuzz_tickets(BytesView bytes) {
    FuzzInput input{bytes};
    const std::uint8_t order = input.octet();
    if (order % 4 == 0) {
        if (const auto message = parse_ticket_message(input.rest())) {
            must(std::ranges::equal(encode_ticket_message(*message), input.rest()));
            const std::string_view host = message->binding.host();
            must(host.empty() || is_page_host(host));
        }
        TicketFuzzScene scene;
        must(!scene.redeem(input.rest()));
        must(scene.desk.remembered() == 0);
    } else if (order % 4 == 1) {
        fuzz_signed_part(as_text(input.rest()));
    } else {
        const std::string_view text = as_text(input.rest());
        const std::size_t half = order % 4 == 2 ? 0 : text.find('\n');
        const std::string_view head = half == 0 || half == std::string_view::npos
                                          ? std::string_view{R"({"alg":"HS256"})"}
                                          : text.substr(0, half);
        const std::string_view body = half == std::string_view::npos ? text : text.substr(half);
        fuzz_signed_part(encode_base64url(as_bytes(head)) + '.' + encode_base64url(as_bytes(body)));
    }
    TicketLogin<ReferenceCrypto> login{PageBinding::to_host("chat.example", 443).value()};
    if (login.set_ticket(as_text(input.rest()))) {
        must(parse_ticket_message(login.start({}, {}, {})->data).has_value());
    }
}

}  // namespace quicchat::test

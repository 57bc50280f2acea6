#pragma once

#include "quicchat/auth/ticket.hpp"

#include <set>
#include <utility>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/json.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat::detail {

/// A JSON object in base64url in which no object has a name twice: two readers could read such a
/// one in two ways (RFC 8725 §3.7 knows only one of them).
QUICCHAT_RARE_DECL std::optional<nlohmann::json> read_ticket_part(std::string_view part) {
    const Result<Buffer> bytes = decode_base64url(part);
    if (!bytes || !is_json_object(as_text(*bytes), ticket_json_depth_max)) return std::nullopt;
    std::vector<std::set<std::string>> names;
    bool repeats = false;
    using Event = nlohmann::json::parse_event_t;
    const auto watch = [&](int, Event event, nlohmann::json& value) {
        if (event == Event::object_start) names.emplace_back();
        if (event == Event::object_end) names.pop_back();
        if (event == Event::key) repeats |= !names.back().insert(value.get<std::string>()).second;
        return true;
    };
    nlohmann::json read = nlohmann::json::parse(as_text(*bytes), watch, false);
    if (repeats || !read.is_object()) return std::nullopt;
    return read;
}

/// A claim that must be a text. False if it is something else, or too long, or no clean text.
QUICCHAT_RARE_DECL bool read_claim(const nlohmann::json& body, const char* name,
                                   std::string& into) {
    const auto found = body.find(name);
    if (found == body.end() || !found->is_string()) return false;
    into = found->template get<std::string>();
    return !into.empty() && into.size() <= ticket_text_bytes_max && is_clean_text(into);
}

/// A claim that must be a time: RFC 7519 §2 would allow fractions, which nobody needs.
QUICCHAT_RARE_DECL bool read_claim(const nlohmann::json& body, const char* name,
                                   std::int64_t& into) {
    constexpr std::int64_t latest = std::int64_t{1} << 40;  // no sum of two overflows
    const auto found = body.find(name);
    if (found == body.end() || !found->is_number_unsigned()) return false;
    const auto number = found->template get<std::uint64_t>();
    into = static_cast<std::int64_t>(number);
    return number <= static_cast<std::uint64_t>(latest);
}

QUICCHAT_RARE_DECL std::string ticket_signed_part(const TicketClaims& claims) {
    nlohmann::json body{{"sub", claims.user},
                        {"aud", claims.audience},
                        {"jti", claims.id},
                        {"iat", claims.issued},
                        {"exp", claims.expiry}};
    if (claims.not_before) body["nbf"] = *claims.not_before;
    if (claims.origin) body["origin"] = *claims.origin;
    return encode_base64url(as_bytes(R"({"alg":"HS256","typ":"JWT"})")) + '.' +
           encode_base64url(as_bytes(body.dump()));
}

QUICCHAT_RARE_DECL Errc check_claims(const TicketClaims& claims, BytesView key) {
    if (!is_user_name(claims.user)) return Errc::invalid_name;
    const auto is_text = [](const std::string& text) {
        return !text.empty() && text.size() <= ticket_text_bytes_max && is_clean_text(text);
    };
    const auto lifetime = claims.expiry - claims.issued;
    const bool right = is_text(claims.audience) && (!claims.origin || is_text(*claims.origin)) &&
                       lifetime > 0 && lifetime <= ticket_lifetime_max.count() &&
                       claims.id.size() >= ticket_id_bytes_min &&
                       claims.id.size() <= ticket_id_bytes_max && is_text(claims.id) &&
                       key.size() >= ticket_key_bytes_min && key.size() <= ticket_key_bytes_max;
    return right ? Errc{} : Errc::invalid_request;
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_RARE_DECL std::optional<TicketClaims> read_ticket(std::string_view signed_part) {
    const std::size_t dot = signed_part.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto head = detail::read_ticket_part(signed_part.substr(0, dot));
    const auto body = detail::read_ticket_part(signed_part.substr(dot + 1));
    if (!head || !body) return std::nullopt;

    // RFC 8725 §3.1: the algorithm is compared, never obeyed. RFC 7515 §4.1.11: who does not
    // understand what is critical refuses it.
    std::string algorithm;
    if (!detail::read_claim(*head, "alg", algorithm) || algorithm != "HS256" ||
        head->contains("crit")) {
        return std::nullopt;
    }
    TicketClaims claims;
    if (!detail::read_claim(*body, "sub", claims.user) || !is_user_name(claims.user) ||
        !detail::read_claim(*body, "aud", claims.audience) ||
        !detail::read_claim(*body, "jti", claims.id) || claims.id.size() < ticket_id_bytes_min ||
        claims.id.size() > ticket_id_bytes_max ||
        !detail::read_claim(*body, "iat", claims.issued) ||
        !detail::read_claim(*body, "exp", claims.expiry)) {
        return std::nullopt;
    }
    if (body->contains("nbf") && !detail::read_claim(*body, "nbf", claims.not_before.emplace())) {
        return std::nullopt;
    }
    if (body->contains("origin") && !detail::read_claim(*body, "origin", claims.origin.emplace())) {
        return std::nullopt;
    }
    return claims;
}

}  // namespace quicchat

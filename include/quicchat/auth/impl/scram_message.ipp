#pragma once

#include "quicchat/auth/scram_message.hpp"

#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat::detail {

QUICCHAT_RARE_DECL std::optional<std::string_view> ScramReader::take(char name) {
    const std::string_view attribute = next();
    if (attribute.size() < 3 || attribute[0] != name || attribute[1] != '=') {
        return std::nullopt;
    }
    drop(attribute);
    return attribute.substr(2);
}

QUICCHAT_RARE_DECL void ScramReader::skip_extensions() {
    for (;;) {
        const std::string_view attribute = next();
        if (attribute.size() < 3 || attribute[1] != '=') return;
        const char name = attribute[0];
        const bool letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
        const bool assigned = std::string_view{"anmrcsipve"}.find(name) != std::string_view::npos;
        if (!letter || assigned) return;
        drop(attribute);
    }
}

QUICCHAT_RARE_DECL std::string_view ScramReader::taken() const {
    return message_.substr(0, position_ == 0 ? 0 : position_ - 1);
}

QUICCHAT_RARE_DECL std::string_view ScramReader::next() const {
    if (at_end()) return {};
    const std::string_view rest = message_.substr(position_);
    return rest.substr(0, rest.find(','));
}

QUICCHAT_RARE_DECL std::optional<std::string_view> scram_text(BytesView message) {
    if (message.empty() || message.size() > sasl_bytes_max) return std::nullopt;
    // RFC 5802 §7: value-char is UTF-8 without NUL. We take no other control characters either, but
    // tab and newline.
    if (!is_clean_text(as_text(message))) return std::nullopt;
    return as_text(message);
}

QUICCHAT_RARE_DECL std::optional<std::string> unescape_sasl_name(std::string_view escaped) {
    std::string name;
    for (std::size_t i = 0; i < escaped.size(); ++i) {
        if (escaped[i] != '=') {
            name += escaped[i];
            continue;
        }
        const std::string_view code = escaped.substr(i + 1, 2);
        if (code != "2C" && code != "3D") return std::nullopt;
        name += code == "2C" ? ',' : '=';
        i += 2;
    }
    return name;
}

QUICCHAT_RARE_DECL std::optional<Buffer> decode_digest(std::string_view text) {
    Result<Buffer> bytes = decode_base64(text);
    if (!bytes || bytes->size() != Digest{}.size()) return std::nullopt;
    return *std::move(bytes);
}

}  // namespace quicchat::detail

namespace quicchat {

QUICCHAT_RARE_DECL Result<ScramClientFirst> parse_scram_client_first(BytesView message,
                                                                     std::string_view gs2_header) {
    const auto text = detail::scram_text(message);
    if (!text || !text->starts_with(gs2_header)) return Errc::login_failed;

    const std::string_view bare = text->substr(gs2_header.size());
    detail::ScramReader reader{bare};
    const auto escaped_user = reader.take('n');
    const auto nonce = reader.take('r');
    reader.skip_extensions();
    if (!escaped_user || !nonce || !reader.at_end()) return Errc::login_failed;

    auto user = detail::unescape_sasl_name(*escaped_user);
    if (!user || !detail::is_scram_nonce(*nonce)) return Errc::login_failed;
    return ScramClientFirst{bare, *std::move(user), *nonce};
}

QUICCHAT_RARE_DECL Result<ScramServerFirst> parse_scram_server_first(BytesView message) {
    const auto text = detail::scram_text(message);
    if (!text) return Errc::server_not_verified;

    detail::ScramReader reader{*text};
    const auto nonce = reader.take('r');
    const auto salt_text = reader.take('s');
    const auto digits = reader.take('i');
    reader.skip_extensions();
    if (!nonce || !salt_text || !digits || !reader.at_end()) return Errc::server_not_verified;

    Result<Buffer> salt = decode_base64(*salt_text);
    const auto iterations = detail::parse_scram_iterations(*digits);
    if (!detail::is_scram_nonce(*nonce) || !salt || !iterations) return Errc::server_not_verified;
    return ScramServerFirst{*nonce, *std::move(salt), *iterations};
}

QUICCHAT_RARE_DECL Result<ScramClientFinal> parse_scram_client_final(BytesView message) {
    const auto text = detail::scram_text(message);
    if (!text) return Errc::login_failed;

    detail::ScramReader reader{*text};
    const auto binding_text = reader.take('c');
    const auto nonce = reader.take('r');
    reader.skip_extensions();
    const std::string_view without_proof = reader.taken();
    const auto proof_text = reader.take('p');  // RFC 5802 §7: the proof is always the last
    if (!binding_text || !nonce || !proof_text || !reader.at_end()) return Errc::login_failed;

    Result<Buffer> binding = decode_base64(*binding_text);
    auto proof = detail::decode_digest(*proof_text);
    if (!detail::is_scram_nonce(*nonce) || !binding || !proof) return Errc::login_failed;
    return ScramClientFinal{without_proof, *std::move(binding), *nonce, *std::move(proof)};
}

QUICCHAT_RARE_DECL Result<ScramServerFinal> parse_scram_server_final(BytesView message) {
    const auto text = detail::scram_text(message);
    if (!text) return Errc::server_not_verified;

    detail::ScramReader reader{*text};
    const auto signature_text = reader.take('v');
    reader.skip_extensions();
    if (!signature_text || !reader.at_end()) return Errc::server_not_verified;

    auto signature = detail::decode_digest(*signature_text);
    if (!signature) return Errc::server_not_verified;
    return ScramServerFinal{*std::move(signature)};
}

}  // namespace quicchat

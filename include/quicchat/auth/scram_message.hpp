#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/auth/base64.hpp"
#include "quicchat/auth/crypto.hpp"
#include "quicchat/base/bytes.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/base/text.hpp"

// The four messages of SCRAM (RFC 5802 §7). The views point into the parsed message: signatures are
// made over the bytes as they were received, never over a message that was put together again.

namespace quicchat {

/// The only mechanism with a password (RFC 7677, RFC 9266).
inline constexpr std::string_view scram_mechanism = "SCRAM-SHA-256-PLUS";

/// The only GS2 header that we send and take: channel binding by `tls-exporter`, no other identity
/// to act as. RFC 5802 §6: a server that supports channel binding must refuse `y`, or else somebody
/// between the two could turn the binding off. `n` and other bindings are refused as well.
inline constexpr std::string_view scram_gs2_header = "p=tls-exporter,,";

struct ScramClientFirst {
    std::string_view bare;  ///< The message without the GS2 header.
    std::string user;       ///< With `=2C` and `=3D` undone.
    std::string_view nonce;
};

struct ScramServerFirst {
    std::string_view nonce;
    Buffer salt;
    std::uint32_t iterations = 0;
};

struct ScramClientFinal {
    std::string_view without_proof;
    Buffer channel_binding;  ///< The GS2 header and the binding, as the client saw them.
    std::string_view nonce;
    Buffer proof;  ///< 32 bytes.
};

struct ScramServerFinal {
    Buffer signature;  ///< 32 bytes.
};

namespace detail {

/// RFC 5802 §7: printable = %x21-2B / %x2D-7E. Everything printable but the comma.
constexpr bool is_scram_nonce(std::string_view nonce) {
    return !nonce.empty() && std::all_of(nonce.begin(), nonce.end(),
                                         [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

/// Takes the attributes of a message in the order in which they must come.
class ScramReader {
public:
    explicit ScramReader(std::string_view message) : message_(message) {}

    /// The value of the next attribute, if that is `name`. RFC 5802 §5.1: "the order of attributes"
    /// is fixed. No attribute of ours may be empty.
    std::optional<std::string_view> take(char name) {
        const std::string_view attribute = next();
        if (attribute.size() < 3 || attribute[0] != name || attribute[1] != '=') {
            return std::nullopt;
        }
        drop(attribute);
        return attribute.substr(2);
    }

    /// Skips optional extensions, which RFC 5802 §5.1 wants to be ignored. Stops at an attribute
    /// that the RFC assigns, so nothing comes twice. That includes `m`: "its presence in a client
    /// or a server message MUST cause authentication failure".
    void skip_extensions() {
        for (;;) {
            const std::string_view attribute = next();
            if (attribute.size() < 3 || attribute[1] != '=') return;
            const char name = attribute[0];
            const bool letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
            const bool assigned =
                std::string_view{"anmrcsipve"}.find(name) != std::string_view::npos;
            if (!letter || assigned) return;
            drop(attribute);
        }
    }

    bool at_end() const { return position_ > message_.size(); }

    /// What was taken so far, without the comma behind it.
    std::string_view taken() const {
        return message_.substr(0, position_ == 0 ? 0 : position_ - 1);
    }

private:
    std::string_view next() const {
        if (at_end()) return {};
        const std::string_view rest = message_.substr(position_);
        return rest.substr(0, rest.find(','));
    }
    void drop(std::string_view attribute) { position_ += attribute.size() + 1; }

    std::string_view message_;
    std::size_t position_ = 0;  // one past the end once the last attribute was taken
};

/// What holds for all four messages. The text, or nothing.
inline std::optional<std::string_view> scram_text(BytesView message) {
    if (message.empty() || message.size() > sasl_bytes_max) return std::nullopt;
    // RFC 5802 §7: value-char is UTF-8 without NUL. We take no other control characters either, but
    // tab and newline.
    if (!is_clean_text(as_text(message))) return std::nullopt;
    return as_text(message);
}

/// RFC 5802 §5.1: "If the server receives a username that contains '=' not followed by either '2C'
/// or '3D', then the server MUST fail the authentication."
inline std::optional<std::string> unescape_sasl_name(std::string_view escaped) {
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

/// RFC 5802 §7: posit-number = %x31-39 *DIGIT. Nine digits fit 32 bits; more are not a number of
/// iterations that anybody could wait for.
constexpr std::optional<std::uint32_t> parse_scram_iterations(std::string_view digits) {
    if (digits.empty() || digits.size() > 9 || digits.front() == '0') return std::nullopt;
    std::uint32_t value = 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint32_t>(digit - '0');
    }
    return value;
}

inline std::optional<Buffer> decode_digest(std::string_view text) {
    Result<Buffer> bytes = decode_base64(text);
    if (!bytes || bytes->size() != Digest{}.size()) return std::nullopt;
    return *std::move(bytes);
}

}  // namespace detail

/// Reads what the client begins with. Every failure is `login_failed`.
inline Result<ScramClientFirst> parse_scram_client_first(BytesView message) {
    const auto text = detail::scram_text(message);
    if (!text || !text->starts_with(scram_gs2_header)) return Errc::login_failed;

    const std::string_view bare = text->substr(scram_gs2_header.size());
    detail::ScramReader reader{bare};
    const auto escaped_user = reader.take('n');
    const auto nonce = reader.take('r');
    reader.skip_extensions();
    if (!escaped_user || !nonce || !reader.at_end()) return Errc::login_failed;

    auto user = detail::unescape_sasl_name(*escaped_user);
    if (!user || !detail::is_scram_nonce(*nonce)) return Errc::login_failed;
    return ScramClientFirst{bare, *std::move(user), *nonce};
}

/// Reads the server's challenge. Every failure is `server_not_verified`.
inline Result<ScramServerFirst> parse_scram_server_first(BytesView message) {
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

/// Reads the client's proof. Every failure is `login_failed`.
inline Result<ScramClientFinal> parse_scram_client_final(BytesView message) {
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

/// Reads the server's signature. Every failure is `server_not_verified`, also an `e=`: our servers
/// refuse a login by an error frame, and whoever sent this did not prove anything.
inline Result<ScramServerFinal> parse_scram_server_final(BytesView message) {
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

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"

// The four messages of SCRAM (RFC 5802 §7). The views point into the parsed message: signatures are
// made over the bytes as they were received, never over a message that was put together again.

namespace quicchat {

/// The only mechanism with a password (RFC 7677, RFC 9266).
inline constexpr std::string_view scram_mechanism = "SCRAM-SHA-256-PLUS";

/// The only GS2 header that we send and take, but in pages: channel binding by `tls-exporter`, no
/// other identity to act as. RFC 5802 §6: a server that supports channel binding must refuse `y`,
/// or else somebody between the two could turn the binding off. `n` and other bindings are refused
/// as well.
inline constexpr std::string_view scram_gs2_header = "p=tls-exporter,,";

/// The only one in pages, which no browser gives the exporter: the certificate (RFC 5929 §4),
/// always by its SHA-256, since that is what a page can pin. Each end takes one of the two headers,
/// never both: who could choose could choose the weaker one.
inline constexpr std::string_view scram_page_gs2_header = "p=tls-server-end-point,,";

/// The client-first-message: who wants to log in.
struct ScramClientFirst {
    std::string_view bare;   ///< The message without the GS2 header.
    std::string user;        ///< With `=2C` and `=3D` undone.
    std::string_view nonce;  ///< The client's part of the nonce.
};

/// The server-first-message: the challenge.
struct ScramServerFirst {
    std::string_view nonce;  ///< The client's nonce, and the server's part behind it.
    Buffer salt;             ///< Decoded; not empty.
    /// Not 0. Whether it is too few or too many is up to the client.
    std::uint32_t iterations = 0;
};

/// The client-final-message: the proof.
struct ScramClientFinal {
    /// The message up to the comma before its proof, which is a part of what is signed.
    std::string_view without_proof;
    Buffer channel_binding;  ///< The GS2 header and the binding, as the client saw them.
    std::string_view nonce;  ///< Must be that of the challenge.
    Buffer proof;            ///< 32 bytes.
};

/// The server-final-message: by this the server proves itself.
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
    std::optional<std::string_view> take(char name);

    /// Skips optional extensions, which RFC 5802 §5.1 wants to be ignored. Stops at an attribute
    /// that the RFC assigns, so nothing comes twice. That includes `m`: "its presence in a client
    /// or a server message MUST cause authentication failure".
    void skip_extensions();

    bool at_end() const { return position_ > message_.size(); }

    /// What was taken so far, without the comma behind it.
    std::string_view taken() const;

private:
    std::string_view next() const;
    void drop(std::string_view attribute) { position_ += attribute.size() + 1; }

    std::string_view message_;
    std::size_t position_ = 0;  // one past the end once the last attribute was taken
};

/// What holds for all four messages. The text, or nothing.
QUICCHAT_DECL std::optional<std::string_view> scram_text(BytesView message);

/// RFC 5802 §5.1: "If the server receives a username that contains '=' not followed by either '2C'
/// or '3D', then the server MUST fail the authentication."
QUICCHAT_DECL std::optional<std::string> unescape_sasl_name(std::string_view escaped);

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

QUICCHAT_DECL std::optional<Buffer> decode_digest(std::string_view text);

}  // namespace detail

/// Reads what the client begins with, which must be that header. Every failure is `login_failed`.
QUICCHAT_DECL Result<ScramClientFirst> parse_scram_client_first(
    BytesView message, std::string_view gs2_header = scram_gs2_header);

/// Reads the server's challenge. Every failure is `server_not_verified`.
QUICCHAT_DECL Result<ScramServerFirst> parse_scram_server_first(BytesView message);

/// Reads the client's proof. Every failure is `login_failed`.
QUICCHAT_DECL Result<ScramClientFinal> parse_scram_client_final(BytesView message);

/// Reads the server's signature. Every failure is `server_not_verified`, also an `e=`: our servers
/// refuse a login by an error frame, and whoever sent this did not prove anything.
QUICCHAT_DECL Result<ScramServerFinal> parse_scram_server_final(BytesView message);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/auth/impl/scram_message.ipp"
#endif

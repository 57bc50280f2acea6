#pragma once

#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat {

/// What the text form begins with.
inline constexpr std::string_view fingerprint_prefix = "sha256:";

/// The form in which people compare and pin keys: "sha256:" and 64 lower-case hexadecimal digits.
QUICCHAT_DECL std::string format_fingerprint(const Fingerprint& fingerprint);

/// Reads that form; nothing else is taken, so that a pin that was cut short does not match by its
/// beginning. Every failure is `invalid_text`.
QUICCHAT_DECL Result<Fingerprint> parse_fingerprint(std::string_view text);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/transport/impl/fingerprint.ipp"
#endif

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"

namespace quicchat::quic {

/// A host name as name servers, SNI and certificates have it (RFC 5890 §2.3.2.1): labels with other
/// letters than ASCII's become A-labels, "münchen.example" becomes "xn--mnchen-3ya.example".
/// Expects UTF-8 in normalization form C. Capital letters become small ones where an A-label is
/// made. ASCII comes back as it is. Nothing for what is no UTF-8 or too long.
QUICCHAT_DECL std::optional<std::string> ascii_host_name(std::string_view name);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/host_name.ipp"
#endif

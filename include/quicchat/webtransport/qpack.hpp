#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"

// QPACK (RFC 9204) without its dynamic table: our SETTINGS leave QPACK_MAX_TABLE_CAPACITY at 0, so
// a peer may not use one, and each field section can be read for itself.

namespace quicchat::webtransport {

/// Name and value, in the order of the section.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// The first value of that name; nothing if there is none.
QUICCHAT_DECL std::optional<std::string_view> find_field(const Fields& fields,
                                                         std::string_view name);

/// The fields of a section; nothing if it is not one, or needs a dynamic table. A field of the
/// static table that no request to us has (static_fields in qpack.ipp) has the name "".
QUICCHAT_DECL std::optional<Fields> decode_fields(BytesView section);

/// The section of a response.
QUICCHAT_DECL Buffer encode_response(unsigned status, const Fields& fields = {});

/// The section of a request: for peers of tests, since we send none.
QUICCHAT_DECL Buffer encode_request(const Fields& fields);

}  // namespace quicchat::webtransport

#ifndef QUICCHAT_COMPILED
#include "quicchat/webtransport/impl/qpack.ipp"
#endif

#pragma once

#include "quicchat/webtransport/qpack.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quicchat/webtransport/huffman.hpp"

namespace quicchat::webtransport {
namespace detail {

struct StaticField {
    std::uint8_t index;
    std::string_view name;
    std::string_view value;
};

/// RFC 9204, Appendix A, as far as we look at it in a request. The rest of the 99 has no name here.
inline constexpr StaticField static_fields[] = {
    {0, ":authority", ""},      {1, ":path", "/"},        {15, ":method", "CONNECT"},
    {16, ":method", "DELETE"},  {17, ":method", "GET"},   {18, ":method", "HEAD"},
    {19, ":method", "OPTIONS"}, {20, ":method", "POST"},  {21, ":method", "PUT"},
    {22, ":scheme", "http"},    {23, ":scheme", "https"}, {90, "origin", ""},
};
inline constexpr std::uint64_t static_fields_count = 99;
inline constexpr std::uint8_t static_status = 24;

inline std::optional<StaticField> static_field(std::uint64_t index) {
    if (index >= static_fields_count) return std::nullopt;
    for (const StaticField& field : static_fields) {
        if (field.index == index) return field;
    }
    return StaticField{};
}

/// What field sections are made of. After a failure everything fails.
class FieldReader {
public:
    explicit FieldReader(BytesView bytes) : bytes_(bytes) {}

    bool at_end() const { return bytes_.empty(); }
    unsigned peek() const { return std::to_integer<unsigned>(bytes_.front()); }

    /// RFC 7541 §5.1: an integer whose first octet has `prefix` bits for it. No number that is of
    /// use here has more than 32 bits.
    std::optional<std::uint64_t> integer(unsigned prefix) {
        if (at_end()) return std::nullopt;
        const std::uint64_t most = (std::uint64_t{1} << prefix) - 1;
        std::uint64_t value = take() & most;
        if (value < most) return value;
        for (unsigned shift = 0; shift < 28 && !at_end(); shift += 7) {
            const unsigned octet = take();
            value += std::uint64_t{octet & 0x7f} << shift;
            if ((octet & 0x80) == 0) return value;
        }
        return std::nullopt;
    }

    /// RFC 7541 §5.2: a string; the bit above its length says whether it is in Huffman code.
    std::optional<std::string> text(unsigned prefix) {
        if (at_end()) return std::nullopt;
        const bool is_huffman = (peek() >> prefix & 1) != 0;
        const auto size = integer(prefix);
        if (!size || *size > bytes_.size()) return std::nullopt;
        const BytesView value = bytes_.first(static_cast<std::size_t>(*size));
        bytes_ = bytes_.subspan(value.size());
        return is_huffman ? decode_huffman(value) : std::optional{to_string(value)};
    }

    /// RFC 9204 §4.5: a field, by the static table or literal.
    std::optional<std::pair<std::string, std::string>> field() {
        std::optional<std::string> name;
        std::optional<std::string> value;
        if ((peek() & 0xc0) == 0xc0) {  // §4.5.2, both by the table
            const auto index = integer(6);
            const auto known = index ? static_field(*index) : std::nullopt;
            if (known) name = known->name, value = known->value;
        } else if ((peek() & 0xd0) == 0x50) {  // §4.5.4, the name by the table
            const auto index = integer(4);
            const auto known = index ? static_field(*index) : std::nullopt;
            if (known) name = known->name, value = text(7);
        } else if ((peek() & 0xe0) == 0x20) {  // §4.5.6, neither
            name = text(3);
            if (name) value = text(7);
        }
        if (!name || !value) return std::nullopt;
        return std::pair{*std::move(name), *std::move(value)};
    }

private:
    unsigned take() {
        const unsigned octet = peek();
        bytes_ = bytes_.subspan(1);
        return octet;
    }

    BytesView bytes_;
};

inline void append_prefixed(Buffer& section, unsigned head, unsigned prefix, std::uint64_t value) {
    const std::uint64_t most = (std::uint64_t{1} << prefix) - 1;
    section.push_back(static_cast<std::byte>(head | std::min(value, most)));
    if (value < most) return;
    for (value -= most; value >= 0x80; value >>= 7) {
        section.push_back(static_cast<std::byte>(0x80 | (value & 0x7f)));
    }
    section.push_back(static_cast<std::byte>(value));
}

inline void append_text(Buffer& section, unsigned head, unsigned prefix, std::string_view text) {
    append_prefixed(section, head, prefix, text.size());
    append(section, as_bytes(text));
}

}  // namespace detail

QUICCHAT_RARE_DECL std::optional<std::string_view> find_field(const Fields& fields,
                                                              std::string_view name) {
    for (const auto& [its_name, value] : fields) {
        if (its_name == name) return value;
    }
    return std::nullopt;
}

QUICCHAT_RARE_DECL std::optional<Fields> decode_fields(BytesView section) {
    detail::FieldReader reader{section};
    const auto inserts = reader.integer(8);  // §4.5.1: what is required of the dynamic table
    const auto base = reader.integer(7);
    if (!inserts || !base || *inserts != 0) return std::nullopt;
    Fields fields;
    while (!reader.at_end()) {
        auto field = reader.field();
        if (!field) return std::nullopt;
        fields.push_back(*std::move(field));
    }
    return fields;
}

QUICCHAT_RARE_DECL Buffer encode_request(const Fields& fields) {
    Buffer section(2);  // nothing of a dynamic table
    for (const auto& [name, value] : fields) {
        detail::append_text(section, 0x20, 3, name);
        detail::append_text(section, 0, 7, value);
    }
    return section;
}

QUICCHAT_RARE_DECL Buffer encode_response(unsigned status, const Fields& fields) {
    Buffer section(2);
    detail::append_prefixed(section, 0x50, 4, detail::static_status);
    detail::append_text(section, 0, 7, std::to_string(status));
    const Buffer rest = encode_request(fields);
    append(section, BytesView{rest}.subspan(2));
    return section;
}

}  // namespace quicchat::webtransport

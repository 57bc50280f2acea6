#pragma once

#include "quicchat/webtransport/huffman.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace quicchat::webtransport {
namespace detail {

inline constexpr unsigned code_bits_max = 30;

/// Of each of the 256 octets, the length of its code in bits: RFC 7541, Appendix B. The codes are
/// canonical, which means that the lengths say all: codes of one length are consecutive numbers, in
/// the order of the octets, and go on where those of the length before ended.
inline constexpr std::array<std::uint8_t, 256> code_bits = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,
    7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,
    7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
};

/// The codes of one length: `count` of them from `first` on, for the octets of `octets` from
/// `begin` on.
struct CodeRow {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::size_t begin = 0;
};

struct HuffmanTable {
    std::array<CodeRow, code_bits_max + 1> rows{};
    std::array<char, 256> octets{};
};

constexpr HuffmanTable make_huffman_table() {
    HuffmanTable table;
    std::uint32_t code = 0;
    std::size_t place = 0;
    for (unsigned bits = 1; bits <= code_bits_max; ++bits) {
        code <<= 1;
        table.rows[bits] = {code, 0, place};
        for (std::size_t octet = 0; octet < code_bits.size(); ++octet) {
            if (code_bits[octet] != bits) continue;
            table.octets[place++] = static_cast<char>(octet);
            ++table.rows[bits].count;
        }
        code += table.rows[bits].count;
    }
    return table;
}

inline constexpr HuffmanTable huffman_table = make_huffman_table();

}  // namespace detail

QUICCHAT_RARE_DECL std::optional<std::string> decode_huffman(BytesView bytes) {
    std::string text;
    std::uint32_t code = 0;  // what was read of the next one
    unsigned bits = 0;
    for (const std::byte octet : bytes) {
        for (int shift = 7; shift >= 0; --shift) {
            code = code << 1 | (std::to_integer<std::uint32_t>(octet) >> shift & 1);
            if (++bits > detail::code_bits_max) return std::nullopt;
            const detail::CodeRow& row = detail::huffman_table.rows[bits];
            if (code - row.first >= row.count) continue;
            text += detail::huffman_table.octets[row.begin + (code - row.first)];
            code = bits = 0;
        }
    }
    // RFC 7541 §5.2: padding is less than an octet, of the most significant bits of EOS, all ones.
    const bool is_padding = bits < 8 && code == (std::uint32_t{1} << bits) - 1;
    return is_padding ? std::optional{std::move(text)} : std::nullopt;
}

}  // namespace quicchat::webtransport

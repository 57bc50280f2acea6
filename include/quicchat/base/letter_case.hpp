#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "quicchat/base/config.hpp"

namespace quicchat {
namespace detail {

/// A run of capital letters: every `step`th code point from `first` to `last` has its small letter
/// `offset` further on.
struct CapitalRun {
    std::uint32_t first;
    std::uint32_t last;
    std::uint32_t step;
    std::int32_t offset;
};

/// The simple case folding of Unicode (CaseFolding.txt, status C and S) for ASCII, Latin-1, Latin
/// Extended-A, Greek and Coptic, and Cyrillic. In order.
inline constexpr CapitalRun capital_runs[] = {
    {0x0041, 0x005a, 1, 32},   {0x00b5, 0x00b5, 1, 775},  // the micro sign is a mu
    {0x00c0, 0x00d6, 1, 32},   {0x00d8, 0x00de, 1, 32},   {0x0100, 0x012e, 2, 1},
    {0x0132, 0x0136, 2, 1},    {0x0139, 0x0147, 2, 1},    {0x014a, 0x0176, 2, 1},
    {0x0178, 0x0178, 1, -121}, {0x0179, 0x017d, 2, 1},    {0x017f, 0x017f, 1, -268},  // the long s
    {0x0370, 0x0372, 2, 1},    {0x0376, 0x0376, 1, 1},    {0x037f, 0x037f, 1, 116},
    {0x0386, 0x0386, 1, 38},   {0x0388, 0x038a, 1, 37},   {0x038c, 0x038c, 1, 64},
    {0x038e, 0x038f, 1, 63},   {0x0391, 0x03a1, 1, 32},   {0x03a3, 0x03ab, 1, 32},
    {0x03c2, 0x03c2, 1, 1},  // the sigma at the end of a word
    {0x03cf, 0x03cf, 1, 8},    {0x03d0, 0x03d0, 1, -30},  {0x03d1, 0x03d1, 1, -25},
    {0x03d5, 0x03d5, 1, -15},  {0x03d6, 0x03d6, 1, -22},  {0x03d8, 0x03ee, 2, 1},
    {0x03f0, 0x03f0, 1, -54},  {0x03f1, 0x03f1, 1, -48},  {0x03f4, 0x03f4, 1, -60},
    {0x03f5, 0x03f5, 1, -64},  {0x03f7, 0x03f7, 1, 1},    {0x03f9, 0x03f9, 1, -7},
    {0x03fa, 0x03fa, 1, 1},    {0x03fd, 0x03ff, 1, -130}, {0x0400, 0x040f, 1, 80},
    {0x0410, 0x042f, 1, 32},   {0x0460, 0x0480, 2, 1},    {0x048a, 0x04be, 2, 1},
    {0x04c0, 0x04c0, 1, 15},   {0x04c1, 0x04cd, 2, 1},    {0x04d0, 0x052e, 2, 1},
};

/// The small letter of each code point up to the last capital: a look-up for each letter of a text.
inline constexpr auto small_letters = [] {
    std::array<std::uint16_t, 0x530> small{};
    for (std::uint32_t c = 0; c < small.size(); ++c) small[c] = static_cast<std::uint16_t>(c);
    for (const CapitalRun& run : capital_runs) {
        for (std::uint32_t c = run.first; c <= run.last; c += run.step) {
            small[c] = static_cast<std::uint16_t>(static_cast<std::int32_t>(c) + run.offset);
        }
    }
    return small;
}();

}  // namespace detail

/// The small letter that a letter is compared by. Independent of the locale. Letters of other
/// alphabets than those above, and what is no letter, stay as they are.
constexpr std::uint32_t fold_letter(std::uint32_t c) {
    return c < detail::small_letters.size() ? detail::small_letters[c] : c;
}

/// The form in which texts are compared without case: each letter folded, and nothing else, so an
/// accent that is a character of its own stays one. What is not UTF-8 stays as it is.
QUICCHAT_DECL std::string fold_case(std::string_view text);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/letter_case.ipp"
#endif

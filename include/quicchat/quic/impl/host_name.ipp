#pragma once

#include "quicchat/quic/host_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quicchat/base/config.hpp"
#include "quicchat/base/letter_case.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat::quic::detail {

// RFC 3492 §5.
struct Punycode {
    static constexpr std::uint32_t base = 36;
    static constexpr std::uint32_t t_min = 1;
    static constexpr std::uint32_t t_max = 26;
    static constexpr std::uint32_t skew = 38;
    static constexpr std::uint32_t damp = 700;
    static constexpr std::uint32_t initial_bias = 72;
    static constexpr std::uint32_t initial_n = 128;

    static char digit(std::uint32_t value) {
        return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26));
    }
    static std::uint32_t adapt(std::uint32_t delta, std::uint32_t points, bool first) {
        delta = first ? delta / damp : delta / 2;
        delta += delta / points;
        std::uint32_t k = 0;
        for (; delta > (base - t_min) * t_max / 2; k += base) delta /= base - t_min;
        return k + (base - t_min + 1) * delta / (delta + skew);
    }

    /// §6.3. A label has few letters, so nothing overflows.
    static std::string encode(std::u32string_view label) {
        std::string output;
        for (const char32_t c : label) {
            if (c < initial_n) output += static_cast<char>(c);
        }
        std::uint32_t handled = static_cast<std::uint32_t>(output.size());
        const std::uint32_t basic = handled;
        if (basic > 0) output += '-';
        std::uint32_t n = initial_n;
        std::uint32_t delta = 0;
        std::uint32_t bias = initial_bias;
        while (handled < label.size()) {
            std::uint32_t next = 0x10ffff;
            for (const char32_t c : label) {
                if (c >= n) next = std::min<std::uint32_t>(next, c);
            }
            delta += (next - n) * (handled + 1);
            n = next;
            for (const char32_t c : label) {
                if (c < n) ++delta;
                if (c == n) {
                    append_number(output, delta, bias);
                    bias = adapt(delta, handled + 1, handled == basic);
                    delta = 0;
                    ++handled;
                }
            }
            ++delta;
            ++n;
        }
        return output;
    }

private:
    static void append_number(std::string& output, std::uint32_t number, std::uint32_t bias) {
        for (std::uint32_t k = base;; k += base) {
            const std::uint32_t t = k <= bias ? t_min : k >= bias + t_max ? t_max : k - bias;
            if (number < t) break;
            output += digit(t + (number - t) % (base - t));
            number = (number - t) / (base - t);
        }
        output += digit(number);
    }
};

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_RARE_DECL std::optional<std::string> ascii_host_name(std::string_view name) {
    constexpr std::size_t name_bytes_max = 1024;
    constexpr std::size_t label_max = 63;  // RFC 1035 §2.3.4
    if (name.size() > name_bytes_max) return std::nullopt;
    if (std::all_of(name.begin(), name.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
        return std::string{name};
    }
    // RFC 5895 §2: these are full stops, too.
    const auto is_dot = [](char32_t c) {
        return c == U'.' || c == 0x3002 || c == 0xff0e || c == 0xff61;
    };
    std::string result;
    std::u32string label;
    bool good = true;
    const auto end_label = [&] {
        const bool ascii =
            std::all_of(label.begin(), label.end(), [](char32_t c) { return c < 0x80; });
        good = good && label.size() <= label_max;
        if (!good) return;
        const std::string encoded = ascii ? std::string(label.begin(), label.end())
                                          : "xn--" + detail::Punycode::encode(label);
        good = encoded.size() <= label_max;
        result += encoded;
        label.clear();
    };
    for (std::string_view rest = name; !rest.empty() && good;) {
        const quicchat::detail::DecodedCharacter c = quicchat::detail::first_character(rest);
        if (c.bytes == 0) return std::nullopt;
        rest.remove_prefix(c.bytes);
        if (is_dot(c.code_point)) {
            end_label();
            result += '.';
        } else {
            // The sigma at the end of a word is a letter of its own (RFC 5892 §2.6).
            const bool is_final_sigma = c.code_point == 0x03c2;
            label += is_final_sigma ? char32_t{0x03c2} : char32_t{fold_letter(c.code_point)};
        }
    }
    end_label();
    if (!good) return std::nullopt;
    return result;
}

}  // namespace quicchat::quic

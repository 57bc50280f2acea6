#pragma once

#include <charconv>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "quicchat/base/text.hpp"

namespace quicchat {
namespace detail {

/// Follows a JSON text by the grammar of RFC 8259, without recursion, and builds nothing. Our own,
/// since every program that uses a parser of documents compiles all of it.
class JsonReader {
public:
    explicit JsonReader(std::string_view text) : rest_(text) {}

    /// True if the text is an object, and nothing in it is deeper than `depth_max`.
    bool is_object(std::size_t depth_max) {
        skip_space();
        if (peek() != '{') return false;
        std::string closing;  // how each array and object that is open has to end
        while (true) {
            // Here begins a value.
            const char first = peek();
            if (first == '{' || first == '[') {
                if (closing.size() == depth_max) return false;
                closing += first == '{' ? '}' : ']';
                rest_.remove_prefix(1);
                skip_space();
                if (peek() != closing.back()) {
                    if (first == '{' && !read_name()) return false;
                    continue;
                }
            } else if (!read_scalar()) {
                return false;
            }
            // Here a value has ended, or is about to.
            skip_space();
            while (!closing.empty() && take(closing.back())) {
                closing.pop_back();
                skip_space();
            }
            if (closing.empty()) return rest_.empty();
            if (!take(',')) return false;
            skip_space();
            if (closing.back() == '}' && !read_name()) return false;
        }
    }

private:
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool take(char expected) {
        if (rest_.empty() || rest_.front() != expected) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool take(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }
    void skip_space() {
        while (take(' ') || take('\t') || take('\n') || take('\r')) continue;
    }

    bool read_name() {
        if (!read_string()) return false;
        skip_space();
        if (!take(':')) return false;
        skip_space();
        return true;
    }
    bool read_scalar() {
        if (peek() == '"') return read_string();
        return take("true") || take("false") || take("null") || read_number();
    }

    /// RFC 8259 §7.
    bool read_string() {
        if (!take('"')) return false;
        while (!rest_.empty()) {
            if (take('"')) return true;
            if (take('\\')) {
                if (!read_escape()) return false;
                continue;
            }
            const DecodedCharacter c = first_character(rest_);
            if (c.bytes == 0 || c.code_point < 0x20) return false;
            rest_.remove_prefix(c.bytes);
        }
        return false;
    }
    bool read_escape() {
        for (const char c : std::string_view{"\"\\/bfnrt"}) {
            if (take(c)) return true;
        }
        if (!take('u')) return false;
        const unsigned unit = read_hex();
        if (unit >= 0xd800 && unit < 0xdc00) {  // half of a pair, and the other has to follow
            if (!take("\\u")) return false;
            const unsigned other = read_hex();
            return other >= 0xdc00 && other < 0xe000;
        }
        return unit < 0xdc00 || (unit >= 0xe000 && unit <= 0xffff);
    }
    /// Four digits; a number above 0xffff if these are none.
    unsigned read_hex() {
        unsigned unit = 0;
        const std::string_view digits = rest_.substr(0, 4);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
        if (error != std::errc{} || end != rest_.data() + 4) return 0x10000;
        rest_.remove_prefix(4);
        return unit;
    }

    /// RFC 8259 §6, and nothing beyond a double, which other parsers refuse or take for infinite.
    bool read_number() {
        const std::string_view begin = rest_;
        take('-');
        long long places = 0;  // digits before the point; below 1, less the zeros after it
        if (!take('0')) {
            places = read_digits();
            if (places == 0) return false;
        } else if (peek() == '.') {
            places = 1 - static_cast<long long>(rest_.find_first_not_of('0', 1));
        }
        if (take('.') && read_digits() == 0) return false;
        if (take('e') || take('E')) {
            const bool negative = !take('+') && take('-');
            const std::string_view digits = rest_;
            if (read_digits() == 0) return false;
            long long exponent =
                std::numeric_limits<long long>::max() / 2;  // if there are too many
            std::from_chars(digits.data(), rest_.data(), exponent);
            places += negative ? -exponent : exponent;
        }
        if (places <= 0) return true;  // it may be too small, which is zero
        double value = 0;
        return std::from_chars(begin.data(), rest_.data(), value).ec == std::errc{};
    }
    long long read_digits() {
        const std::size_t before = rest_.size();
        while (peek() >= '0' && peek() <= '9') rest_.remove_prefix(1);
        return static_cast<long long>(before - rest_.size());
    }

    std::string_view rest_;
};

}  // namespace detail

/// True if `text` is a JSON object (RFC 8259) that nests at most `depth_max` deep.
inline bool is_json_object(std::string_view text, std::size_t depth_max) {
    if (text == "{}") return true;  // by far the most frequent
    return detail::JsonReader{text}.is_object(depth_max);
}

}  // namespace quicchat

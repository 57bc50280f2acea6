#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

namespace quicchat {
namespace detail {

/// Follows a JSON text and stops where it nests deeper than allowed. Builds nothing.
class DepthGuard : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit DepthGuard(std::size_t depth_max) : depth_max_(depth_max) {}

    bool top_is_object() const { return top_is_object_; }

    bool null() override { return depth_ > 0; }
    bool boolean(bool) override { return depth_ > 0; }
    bool number_integer(number_integer_t) override { return depth_ > 0; }
    bool number_unsigned(number_unsigned_t) override { return depth_ > 0; }
    bool number_float(number_float_t, const string_t&) override { return depth_ > 0; }
    bool string(string_t&) override { return depth_ > 0; }
    bool binary(binary_t&) override { return false; }
    bool key(string_t&) override { return true; }
    bool start_object(std::size_t) override {
        if (depth_ == 0) top_is_object_ = true;
        return ++depth_ <= depth_max_;
    }
    bool end_object() override { return --depth_, true; }
    bool start_array(std::size_t) override { return depth_ > 0 && ++depth_ <= depth_max_; }
    bool end_array() override { return --depth_, true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
        return false;
    }

private:
    std::size_t depth_max_;
    std::size_t depth_ = 0;
    bool top_is_object_ = false;
};

}  // namespace detail

/// True if `text` is a JSON object (RFC 8259) that nests at most `depth_max` deep.
inline bool is_json_object(std::string_view text, std::size_t depth_max) {
    if (text == "{}") return true;                       // by far the most frequent
    if (text.starts_with("\xef\xbb\xbf")) return false;  // RFC 8259 §8.1; some parsers take it
    detail::DepthGuard guard{depth_max};
    return nlohmann::json::sax_parse(text.begin(), text.end(), &guard) && guard.top_is_object();
}

}  // namespace quicchat

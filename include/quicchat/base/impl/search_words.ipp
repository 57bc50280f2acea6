#pragma once

#include "quicchat/base/search_words.hpp"

#include <algorithm>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/letter_case.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat {

QUICCHAT_DECL SearchWords::Word::Word(std::string folded)
    : text_(std::move(folded)), border_(text_.size() + 1) {
    std::size_t length = 0;  // of the longest border of what was seen
    for (std::size_t i = 1; i < text_.size(); ++i) {
        while (length > 0 && text_[i] != text_[length]) length = border_[length];
        if (text_[i] == text_[length]) ++length;
        border_[i + 1] = static_cast<std::uint16_t>(length);
    }
}

QUICCHAT_DECL bool SearchWords::Word::is_in(std::string_view text) const {
    // In UTF-8 the second octet of a letter tells it from others of its alphabet.
    const std::size_t anchor = text_.size() > 1 && static_cast<std::uint8_t>(text_[0]) >= 0xc0;
    std::size_t matched = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (matched == 0) {  // most of the time
            const std::size_t found = text.find(text_[anchor], i + anchor);
            if (found == std::string_view::npos) return false;
            i = found - anchor;
        }
        while (matched > 0 && text[i] != text_[matched]) matched = border_[matched];
        if (text[i] == text_[matched] && ++matched == text_.size()) return true;
    }
    return false;
}

QUICCHAT_DECL SearchWords::SearchWords(std::string_view text) {
    const std::string folded = fold_case(text);
    for (std::size_t begin = 0; begin < folded.size();) {
        const std::size_t end = std::min(folded.find(' ', begin), folded.size());
        if (end > begin) words_.emplace_back(folded.substr(begin, end - begin));
        begin = end + 1;
    }
}

QUICCHAT_DECL bool SearchWords::are_in(std::string_view text) const {
    const std::string folded = fold_case(text);
    return std::all_of(words_.begin(), words_.end(),
                       [&](const Word& word) { return word.is_in(folded); });
}

QUICCHAT_DECL Errc check_search(std::string_view words) {
    if (words.size() > search_bytes_max) return Errc::message_too_long;
    if (!is_clean_text(words)) return Errc::invalid_text;
    return SearchWords{words}.size() == 0 ? Errc::invalid_request : Errc{};
}

}  // namespace quicchat

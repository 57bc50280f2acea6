#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/error.hpp"
#include "quicchat/base/letter_case.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/text.hpp"

namespace quicchat {

/// What somebody searches for (PROTOCOL.md §6.15): the texts between spaces.
class SearchWords {
public:
    explicit SearchWords(std::string_view text) {
        const std::string folded = fold_case(text);
        for (std::size_t begin = 0; begin < folded.size();) {
            const std::size_t end = std::min(folded.find(' ', begin), folded.size());
            if (end > begin) words_.push_back(folded.substr(begin, end - begin));
            begin = end + 1;
        }
    }

    /// True if each of them stands somewhere in the text, whatever the case of letters.
    bool are_in(std::string_view text) const {
        const std::string folded = fold_case(text);
        return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) {
            return folded.find(word) != std::string::npos;
        });
    }

    std::size_t size() const { return words_.size(); }

private:
    std::vector<std::string> words_;  ///< Folded.
};

/// `Errc{}`, or why that cannot be searched for.
inline Errc check_search(std::string_view words) {
    if (words.size() > search_bytes_max) return Errc::message_too_long;
    if (!is_clean_text(words)) return Errc::invalid_text;
    return SearchWords{words}.size() == 0 ? Errc::invalid_request : Errc{};
}

}  // namespace quicchat

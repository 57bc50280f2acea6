#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/error.hpp"

namespace quicchat {

/// What somebody searches for (PROTOCOL.md §6.15): the texts between spaces.
class SearchWords {
    /// A word, to be found in a time that grows with the text only, whatever both are: by the
    /// algorithm of Knuth, Morris and Pratt.
    class Word {
    public:
        explicit Word(std::string folded);

        bool is_in(std::string_view text) const;

    private:
        std::string text_;  ///< Not empty.
        /// Of the first n octets the longest proper beginning that is also their end.
        std::vector<std::uint16_t> border_;
    };

public:
    /// Any text; one without a word is found everywhere. See `check_search`.
    explicit SearchWords(std::string_view text);

    /// True if each of them stands somewhere in the text, whatever the case of letters.
    bool are_in(std::string_view text) const;

    /// How many words there are.
    std::size_t size() const { return words_.size(); }

private:
    std::vector<Word> words_;
};

/// `Errc{}`, or why that cannot be searched for.
QUICCHAT_DECL Errc check_search(std::string_view words);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/base/impl/search_words.ipp"
#endif

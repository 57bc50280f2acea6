#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"
#include "plain_text.hpp"
#include "quicchat/base/letter_case.hpp"
#include "quicchat/base/search_words.hpp"

namespace quicchat::test {

// Every letter that has another one to be compared by, and that one at the same place: as Python's
// str.casefold knows them, in the alphabets of PROTOCOL.md §6.15.
inline constexpr std::u32string_view capitals =
    U"ABCDEFGHIJKLMNOPQRSTUVWXYZµÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĲĴĶĹĻĽĿŁŃŅŇ"
    U"ŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽſͰͲͶͿΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫςϏϐϑϕϖϘϚϜϞϠϢϤϦϨϪϬϮϰϱϴϵ"
    U"Ϸ"
    U"Ϲ"
    U"Ϻ"
    U"Ͻ"
    U"ϾϿЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶ"
    U"ҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦ"
    U"Ԩ"
    U"Ԫ"
    U"Ԭ"
    U"Ԯ";
inline constexpr std::u32string_view smalls =
    U"abcdefghijklmnopqrstuvwxyzμàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĳĵķĺļľŀłńņň"
    U"ŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżžsͱͳͷϳάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋσϗβθφπϙϛϝϟϡϣϥϧϩϫϭϯκρθεϸϲϻͻ"
    U"ͼͽѐёђѓєѕіїјљњћќѝўџабвгдежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷ"
    U"ҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧ"
    U"ԩ"
    U"ԫ"
    U"ԭ"
    U"ԯ";
static_assert(capitals.size() == smalls.size());

inline std::string folded_plainly(std::string_view text) {
    static const auto pairs = [] {
        std::map<std::uint32_t, std::string> all;
        for (std::size_t i = 0; i < capitals.size(); ++i) all[capitals[i]] = utf8_of(smalls[i]);
        return all;
    }();
    std::string folded;
    while (!text.empty()) {
        const PlainCharacter c = first_plainly(text);
        const auto known = c.is_utf8 ? pairs.find(c.code_point) : pairs.end();
        folded += known == pairs.end() ? std::string{c.bytes} : known->second;
        text.remove_prefix(c.bytes.size());
    }
    return folded;
}

/// Each of the words stands somewhere in the text.
inline bool is_found_plainly(std::string_view words, std::string_view text) {
    const std::string where = folded_plainly(text);
    std::string word;
    for (const char c : folded_plainly(words) + ' ') {
        if (c != ' ') {
            word += c;
        } else {
            if (where.find(word) == where.npos) return false;
            word.clear();
        }
    }
    return true;
}

/// Any words in any text, UTF-8 or not: found where a plain search finds them.
inline void fuzz_search(BytesView bytes) {
    FuzzInput input{bytes};
    const std::uint8_t length = input.octet();
    const std::string_view words = as_text(input.take(length));
    const std::string_view text = as_text(input.rest());
    must(fold_case(text) == folded_plainly(text));
    must(fold_case(words) == folded_plainly(words));
    must(SearchWords{words}.are_in(text) == is_found_plainly(words, text));

    const bool blank = words.find_first_not_of(' ') == words.npos;
    must(check_search(words) == (!is_text_plainly(words) ? Errc::invalid_text
                                 : blank                 ? Errc::invalid_request
                                                         : Errc{}));
    must(check_search(text) == Errc{} || text.size() > 256 || !is_text_plainly(text) ||
         text.find_first_not_of(' ') == text.npos);
}

}  // namespace quicchat::test

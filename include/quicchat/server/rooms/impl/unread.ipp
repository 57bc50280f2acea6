#pragma once

#include "quicchat/server/rooms/unread.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/mention.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/session/act_form.hpp"

namespace quicchat {

QUICCHAT_DECL void UnreadCounter::push(const LoggedRecord& logged) {
    const Act& act = logged.record.act;
    // What it changes may be here.
    const Offset age = logged.offset - 1 - std::min(act.target, logged.offset - 1);
    if (age < entries_.size()) {
        std::string& entry = entries_[entries_.size() - 1 - static_cast<std::size_t>(age)];
        if (act.kind == Act::Kind::deletion) entry.clear();
        if (act.kind == Act::Kind::edit && !entry.empty()) {
            entry.resize(std::min(entry.find('@'), entry.size()));
            add_mentions(entry, logged.record.text);
        }
    }
    entries_.push_back(entry_of(logged.record));
    if (entries_.size() > unread_max) entries_.pop_front();
}

QUICCHAT_DECL void UnreadCounter::add_older(const std::vector<LoggedRecord>& older, bool is_all) {
    for (auto r = older.rbegin(); r != older.rend() && entries_.size() < unread_max; ++r) {
        entries_.push_front(entry_of(r->record));
    }
    is_filled_ = is_all || entries_.size() >= unread_max;
}

QUICCHAT_RARE_DECL void UnreadCounter::keep_newest(Offset count) {
    if (entries_.size() < count) return;
    entries_.erase(entries_.begin(), entries_.end() - static_cast<std::ptrdiff_t>(count));
    is_filled_ = true;
}

QUICCHAT_DECL bool UnreadCounter::knows(Offset count) const {
    return is_filled_ || std::min<Offset>(count, unread_max) <= entries_.size();
}

QUICCHAT_DECL std::uint64_t UnreadCounter::count_unread(Offset count, std::string_view user) const {
    return count_if(count, canonical_name(user), [](const std::string&) { return true; });
}

QUICCHAT_DECL std::uint64_t UnreadCounter::count_mentions(Offset count,
                                                          std::string_view user) const {
    const std::string mention = "@" + canonical_name(user) + "@";
    return count_if(count, canonical_name(user), [&](const std::string& entry) {
        return entry.find(mention) != std::string::npos;
    });
}

template <class Predicate>
std::uint64_t UnreadCounter::count_if(Offset count, const std::string& user,
                                      Predicate counts) const {
    const auto known = std::min<Offset>(count, entries_.size());
    const auto from = entries_.end() - static_cast<std::ptrdiff_t>(known);
    return static_cast<std::uint64_t>(
        std::count_if(from, entries_.end(), [&](const std::string& entry) {
            const std::string_view author{entry.data(), std::min(entry.find('@'), entry.size())};
            return !entry.empty() && author != user && counts(entry);
        }));
}

QUICCHAT_DECL std::string UnreadCounter::entry_of(const Record& record) {
    std::string entry;
    if (!is_said(record.act.kind)) return entry;
    entry = canonical_name(record.author);
    add_mentions(entry, record.text);
    return entry;
}

QUICCHAT_DECL void UnreadCounter::add_mentions(std::string& entry, std::string_view text) {
    std::size_t count = 0;
    for_each_mention(text, [&](std::string_view name) {
        const std::string canonical = canonical_name(name) + "@";
        if (count == 0) entry += "@";
        if (entry.find("@" + canonical) == std::string::npos) entry += canonical, ++count;
        return count < mentions_max;
    });
}

}  // namespace quicchat

#pragma once

#include <string_view>

#include "quicchat/log/concept.hpp"

// What the models of RoomLog decide alike: which record repeats another, and which changes one.

namespace quicchat {

/// What a deletion leaves of a text's attributes.
inline constexpr const char* blank_attributes = "{}";

inline bool has_same_name(const Record& a, const Record& b) {
    return a.id == b.id && a.device == b.device && a.author == b.author;
}

/// Whether a record of the same name as one in the log is that one, sent again. What a record that
/// was changed had said is not known any more, so its name is enough.
inline bool is_repeat(const Record& logged, const Record& again) {
    return logged.changed_by != 0 ||
           (logged.text == again.text && logged.attributes == again.attributes &&
            logged.act == again.act);
}

/// Whether the act changes the message at its target.
inline bool is_change(const Act& act) {
    return act.kind == Act::Kind::edit || act.kind == Act::Kind::deletion;
}

/// Whether a record can be edited or deleted: a message, and a file only the latter, that was not
/// deleted yet.
inline bool is_changeable(const Act& target, const Act& change) {
    return target.kind == Act::Kind::message ||
           (target.kind == Act::Kind::file && change.kind == Act::Kind::deletion);
}

inline bool is_reaction(const Act& act) {
    return act.kind == Act::Kind::reaction || act.kind == Act::Kind::unreaction;
}

/// Takes the next record of a room into what is known of the reactions on the message at `target`.
inline void count_reaction(Reactions& reactions, const Record& record, Offset target,
                           std::string_view author, std::string_view text) {
    if (!is_reaction(record.act) || record.act.target != target) return;
    ++reactions.records;
    if (record.author != author || record.text != text) return;
    reactions.there = record.act.kind == Act::Kind::reaction;
}

/// What a deletion leaves of a message or a file: that there was one, and what it answered.
inline Act make_tombstone(const Act& target) {
    return {.kind = Act::Kind::tombstone, .target = target.target};
}

}  // namespace quicchat

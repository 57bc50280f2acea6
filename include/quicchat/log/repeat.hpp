#pragma once

#include <string_view>

#include <cstdint>
#include <string_view>

#include "quicchat/log/room_log.hpp"

// What the models of RoomLog decide alike: which record repeats another, and which changes one.

namespace quicchat {

/// What a deletion leaves of a text's attributes.
inline constexpr const char* blank_attributes = "{}";

inline bool has_same_name(const Record& a, const Record& b) {
    return a.id == b.id && a.device == b.device && a.author == b.author;
}

/// A number for a text and its attributes: the same on every machine, and never 0. It is FNV-1a
/// with 64 bits, which who wants to can make collide: with messages of his own only.
constexpr std::uint64_t mark_of(std::string_view text, std::string_view attributes) {
    std::uint64_t mark = 0xcbf29ce484222325;
    const auto add = [&](std::string_view octets) {
        for (const char octet : octets) {
            mark = (mark ^ static_cast<std::uint8_t>(octet)) * 0x100000001b3;
        }
    };
    add(text);
    add(std::string_view{"\0", 1});  // is in no text
    add(attributes);
    return mark == 0 ? 1 : mark;
}

/// Whether a record of the same name as one in the log is that one, sent again. What a record that
/// was changed had said is not known any more, so its name is enough.
inline bool is_repeat(const Record& logged, const Record& again) {
    if (logged.changed_by != 0) return true;
    if (logged.act != again.act) return false;
    if (logged.sent == 0 && again.sent == 0) {
        return logged.text == again.text && logged.attributes == again.attributes;
    }
    // The server's program gave one of them other texts: what was sent counts.
    const auto mark = [](const Record& record) {
        return record.sent != 0 ? record.sent : mark_of(record.text, record.attributes);
    };
    return mark(logged) == mark(again);
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

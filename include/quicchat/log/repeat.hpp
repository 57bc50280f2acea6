#pragma once

#include <cstdint>
#include <string_view>

#include "quicchat/log/authors.hpp"
#include "quicchat/log/room_log.hpp"

// What the models of RoomLog decide alike: which record repeats another, and which changes one.

namespace quicchat {

/// What a deletion leaves of a text's attributes.
inline constexpr const char* blank_attributes = "{}";

inline bool has_same_name(const Record& a, const Record& b) {
    return a.id == b.id && a.device == b.device && a.author == b.author;
}

/// FNV-1a with 64 bits, the same on every machine. Who wants to can make it collide: with messages
/// of his own only.
class Mark {
public:
    constexpr void add(std::string_view octets) {
        for (const char octet : octets) add_octet(static_cast<std::uint8_t>(octet));
    }
    constexpr void add(std::uint64_t number) {
        for (int shift = 0; shift < 64; shift += 8) {
            add_octet(static_cast<std::uint8_t>(number >> shift));
        }
    }

    /// Never 0.
    constexpr std::uint64_t value() const { return mark_ == 0 ? 1 : mark_; }

private:
    constexpr void add_octet(std::uint8_t octet) { mark_ = (mark_ ^ octet) * 0x100000001b3; }

    std::uint64_t mark_ = 0xcbf29ce484222325;
};

/// A number for a text and its attributes.
constexpr std::uint64_t mark_of(std::string_view text, std::string_view attributes) {
    Mark mark;
    mark.add(text);
    mark.add(std::string_view{"\0", 1});  // is in no text
    mark.add(attributes);
    return mark.value();
}

/// What was sent of a record, in a number: what is left of it to recognise it once it is gone.
inline std::uint64_t mark_of(const Record& record) {
    const Act& act = record.act;
    Mark mark;
    mark.add(static_cast<std::uint64_t>(act.kind));
    mark.add(act.target);
    mark.add(act.subject);
    mark.add(std::string_view{"\0", 1});
    mark.add(act.value);
    mark.add(static_cast<std::uint64_t>(act.until.time_since_epoch().count()));
    mark.add(record.sent != 0 ? record.sent : mark_of(record.text, record.attributes));
    return mark.value();
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

/// What is kept of a record that retention drops. The mark 0: it was changed.
inline OldId old_id_of(const LoggedRecord& logged) {
    const Record& record = logged.record;
    return {record.id, logged.offset, record.time, record.changed_by != 0 ? 0 : mark_of(record)};
}

/// The same as `is_repeat` for a record that is gone.
inline bool is_repeat(const OldId& old, const Record& again) {
    return old.mark == 0 || old.mark == mark_of(again);
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

/// Makes of a record what an edit or a deletion at `offset` makes of it. A deletion changes a
/// message and its edits.
inline void change(Record& changed, const Record& by, Offset offset) {
    const bool deletes = by.act.kind == Act::Kind::deletion;
    if (deletes && changed.act.kind != Act::Kind::edit) changed.act = make_tombstone(changed.act);
    changed.text = deletes ? "" : by.text;
    changed.attributes = deletes ? blank_attributes : by.attributes;
    changed.changed_by = offset;
}

}  // namespace quicchat

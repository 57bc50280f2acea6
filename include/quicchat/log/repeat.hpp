#pragma once

#include <cstdint>
#include <string_view>

#include "quicchat/base/config.hpp"
#include "quicchat/log/authors.hpp"
#include "quicchat/log/room_log.hpp"

// What the models of RoomLog decide alike: which record repeats another, and which changes one.

namespace quicchat {

/// What a deletion leaves of a text's attributes.
inline constexpr const char* blank_attributes = "{}";

/// Whether they agree in author, device and id.
QUICCHAT_DECL bool has_same_name(const Record& a, const Record& b);

/// FNV-1a with 64 bits, the same on every machine. Who wants to can make it collide: with messages
/// of his own only.
class Mark {
public:
    /// Adds octets, or a number as its eight octets, the lowest first.
    /// @{
    constexpr void add(std::string_view octets) {
        for (const char octet : octets) add_octet(static_cast<std::uint8_t>(octet));
    }
    constexpr void add(std::uint64_t number) {
        if (number == 0) return add_zeros();  // as most are
        for (int shift = 0; shift < 64; shift += 8) {
            add_octet(static_cast<std::uint8_t>(number >> shift));
        }
    }
    /// @}

    /// Never 0.
    constexpr std::uint64_t value() const { return mark_ == 0 ? 1 : mark_; }

private:
    static constexpr std::uint64_t prime = 0x100000001b3;

    constexpr void add_octet(std::uint8_t octet) { mark_ = (mark_ ^ octet) * prime; }

    /// Eight octets that are 0.
    constexpr void add_zeros() {
        constexpr std::uint64_t square = prime * prime;
        mark_ *= square * square * square * square;
    }

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
QUICCHAT_DECL std::uint64_t mark_of(const Record& record);

/// The same from its parts: those of its act, and the mark of the text and attributes as they were
/// sent.
QUICCHAT_DECL std::uint64_t mark_of(Act::Kind kind, Offset target, std::string_view subject,
                                    std::uint64_t value, WallTime until, std::uint64_t sent);

/// Whether a record of the same name as one in the log is that one, sent again. What a record that
/// was changed had said is not known any more, so its name is enough.
QUICCHAT_DECL bool is_repeat(const Record& logged, const Record& again);

/// What is kept of a record that retention drops. The mark 0: it was changed.
QUICCHAT_DECL OldId old_id_of(const LoggedRecord& logged);

/// The same as `is_repeat` for a record that is gone.
QUICCHAT_DECL bool is_repeat(const OldId& old, const Record& again);

/// Whether the act changes the message at its target.
QUICCHAT_DECL bool is_change(const Act& act);

/// Whether a record can be edited or deleted: a message, and a file only the latter, that was not
/// deleted yet.
QUICCHAT_DECL bool is_changeable(const Act& target, const Act& change);

/// Whether it adds a reaction to a message or takes one away.
QUICCHAT_DECL bool is_reaction(const Act& act);

/// Takes the next record of a room into what is known of the reactions on the message at `target`.
QUICCHAT_DECL void count_reaction(Reactions& reactions, const Record& record, Offset target,
                                  std::string_view author, std::string_view text);

/// What a deletion leaves of a message or a file: that there was one, and what it answered.
QUICCHAT_DECL Act make_tombstone(const Act& target);

/// Makes of a record what an edit or a deletion at `offset` makes of it. A deletion changes a
/// message and its edits.
QUICCHAT_DECL void change(Record& changed, const Record& by, Offset offset);

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/log/impl/repeat.ipp"
#endif

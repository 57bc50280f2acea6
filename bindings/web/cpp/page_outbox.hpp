#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/session/act_form.hpp"
#include "quicchat/session/outbox.hpp"
#include "quicchat/wire/cursor.hpp"
#include "quicchat/wire/fields.hpp"

namespace quicchat::web {

/// Unsent messages as a page keeps them: each is one record of bytes under a number. The numbers
/// grow in the order of sending. A page stores and forgets records without knowing what is in them.
class PageOutbox {
public:
    using Number = std::uint64_t;

    /// No record has a greater one. JavaScript has those that follow exactly as well.
    static constexpr Number number_max = std::uint64_t{1} << 52;

    struct Record {
        Number number = 0;
        Buffer bytes{};  ///< Empty: forget it.
    };

    /// The message in a record that an earlier page kept, or nothing if it is damaged: not what
    /// `record` makes, nothing that could be said, or there already. Others on this computer may
    /// have written it.
    std::optional<UnsentMessage> restore(Number number, BytesView bytes);

    /// What to do with which record; nothing for a message that has none.
    std::optional<Record> record(const OutboxChange& change);

private:
    struct Key {
        std::string room;
        std::string to;
        MessageId id;
        friend auto operator<=>(const Key&, const Key&) = default;
    };

    static constexpr std::uint64_t version = 1;

    /// Of a text: what the outbox takes. Servers have limits of their own.
    static constexpr std::size_t bytes_max = Limits{}.outbox_bytes_max;

    static void describe(auto& io, auto& m) {
        io.text(m.room, room_name_bytes_max);
        io.text(m.to, user_name_bytes_max);
        io.id(m.id);
        io.text(m.text, bytes_max);
        io.text(m.attributes, bytes_max);
        detail::fields(io, m.act);
    }

    static bool can_be_said(const UnsentMessage& m) {
        const bool to_one = m.room.empty();
        if (to_one && !(is_user_name(m.to) && m.act == Act{})) return false;
        const bool is_room = is_room_name(m.room) || is_private_name(m.room);
        if (!to_one && !(is_room && m.to.empty())) return false;
        return check_form(m.act, m.text, m.attributes, bytes_max, bytes_max) == Errc{};
    }

    static Key key_of(const UnsentMessage& m) { return {m.room, m.to, m.id}; }

    std::map<Key, Number> numbers_;
    Number newest_ = 0;
};

inline std::optional<UnsentMessage> PageOutbox::restore(Number number, BytesView bytes) {
    if (number > number_max) return std::nullopt;
    std::uint64_t written_by = 0;
    UnsentMessage message;
    FieldReader reader{bytes};
    reader.number(written_by);
    if (!reader.ok() || written_by != version) return std::nullopt;
    describe(reader, message);
    if (!reader.ok() || !reader.rest().empty() || !can_be_said(message)) return std::nullopt;
    if (!numbers_.emplace(key_of(message), number).second) return std::nullopt;
    newest_ = std::max(newest_, number);
    return message;
}

inline std::optional<PageOutbox::Record> PageOutbox::record(const OutboxChange& change) {
    const Key key = key_of(change.message);
    const auto found = numbers_.find(key);
    if (!change.keep) {
        if (found == numbers_.end()) return std::nullopt;
        return Record{numbers_.extract(found).mapped()};
    }
    if (found != numbers_.end()) return std::nullopt;  // the same, said again
    Record record{++newest_};
    FieldWriter writer{record.bytes};
    writer.number(version);
    describe(writer, change.message);
    numbers_.emplace(key, record.number);
    return record;
}

}  // namespace quicchat::web

#pragma once

#include "quicchat/log/repeat.hpp"

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL bool has_same_name(const Record& a, const Record& b) {
    return a.id == b.id && a.device == b.device && a.author == b.author;
}

QUICCHAT_DECL std::uint64_t mark_of(Act::Kind kind, Offset target, std::string_view subject,
                                    std::uint64_t value, WallTime until, std::uint64_t sent) {
    Mark mark;
    mark.add(static_cast<std::uint64_t>(kind));
    mark.add(target);
    mark.add(subject);
    mark.add(std::string_view{"\0", 1});
    mark.add(value);
    mark.add(static_cast<std::uint64_t>(until.time_since_epoch().count()));
    mark.add(sent);
    return mark.value();
}

QUICCHAT_DECL std::uint64_t mark_of(const Record& record) {
    const Act& act = record.act;
    return mark_of(act.kind, act.target, act.subject, act.value, act.until,
                   record.sent != 0 ? record.sent : mark_of(record.text, record.attributes));
}

QUICCHAT_DECL bool is_repeat(const Record& logged, const Record& again) {
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

QUICCHAT_DECL OldId old_id_of(const LoggedRecord& logged) {
    const Record& record = logged.record;
    return {record.id, logged.offset, record.time, record.changed_by != 0 ? 0 : mark_of(record)};
}

QUICCHAT_DECL bool is_repeat(const OldId& old, const Record& again) {
    return old.mark == 0 || old.mark == mark_of(again);
}

QUICCHAT_DECL bool is_change(const Act& act) {
    return act.kind == Act::Kind::edit || act.kind == Act::Kind::deletion;
}

QUICCHAT_DECL bool is_changeable(const Act& target, const Act& change) {
    return target.kind == Act::Kind::message ||
           (target.kind == Act::Kind::file && change.kind == Act::Kind::deletion);
}

QUICCHAT_DECL bool is_reaction(const Act& act) {
    return act.kind == Act::Kind::reaction || act.kind == Act::Kind::unreaction;
}

QUICCHAT_DECL void count_reaction(Reactions& reactions, const Record& record, Offset target,
                                  std::string_view author, std::string_view text) {
    if (!is_reaction(record.act) || record.act.target != target) return;
    ++reactions.records;
    if (record.author != author) return;
    ++reactions.by_author;
    if (record.text != text) return;
    reactions.there = record.act.kind == Act::Kind::reaction;
}

QUICCHAT_DECL Act make_tombstone(const Act& target) {
    return {.kind = Act::Kind::tombstone, .target = target.target};
}

QUICCHAT_DECL void change(Record& changed, const Record& by, Offset offset) {
    const bool deletes = by.act.kind == Act::Kind::deletion;
    if (deletes && changed.act.kind != Act::Kind::edit) changed.act = make_tombstone(changed.act);
    changed.text = deletes ? "" : by.text;
    changed.attributes = deletes ? blank_attributes : by.attributes;
    changed.changed_by = offset;
}

}  // namespace quicchat

#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "quicchat/base/name.hpp"
#include "quicchat/log/room_log.hpp"

namespace quicchat::test {

/// A broken promise, in words. Thrown, so that a seed ends at the first one.
struct Broken {
    std::string what;
};

inline void require(bool holds, const char* what) {
    if (!holds) throw Broken{what};
}

/// What a room is by its records alone, told anew without the product's rules: what stands where,
/// who is what, and whether each record might be stored at its place.
class RoomModel {
public:
    struct Content {
        Act act;
        std::string author;
        std::string text;
        Offset changed_by = 0;
        bool deleted = false;
    };

    static constexpr Offset records_max = 20;  ///< That a log keeps.
    static constexpr std::size_t reactions_max = 3;

    /// `operators` are owners whatever the records say.
    explicit RoomModel(std::string operator_name) : operator_(std::move(operator_name)) {}

    /// The next record.
    void apply(const Record& r) {
        const Offset offset = contents_.size() + 1;
        judge(r);
        contents_.push_back({r.act, r.author, r.text});
        const Act& act = r.act;
        Content* target = act.target == 0 ? nullptr : &contents_[act.target - 1];
        if (act.kind == Act::Kind::edit) {
            target->text = r.text;
            target->changed_by = offset;
        } else if (act.kind == Act::Kind::deletion) {
            target->text.clear();
            target->changed_by = offset;
            target->deleted = true;
            for (Content& c : contents_) {
                if (c.act.kind != Act::Kind::edit || c.act.target != act.target) continue;
                c.text.clear();
                c.changed_by = offset;
            }
        } else if (act.kind == Act::Kind::topic) {
            topic_ = r.text;
        } else if (act.kind == Act::Kind::access) {
            access_ = static_cast<RoomAccess>(act.value);
            has_refused_ |= access_ != RoomAccess::everybody;
            if (access_ == RoomAccess::everybody) forget_those_outside();
        } else if (act.kind == Act::Kind::role) {
            roles_[canonical_name(act.subject)] = static_cast<Role>(act.value);
            has_refused_ |= act.value < static_cast<std::uint64_t>(Role::member);
            if (access_ == RoomAccess::everybody) forget_those_outside();
        } else if (act.kind == Act::Kind::creation) {
            topic_ = r.text;
            access_ = static_cast<RoomAccess>(act.value);
            roles_[canonical_name(r.author)] = Role::owner;
        }
    }

    const Content& at(Offset offset) const { return contents_[offset - 1]; }
    Offset head() const { return contents_.size(); }
    const std::string& topic() const { return topic_; }
    RoomAccess access() const { return access_; }

    /// True if there was ever somebody who might not write here.
    bool has_refused() const { return has_refused_; }

    /// What the records say of somebody, if they say it: who just came in is a member without one.
    const Role* known_role(const std::string& user) const {
        const auto found = roles_.find(canonical_name(user));
        return found == roles_.end() ? nullptr : &found->second;
    }

private:
    /// Who is outside of a room for everybody may come back at any time, as a member.
    void forget_those_outside() {
        std::erase_if(roles_, [](const auto& entry) { return entry.second == Role::none; });
    }

    Role role(const std::string& user) const {
        if (canonical_name(user) == operator_) return Role::owner;
        const Role* known = known_role(user);
        return known == nullptr ? Role::member : *known;
    }

    void judge(const Record& r) const {
        const Role own = role(r.author);
        const Act& act = r.act;
        const bool archived = access_ == RoomAccess::archived;
        switch (act.kind) {
            case Act::Kind::reaction:
            case Act::Kind::unreaction:
                judge_reaction(r);
                [[fallthrough]];
            case Act::Kind::message:
            case Act::Kind::file:
                require(own >= Role::member && !archived, "somebody wrote who might not");
                require(act.target <= head(), "something is about a record that is not there");
                break;
            case Act::Kind::edit:
            case Act::Kind::deletion:
                require(own >= Role::member && !archived, "somebody changed what he might not");
                judge_change(r, own);
                break;
            case Act::Kind::topic:
                require(own >= Role::moderator && !archived, "a topic of somebody's");
                break;
            case Act::Kind::access:
                require(own == Role::owner, "somebody decided about access");
                break;
            case Act::Kind::role:
                judge_role(r, own, archived);
                break;
            case Act::Kind::creation:
                require(head() == 0, "a room was made twice");
                break;
            case Act::Kind::tombstone:
                throw Broken{"a tombstone was published"};
        }
    }

    void judge_change(const Record& r, Role own) const {
        require(r.act.target >= 1 && r.act.target <= head(), "a change of what is not there");
        const Content& target = at(r.act.target);
        const bool is_file =
            target.act.kind == Act::Kind::file && r.act.kind == Act::Kind::deletion;
        require((target.act.kind == Act::Kind::message || is_file) && !target.deleted,
                "a change of what is no message");
        if (canonical_name(target.author) == canonical_name(r.author)) return;
        require(r.act.kind == Act::Kind::deletion && own >= Role::moderator &&
                    role(target.author) < own,
                "somebody changed what another wrote");
    }

    /// The log knows as many records as it keeps.
    void judge_reaction(const Record& r) const {
        const Offset kept = head() + 1 - std::min<Offset>(head(), records_max);
        const bool adds = r.act.kind == Act::Kind::reaction;
        bool was_there = false;  // at the latest time that anybody knows
        std::size_t records = 0;
        for (Offset offset = 1; offset <= head(); ++offset) {
            const Content& c = at(offset);
            const bool reacts =
                c.act.kind == Act::Kind::reaction || c.act.kind == Act::Kind::unreaction;
            if (!reacts || c.act.target != r.act.target) continue;
            if (offset >= kept) ++records;
            if (c.author != r.author || c.text != r.text) continue;
            was_there = c.act.kind == Act::Kind::reaction && (offset >= kept || !adds);
        }
        require(was_there != adds, "a reaction that changes nothing");
        require(!adds || records < reactions_max, "too many reactions on a message");
    }

    void judge_role(const Record& r, Role own, bool archived) const {
        if (own == Role::owner) return;
        const Role before = role(r.act.subject);
        const auto after = static_cast<Role>(r.act.value);
        const bool leaves = canonical_name(r.act.subject) == canonical_name(r.author) &&
                            after == Role::none && before >= Role::member;
        const bool disciplines = own == Role::moderator && !archived && before < Role::moderator &&
                                 after < Role::moderator;
        require(leaves || disciplines, "somebody gave a role that he might not give");
    }

    std::string operator_;
    std::vector<Content> contents_;
    std::map<std::string, Role> roles_;
    RoomAccess access_ = RoomAccess::everybody;
    std::string topic_;
    bool has_refused_ = false;
};

}  // namespace quicchat::test

#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/name.hpp"

namespace quicchat {

/// Which pairs of people have a room of their own for what they tell each other, and which was
/// quiet for longest. Its key is made of both names: "@ada,@bob"; each of the two calls it by the
/// name of the other: "@bob".
class PrivateRooms {
public:
    /// The key of the room for two people. The same for both directions.
    static std::string key_of(std::string_view one, std::string_view other) {
        std::string a = canonical_name(one);
        std::string b = canonical_name(other);
        if (b < a) std::swap(a, b);
        return "@" + a + ",@" + b;
    }

    /// The key of what an account calls by that name: the room of two people, or another one.
    static std::string key_for(std::string_view user, std::string_view name) {
        return name.starts_with('@') ? key_of(user, name.substr(1)) : canonical_name(name);
    }

    static bool is_key(std::string_view key) { return key.starts_with('@'); }

    /// The two canonical names in a key.
    static std::pair<std::string, std::string> people_of(std::string_view key) {
        const std::size_t comma = key.find(',');
        return {std::string{key.substr(1, comma - 1)}, std::string{key.substr(comma + 2)}};
    }

    /// The room is there, and was used just now.
    void note_use(const std::string& key) {
        if (const auto found = places_.find(key); found != places_.end()) {
            by_use_.splice(by_use_.end(), by_use_, found->second);
            return;
        }
        places_.emplace(key, by_use_.insert(by_use_.end(), key));
        const auto [one, other] = people_of(key);
        by_person_[one].insert(key);
        by_person_[other].insert(key);
    }

    /// The rooms of one person.
    const std::set<std::string>& of(std::string_view user) const {
        static const std::set<std::string> none;
        const auto found = by_person_.find(canonical_name(user));
        return found == by_person_.end() ? none : found->second;
    }

    std::size_t size() const { return places_.size(); }

    /// The key of the room that was used longest ago. There must be one.
    const std::string& quietest() const { return by_use_.front(); }

    void drop(const std::string& key) {
        const auto place = places_.find(key);
        if (place == places_.end()) return;
        by_use_.erase(place->second);
        places_.erase(place);
        const auto [one, other] = people_of(key);
        for (const std::string& user : {one, other}) {
            const auto keys = by_person_.find(user);
            if (keys == by_person_.end()) continue;
            keys->second.erase(key);
            if (keys->second.empty()) by_person_.erase(keys);
        }
    }

private:
    std::list<std::string> by_use_;  ///< The quietest first.
    std::map<std::string, std::list<std::string>::iterator> places_;
    std::map<std::string, std::set<std::string>> by_person_;
};

}  // namespace quicchat

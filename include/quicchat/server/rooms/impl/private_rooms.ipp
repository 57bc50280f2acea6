#pragma once

#include "quicchat/server/rooms/private_rooms.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_RARE_DECL std::string PrivateRooms::key_of(std::string_view one, std::string_view other) {
    std::string a = canonical_name(one);
    std::string b = canonical_name(other);
    if (b < a) std::swap(a, b);
    return "@" + a + ",@" + b;
}

QUICCHAT_RARE_DECL std::string PrivateRooms::key_for(std::string_view user, std::string_view name) {
    return name.starts_with('@') ? key_of(user, name.substr(1)) : canonical_name(name);
}

QUICCHAT_RARE_DECL std::pair<std::string, std::string> PrivateRooms::people_of(
    std::string_view key) {
    const std::size_t comma = key.find(',');
    return {std::string{key.substr(1, comma - 1)}, std::string{key.substr(comma + 2)}};
}

QUICCHAT_DECL void PrivateRooms::note_use(const std::string& key, std::string_view maker) {
    if (const auto found = places_.find(key); found != places_.end()) {
        std::list<std::string>& own = by_maker_.at(found->second.maker);
        own.splice(own.end(), own, found->second.place);
        return;
    }
    Entry entry{canonical_name(maker), {}};
    std::list<std::string>& own = by_maker_[entry.maker];
    entry.place = own.insert(own.end(), key);
    places_.emplace(key, std::move(entry));
    const auto [one, other] = people_of(key);
    by_person_[one].insert(key);
    by_person_[other].insert(key);
}

QUICCHAT_RARE_DECL const std::set<std::string>& PrivateRooms::of(std::string_view user) const {
    static const std::set<std::string> none;
    const auto found = by_person_.find(canonical_name(user));
    return found == by_person_.end() ? none : found->second;
}

QUICCHAT_RARE_DECL void PrivateRooms::drop(const std::string& key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return;
    const auto own = by_maker_.find(place->second.maker);
    own->second.erase(place->second.place);
    if (own->second.empty()) by_maker_.erase(own);
    places_.erase(place);
    const auto [one, other] = people_of(key);
    for (const std::string& user : {one, other}) {
        const auto keys = by_person_.find(user);
        if (keys == by_person_.end()) continue;
        keys->second.erase(key);
        if (keys->second.empty()) by_person_.erase(keys);
    }
}

}  // namespace quicchat

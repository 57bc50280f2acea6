#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace quicchat {

/// Which pairs of people have a room of their own for what they tell each other, who made it, and
/// which was quiet for longest. Its key is made of both names: "@ada,@bob"; each of the two calls
/// it by the name of the other: "@bob".
class PrivateRooms {
public:
    /// The key of the room for two people. The same for both directions.
    static std::string key_of(std::string_view one, std::string_view other);

    /// The key of what an account calls by that name: the room of two people, or another one.
    static std::string key_for(std::string_view user, std::string_view name);

    /// False for the key of any other room: no room's name begins with `@`.
    static bool is_key(std::string_view key) { return key.starts_with('@'); }

    /// The two canonical names in a key.
    static std::pair<std::string, std::string> people_of(std::string_view key);

    /// The room is there, and was used just now. `maker`: the account that made it; empty: that is
    /// not known.
    void note_use(const std::string& key, std::string_view maker = {});

    /// The rooms of one person.
    const std::set<std::string>& of(std::string_view user) const;

    /// How many such rooms there are.
    std::size_t size() const { return places_.size(); }

    /// The key of the room that is to go, but not `newest`: of those who made the most, the one
    /// that was used longest ago; those that are spared only if all are. There must be another
    /// room.
    template <class IsSpared>
    const std::string& next_to_go(const std::string& newest, const IsSpared& is_spared) const {
        const std::string& newest_maker = places_.at(newest).maker;
        const auto most = std::ranges::max_element(by_maker_, {}, [&](const auto& entry) {
            return entry.second.size() - (entry.first == newest_maker ? 1 : 0);
        });
        const std::list<std::string>& own = most->second;  // `newest` is the last of its maker's
        const auto found = std::ranges::find_if_not(
            own, [&](const std::string& key) { return key == newest || is_spared(key); });
        return found == own.end() ? own.front() : *found;
    }

    /// Forgets the pair. Does nothing if that is not known.
    void drop(const std::string& key);

private:
    struct Entry {
        std::string maker;
        std::list<std::string>::iterator place;
    };

    std::map<std::string, std::list<std::string>> by_maker_;  ///< The quietest first.
    std::map<std::string, Entry> places_;
    std::map<std::string, std::set<std::string>> by_person_;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/rooms/impl/private_rooms.ipp"
#endif

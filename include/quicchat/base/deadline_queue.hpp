#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "quicchat/base/time.hpp"

namespace quicchat {

/// What is due when: at most one deadline for each key. However many there are, the next one is
/// known at once.
template <class Key>
class DeadlineQueue {
public:
    /// Also instead of another deadline of the key.
    void set(const Key& key, TimePoint when) {
        erase(key);
        by_key_.emplace(key, when);
        in_order_.emplace(when, key);
    }

    /// Does nothing if the key has no deadline.
    void erase(const Key& key) {
        const auto found = by_key_.find(key);
        if (found == by_key_.end()) return;
        in_order_.erase({found->second, key});
        by_key_.erase(found);
    }

    /// Whether the key has a deadline, be it past or not.
    bool contains(const Key& key) const { return by_key_.count(key) != 0; }

    /// Takes out the one that is due for longest; nothing if none is.
    std::optional<Key> take_due(TimePoint now) {
        if (in_order_.empty() || now < in_order_.begin()->first) return std::nullopt;
        std::optional<Key> key{in_order_.begin()->second};
        erase(*key);
        return key;
    }

    /// When the earliest is due; nothing if there is none.
    std::optional<TimePoint> next() const {
        if (in_order_.empty()) return std::nullopt;
        return in_order_.begin()->first;
    }

private:
    std::map<Key, TimePoint> by_key_;
    std::set<std::pair<TimePoint, Key>> in_order_;
};

}  // namespace quicchat

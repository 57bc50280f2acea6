#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "quicchat/base/name.hpp"

namespace quicchat {

/// Which pairs of people have a log for the messages between them, and which was quiet for longest.
/// A pair's log is a room of two that cannot be joined: "@ada,@bob".
class PrivateRooms {
public:
    /// The name of the log for two people, who now used it. The same for both directions.
    std::string use(std::string_view one, std::string_view other) {
        std::string a = canonical_name(one);
        std::string b = canonical_name(other);
        if (b < a) std::swap(a, b);
        std::string name = "@" + a + ",@" + b;
        note_use(name);
        return name;
    }

    /// Takes in a log from before. False if its name is not that of a pair.
    bool restore(const std::string& name) {
        if (!name.starts_with('@')) return false;
        note_use(name);
        return true;
    }

    std::size_t size() const { return places_.size(); }

    /// Forgets the pair that used its log longest ago, and returns the log's name. There must be
    /// one.
    std::string drop_quietest() {
        std::string name = std::move(by_use_.front());
        by_use_.pop_front();
        places_.erase(name);
        return name;
    }

private:
    void note_use(const std::string& name) {
        if (const auto found = places_.find(name); found != places_.end()) {
            by_use_.splice(by_use_.end(), by_use_, found->second);
        } else {
            places_.emplace(name, by_use_.insert(by_use_.end(), name));
        }
    }

    std::list<std::string> by_use_;  ///< The quietest first.
    std::map<std::string, std::list<std::string>::iterator> places_;
};

}  // namespace quicchat

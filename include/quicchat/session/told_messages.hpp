#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

/// Which of the messages between us and others we have had: after a login the server sends again
/// what the account has not read (PROTOCOL.md §6.6).
class ToldMessages {
public:
    /// True the first time for each message.
    bool is_news(std::string_view peer, Epoch epoch, Offset offset) {
        Place& place = newest_[canonical_name(peer)];
        const bool news = place.epoch != epoch || place.offset < offset;
        if (news) place = {epoch, offset};
        if (newest_.size() > peers_max) newest_.erase(newest_.begin());
        return news;
    }

    /// The log that the newest message with somebody stands in; nothing if there was none.
    std::optional<Epoch> epoch(std::string_view peer) const {
        const auto found = newest_.find(canonical_name(peer));
        if (found == newest_.end()) return std::nullopt;
        return found->second.epoch;
    }

private:
    static constexpr std::size_t peers_max = 4096;

    struct Place {
        Epoch epoch{};
        Offset offset = 0;
    };
    std::map<std::string, Place> newest_;  ///< By canonical name.
};

}  // namespace quicchat

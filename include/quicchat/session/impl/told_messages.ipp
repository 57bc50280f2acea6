#pragma once

#include "quicchat/session/told_messages.hpp"

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_DECL bool ToldMessages::is_news(std::string_view peer, Epoch epoch, Offset offset) {
    Place& place = newest_[canonical_name(peer)];
    const bool news = place.epoch != epoch || place.offset < offset;
    if (news) place = {epoch, offset};
    if (newest_.size() > peers_max) newest_.erase(newest_.begin());
    return news;
}

QUICCHAT_DECL std::optional<Epoch> ToldMessages::epoch(std::string_view peer) const {
    const auto found = newest_.find(canonical_name(peer));
    if (found == newest_.end()) return std::nullopt;
    return found->second.epoch;
}

}  // namespace quicchat

#pragma once

#include "quicchat/server/io/request_cost.hpp"

#include <string>
#include <type_traits>
#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/rooms/private_rooms.hpp"

namespace quicchat {

QUICCHAT_DECL Duration charge(RateLimits& rates, ServerConnection& caller, const Member* member,
                              const Directory& rooms, const ServerRequest& request, TimePoint now) {
    constexpr std::uint64_t search_cost = 10;  // thousands of records are looked at
    const std::string& user = caller.session.user();
    const auto size = [](const std::string& text, const std::string& attributes) {
        constexpr std::uint64_t head_bytes = 64;
        return head_bytes + text.size() + attributes.size();
    };
    return std::visit(
        [&](const auto& m) -> Duration {
            using M = std::remove_cvref_t<decltype(m)>;
            if constexpr (std::is_same_v<M, wire::Publish>) {
                if (member == nullptr) return {};
                const Room& room = *member->room;
                return rates.publish(user, caller.prefix(), room.key(), size(m.text, m.attributes),
                                     room.members().size(), now);
            } else if constexpr (std::is_same_v<M, wire::Tell>) {
                const std::string room = PrivateRooms::key_of(user, m.to);
                return rates.publish(user, caller.prefix(), room, size(m.text, m.attributes), 2,
                                     now);
            } else if constexpr (std::is_same_v<M, wire::FileOffer>) {
                const std::string room = PrivateRooms::key_for(user, m.room);
                const Room* found = rooms.find(room);
                const std::size_t readers = found == nullptr ? 1 : found->members().size();
                return rates.publish(user, caller.prefix(), room, size(m.name, m.attributes),
                                     readers, now);
            } else if constexpr (std::is_same_v<M, wire::Join> ||
                                 std::is_same_v<M, wire::MembersRequest> ||
                                 std::is_same_v<M, wire::HistoryRequest> ||
                                 std::is_same_v<M, wire::FileRequest> ||
                                 std::is_same_v<M, wire::SetProfile> ||
                                 std::is_same_v<M, wire::RoomsRequest> ||
                                 std::is_same_v<M, wire::CreateRoom>) {
                return rates.ask(user, caller.requests, now);
            } else if constexpr (std::is_same_v<M, wire::SearchRequest>) {
                return rates.ask(user, caller.requests, now, search_cost);
            } else if constexpr (std::is_same_v<M, wire::MarkRead>) {
                return rates.mark_read(user, now);
            } else {
                return {};
            }
        },
        request);
}

}  // namespace quicchat

#pragma once

#include "quicchat/server/io/connection.hpp"

#include <variant>

#include "quicchat/base/config.hpp"
#include "quicchat/base/name.hpp"

namespace quicchat {

QUICCHAT_DECL bool ServerStream::takes(const ServerRequest& request) const {
    if (std::holds_alternative<std::monostate>(request)) return true;
    return !asked && !(begins_stream(request) && (member != nullptr || uploads));
}

QUICCHAT_DECL void ServerStream::hold_up() {
    if (member != nullptr) member->held_up = true;
}

QUICCHAT_DECL std::string ServerConnection::prefix() const { return address_prefix(address); }

QUICCHAT_DECL ServerStream* ServerConnection::find_stream(StreamId id) {
    const auto found = streams.find(id);
    return found == streams.end() ? nullptr : &found->second;
}

QUICCHAT_DECL bool ServerConnection::keep_early(std::size_t bytes, bool first_of_stream,
                                                std::size_t bytes_max) {
    constexpr std::size_t stream_cost = 128;  // so that empty streams are not free
    early_bytes += bytes + (first_of_stream ? stream_cost : 0);
    return early_bytes <= bytes_max;
}

QUICCHAT_DECL Errc ServerConnection::may_join(std::string_view room, std::size_t rooms_max) const {
    std::size_t rooms = 0;
    for (const auto& [id, stream] : streams) {
        if (stream.member == nullptr) continue;
        ++rooms;
        const Member& member = *stream.member;
        if (is_same_name(member.room->name_for(member.user), room)) return Errc::already_joined;
    }
    return rooms < rooms_max ? Errc{} : Errc::too_many_rooms;
}

}  // namespace quicchat

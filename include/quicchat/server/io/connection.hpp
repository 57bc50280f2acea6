#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/server/io/rate_limits.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/session/server_session.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat {

/// One stream of a client, as the server keeps it.
struct ServerStream {
    FrameAssembler assembler;
    Member* member = nullptr;
    bool uploads = false;  ///< A file comes on it.
    bool asked = false;    ///< For a page or a file: nothing more may come.
    bool ended = false;    ///< Refused: what still comes is dropped.
    bool fin = false;      ///< Nothing more comes.
    std::size_t owed = 0;  ///< Bytes read for which the client has no credit back yet.

    /// Whether that may come after what came before (PROTOCOL.md §2.1).
    bool takes(const ServerRequest& request) const {
        if (std::holds_alternative<std::monostate>(request)) return true;
        return !asked && !(begins_stream(request) && (member != nullptr || uploads));
    }

    void hold_up() {
        if (member != nullptr) member->held_up = true;
    }
};

/// One client, as the server keeps it.
struct ServerConnection {
    ServerSession session;
    std::string address;
    std::map<StreamId, ServerStream> streams{};
    Budget requests{};            ///< What it may ask beside publishing.
    std::size_t early_bytes = 0;  ///< Of room streams, kept until the login is complete.

    /// The network that it comes from.
    std::string prefix() const { return address_prefix(address); }

    ServerStream* find_stream(StreamId id) {
        const auto found = streams.find(id);
        return found == streams.end() ? nullptr : &found->second;
    }

    /// Takes note of bytes that wait for the login. False if they are too many.
    bool keep_early(std::size_t bytes, bool first_of_stream, std::size_t bytes_max) {
        constexpr std::size_t stream_cost = 128;  // so that empty streams are not free
        early_bytes += bytes + (first_of_stream ? stream_cost : 0);
        return early_bytes <= bytes_max;
    }

    Errc may_join(std::string_view room, std::size_t rooms_max) const {
        std::size_t rooms = 0;
        for (const auto& [id, stream] : streams) {
            if (stream.member == nullptr) continue;
            ++rooms;
            const Member& member = *stream.member;
            if (is_same_name(member.room->name_for(member.user), room)) return Errc::already_joined;
        }
        return rooms < rooms_max ? Errc{} : Errc::too_many_rooms;
    }
};

}  // namespace quicchat

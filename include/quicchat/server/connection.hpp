#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/name.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/server/room.hpp"
#include "quicchat/session/server_session.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat {

/// One stream of a client, as the server keeps it.
struct ServerStream {
    FrameAssembler assembler;
    Member* member = nullptr;
    bool ended = false;    ///< Refused: what still comes is dropped.
    bool fin = false;      ///< Nothing more comes.
    std::size_t owed = 0;  ///< Bytes read for which the client has no credit back yet.
};

/// One client, as the server keeps it. `Exchange` is the authenticator's.
template <class Exchange>
struct ServerConnection {
    ServerSession session;
    Exchange login;
    std::string address;
    std::map<StreamId, ServerStream> streams{};

    Errc may_join(std::string_view room, std::size_t rooms_max) const {
        std::size_t rooms = 0;
        for (const auto& [id, stream] : streams) {
            if (stream.member == nullptr) continue;
            ++rooms;
            const std::string& joined = stream.member->room->name();
            if (canonical_name(joined) == canonical_name(room)) {
                return Errc::already_joined;
            }
        }
        return rooms < rooms_max ? Errc{} : Errc::too_many_rooms;
    }
};

/// Until when a connection must be logged in.
struct LoginDeadline {
    TimePoint deadline;
    ConnectionId connection;
};

}  // namespace quicchat

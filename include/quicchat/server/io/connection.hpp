#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/server/io/rate_limits.hpp"
#include "quicchat/server/rooms/room.hpp"
#include "quicchat/session/server_session.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/wire/frame_assembler.hpp"

namespace quicchat {

/// One stream of a client, as the server keeps it.
struct ServerStream {
    FrameAssembler assembler;  ///< Holds a part of a frame until its rest comes.
    Member* member = nullptr;  ///< Of the room that was joined on it; nullptr: none.
    bool uploads = false;      ///< A file comes on it.
    bool asked = false;        ///< For a page or a file: nothing more may come.
    bool ended = false;        ///< Refused: what still comes is dropped.
    bool fin = false;          ///< Nothing more comes.
    std::size_t owed = 0;      ///< Bytes read for which the client has no credit back yet.

    /// Whether that may come after what came before (PROTOCOL.md §2.1).
    bool takes(const ServerRequest& request) const;

    /// What comes on it waits until its member has read more answers, if it has one.
    void hold_up();
};

/// One client, as the server keeps it.
struct ServerConnection {
    ServerSession session;  ///< What was agreed on, and what may come.
    std::string address;    ///< "host:port" of the client, as the transport tells.
    std::shared_ptr<const PageSession> page{};   ///< If a page made it.
    std::map<StreamId, ServerStream> streams{};  ///< Until both sides have said the last on them.
    Budget requests{};                           ///< What it may ask beside publishing.
    std::size_t early_bytes = 0;  ///< Of room streams, kept until the login is complete.

    /// The network that it comes from.
    std::string prefix() const;

    /// nullptr if there is no such stream, or not any more.
    ServerStream* find_stream(StreamId id);

    /// Takes note of bytes that wait for the login. False if they are too many.
    bool keep_early(std::size_t bytes, bool first_of_stream, std::size_t bytes_max);

    /// `Errc{}`, `already_joined` or `too_many_rooms`.
    Errc may_join(std::string_view room, std::size_t rooms_max) const;
};

}  // namespace quicchat

#ifndef QUICCHAT_COMPILED
#include "quicchat/server/io/impl/connection.ipp"
#endif

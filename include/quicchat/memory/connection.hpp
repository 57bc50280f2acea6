#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/memory/link.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::memory::detail {

enum class Role : std::uint8_t { client, server };

constexpr Role other(Role role) { return role == Role::client ? Role::server : Role::client; }
constexpr std::size_t index(Role role) { return static_cast<std::size_t>(role); }
inline constexpr Role both_roles[] = {Role::client, Role::server};

/// What happens at one end of one connection.
enum class Kind : std::uint8_t {
    // These cross the wire; a stalled connection holds them back.
    request,       ///< A client dials.
    accepted,      ///< The listener took the request.
    refused,       ///< Nobody did.
    established,   ///< The client is connected, and so is the server now.
    piece,         ///< The next piece of a stream.
    credit,        ///< `number` bytes of a stream were consumed.
    reset,         ///< A stream was abandoned, with code `number`.
    more_streams,  ///< One more stream may be opened.
    datagram,
    closed,  ///< The peer closed the connection.
    // These are local.
    turn,  ///< The turn of the driver: what was asked for goes on the wire.
    lost,  ///< The transport gives up.
    idle,  ///< The same, unless stall number `number` is over.
};

constexpr bool crosses_the_wire(Kind kind) { return kind < Kind::turn; }

struct Happening {
    Kind kind{};
    Role to{};
    Errc errc = Errc::closed;
    std::uint64_t connection = 0;
    StreamId stream{};
    std::uint64_t number = 0;
    Bytes bytes{};
};

/// One stream as one end sees it.
struct StreamEnd {
    bool known = false;          // opened by us or seen from the peer
    bool reset = false;          // by us or, as far as we know, by the peer
    bool end_read = false;       // the application polled the fin or the reset, or reset it itself
    bool queued = false;         // in ConnectionEnd::sendable
    bool backlogged = false;     // a Writable is owed
    std::size_t credit_due = 0;  // consumed, and the peer was not told yet
};

struct Stream {
    /// What either side takes beyond what it consumed.
    Stream(std::size_t server_window, std::size_t client_window)
        : links{Link{server_window}, Link{client_window}} {}

    Link& from(Role role) { return links[index(role)]; }
    StreamEnd& end(Role role) { return ends[index(role)]; }

    /// Nothing will happen at that end any more.
    bool finished(Role role);
    bool writable(Role role);

    std::array<Link, 2> links;  // by the role that writes
    std::array<StreamEnd, 2> ends{};
    bool retired = false;  // finished at both ends, so the client may open another one
};

struct ConnectionEnd {
    enum class State : std::uint8_t { dialling, open, closing, ended };

    State state = State::dialling;
    bool connected = false;  // ever
    std::uint32_t endpoint = 0;
    ConnectionId id{};
    std::size_t window = 0;          // what the peer takes beyond what it consumed
    std::size_t outstanding = 0;     // what was sent and is not known to be consumed
    std::size_t unacknowledged = 0;  // the same, and what was not sent yet
    TimePoint not_before{};          // nothing arrives here earlier
    bool turn_is_due = false;

    // For the next turn.
    std::deque<StreamId> sendable{};
    std::vector<StreamId> credits{};
    std::vector<std::pair<StreamId, std::uint64_t>> resets{};
    std::vector<Bytes> datagrams{};
    CloseReason close_reason{};
};

struct Connection {
    ConnectionEnd& end(Role role) { return ends[index(role)]; }
    Stream* find(StreamId stream);

    std::uint64_t number = 0;
    std::array<ConnectionEnd, 2> ends{};
    std::unordered_map<StreamId, Stream> streams{};  // never iterated: the order is the library's
    std::uint64_t streams_opened = 0;
    std::uint64_t streams_max = 0;  // cumulative, as in RFC 9000 §4.6
    bool severed = false;           // nothing crosses the wire any more
    bool stalled = false;
    std::uint64_t stalls = 0;
    std::vector<Happening> held{};  // what came due during a stall, in order
    std::optional<std::size_t> bytes_until_cut{};
    std::optional<PageSession> page{};  // if the client is one
};

}  // namespace quicchat::memory::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/memory/impl/connection.ipp"
#endif

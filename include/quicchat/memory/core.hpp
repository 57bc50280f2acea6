#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "quicchat/base/error.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/memory/config.hpp"
#include "quicchat/memory/connection.hpp"
#include "quicchat/memory/random.hpp"
#include "quicchat/memory/schedule.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat::memory::detail {

/// Streams of a connection beside those of its rooms: control, history, files.
inline constexpr std::size_t streams_beside_rooms_max = 8;

/// What waits in a datagram queue; more are dropped, as they may be.
inline constexpr std::size_t datagrams_waiting_max = 64;

/// How much one stream sends before it is the next one's turn.
inline constexpr std::size_t turn_bytes_max = 16 * 1024;

/// One transport: a listener or a client.
struct EndpointState {
    Role role{};
    bool alive = true;
    std::string address{};  ///< Where it listens, or what it dials.
    std::string from{};     ///< What a listener is told about a client.
    Limits limits{};
    std::uint64_t next_connection = 1;
    std::unordered_map<ConnectionId, Connection*> connections{};
    std::deque<TransportEvent> events{};
    std::size_t datagrams_waiting = 0;  // among events
    std::size_t unacknowledged = 0;     // of all connections
    bool has_news = false;              // events that its driver was not woken for
};

/// Everything that the transports of one network share. This class has what applications call;
/// delivery.hpp has what happens by itself.
class Core {
public:
    explicit Core(NetworkConfig settings);

    using Endpoint = std::uint32_t;

    Endpoint add_endpoint(EndpointState state);

    /// The endpoint is gone without a word: its peers notice when their idle timeout is over.
    void remove_endpoint(Endpoint endpoint);

    // What a Transport offers; `endpoint` is the caller.
    Result<ConnectionId> connect(Endpoint endpoint, TimePoint now);
    Result<StreamId> open_stream(Endpoint endpoint, ConnectionId id);
    Result<Backlog> write(Endpoint endpoint, ConnectionId id, StreamId stream, Bytes bytes,
                          bool fin);
    void reset_stream(Endpoint endpoint, ConnectionId id, StreamId stream, std::uint64_t code);
    Backlog backlog(Endpoint endpoint, ConnectionId id, StreamId stream) const;
    std::size_t unacknowledged(Endpoint endpoint, ConnectionId id) const;
    std::size_t unacknowledged(Endpoint endpoint) const;
    void consume(Endpoint endpoint, ConnectionId id, StreamId stream, std::size_t bytes);
    bool send_datagram(Endpoint endpoint, ConnectionId id, Bytes bytes);
    Result<ChannelBinding> channel_binding(Endpoint endpoint, ConnectionId id) const;
    void close(Endpoint endpoint, ConnectionId id, Errc why, std::string_view text);
    std::optional<TransportEvent> poll_event(Endpoint endpoint);
    std::optional<TimePoint> next_deadline(Endpoint endpoint) const;
    std::optional<std::uint64_t> number_of(Endpoint endpoint, ConnectionId id) const;

    // The virtual clock.
    TimePoint now() const { return now_; }
    std::optional<TimePoint> next_event() const;
    void advance_to(TimePoint now);
    void handle_timeout(Endpoint endpoint, TimePoint now);

    // Faults, by the number of the connection.
    void stall(std::uint64_t number);
    void resume(std::uint64_t number);
    void stall_stream(std::uint64_t number, StreamId stream, bool stalled);
    void cut(std::uint64_t number);
    void cut_after(std::uint64_t number, std::size_t bytes);
    std::uint64_t dialled() const { return dialled_; }

    std::uint64_t trace_hash() const { return trace_; }
    std::uint64_t happened() const { return happened_; }

    NetworkConfig config;

private:
    using State = ConnectionEnd::State;

    /// One connection as `role` sees it. Empty if there is none, or it is not in use.
    struct Place {
        Connection* connection = nullptr;
        Role role{};
        explicit operator bool() const { return connection != nullptr; }
        ConnectionEnd& end() const { return connection->end(role); }
    };

    Place find(Endpoint endpoint, ConnectionId id) const;
    Place find_open(Endpoint endpoint, ConnectionId id) const;
    Connection* find_number(std::uint64_t number) const;
    EndpointState& endpoint_of(Connection& connection, Role role);
    void report(Connection& connection, Role role, TransportEvent event);

    // Calls.
    std::optional<Endpoint> listener(std::string_view address) const;
    template <class Predicate>
    void forget_events(EndpointState& endpoint, Predicate predicate);
    void note_read(Endpoint endpoint, const TransportEvent& event);

    // Time and the wire.
    Duration draw_delay();
    void schedule_at(TimePoint at, Connection& connection, Happening happening);
    void send(Connection& connection, Happening happening);
    void need_turn(Connection& connection, Role role);
    void queue(Connection& connection, Role role, StreamId id, Stream& stream);
    void retire(Connection& connection, StreamId id, Stream& stream);
    void let_go(Connection& connection, Role role, std::size_t bytes);

    // Happenings.
    void happen(Happening& happening);
    void dispatch(Connection& connection, Happening& happening);
    void note(const Connection& connection, const Happening& happening);
    void mix(std::uint64_t value);
    void mix(BytesView bytes);
    void take_request(Connection& connection);
    void take_accepted(Connection& connection);
    void take_established(Connection& connection);
    void take_piece(Connection& connection, Happening& happening);
    void take_credit(Connection& connection, const Happening& happening);
    void take_reset(Connection& connection, const Happening& happening);
    void take_datagram(Connection& connection, Happening& happening);
    void take_turn(Connection& connection, Role role);
    void take_idle(Connection& connection, const Happening& happening);
    void send_small_things(Connection& connection, Role role);
    void send_streams(Connection& connection, Role role);
    bool send_stream(Connection& connection, Role role, StreamId id, Stream& stream);
    void lose(Connection& connection);
    void end(Connection& connection, Role role, CloseReason reason);

    Random random_;
    TimePoint now_;
    Schedule<Happening> schedule_{};
    std::vector<std::unique_ptr<EndpointState>> endpoints_{};
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_{};
    std::uint64_t dialled_ = 0;
    std::uint64_t happened_ = 0;
    std::uint64_t trace_ = 0;
};

}  // namespace quicchat::memory::detail

#ifndef QUICCHAT_COMPILED
#include "quicchat/memory/impl/core.ipp"
#endif

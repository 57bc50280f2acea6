#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/shards/link.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat::shards {

/// A server's transport whose connections are carried by shards, each in a thread of its own: the
/// thread of the chat decides, and packets are made, sealed and sent by all cores. It stands at the
/// chat's end of the links; see Carrier for the other.
///
/// What a call causes leaves with `flush`, once a turn. What is held for peers is known late: it is
/// counted by what was written, and set right when a shard has measured. So backlogs may count too
/// much for a moment, and never too little.
class Transport {
public:
    /// One link for each shard, in their order. `limits` as of the transports at the shards.
    Transport(std::vector<std::shared_ptr<Link>> links, const Limits& limits);

    // --- Requests; see transport/concept.hpp for their promises.

    /// PROTOCOL.md §2.1: a client opens its streams itself. `unsupported`.
    Result<StreamId> open_stream(ConnectionId id);
    /// As the concept Transport has it.
    /// @{
    Result<Backlog> write(ConnectionId id, StreamId stream, Bytes bytes, bool fin);
    void reset_stream(ConnectionId id, StreamId stream, std::uint64_t code);
    Backlog backlog(ConnectionId id, StreamId stream) const;
    std::size_t unacknowledged(ConnectionId id) const;
    std::size_t unacknowledged() const;
    void consume(ConnectionId id, StreamId stream, std::size_t bytes);
    /// @}

    /// False if the connection takes none, as far as is known here.
    bool send_datagram(ConnectionId id, Bytes bytes);
    /// As the concept Transport has it.
    /// @{
    Result<ChannelBinding> channel_binding(ConnectionId id) const;
    void close(ConnectionId id, Errc why, std::string_view text);
    /// @}

    // --- Inputs and outputs.

    /// The oldest one; nothing: there is none.
    std::optional<TransportEvent> poll_event();
    /// Takes in what the shards have told.
    void handle_timeout(TimePoint now);
    /// Only when something waits for `flush`: what shards do wakes the thread.
    std::optional<TimePoint> next_deadline() const;
    /// Hands over what the calls since the last time have asked for.
    void flush();

    // --- What the transports at the shards may do beyond the concept.

    /// See `quic::Endpoint::note_login`.
    void note_login(ConnectionId id);
    /// Of all shards together. Waits for each of them, as `path_stats` does once a turn.
    TransportStats stats() const;
    /// Nothing if the connection has ended, or is not measured.
    std::optional<PathStats> path_stats(ConnectionId id) const;
    /// Asks all pages to end soon.
    void drain();
    /// True while there is something that somebody should have been told and was not, as far as is
    /// known here.
    bool says_farewell() const;
    /// From now on.
    void set_limits(const Limits& limits);

    /// How many there are.
    std::size_t shards() const;
    /// Streams of one connection that are not forgotten yet.
    std::size_t streams(ConnectionId id) const;

private:
    struct Stream {
        StreamId id{};
        std::uint64_t written = 0;
        std::uint64_t measured_at = 0;  ///< `written` when that was measured:
        std::size_t measured = 0;       ///< its backlog.
        std::uint64_t asked_at = 0;     ///< `written` when it was asked for.
        bool full = false;              ///< Writable is to come.
        bool finished = false;          ///< By us.
        bool peer_finished = false;
        bool was_reset = false;  ///< By us; what the shard sent before it knew is dropped.
        bool asked = false;      ///< `measure` is under way.

        std::size_t backlog() const {
            return measured + static_cast<std::size_t>(written - measured_at);
        }
    };
    struct Connection {
        Result<ChannelBinding> binding;
        std::size_t shard = 0;
        std::uint64_t written = 0;
        std::uint64_t measured_at = 0;
        std::size_t measured = 0;
        bool closed = false;            ///< By us.
        bool asked = false;             ///< `measure` is under way.
        std::vector<Stream> streams{};  ///< By id.

        Stream* find(StreamId id);
        std::size_t unacknowledged() const {
            return measured + static_cast<std::size_t>(written - measured_at);
        }
    };
    /// What goes to one shard.
    struct Lane {
        std::shared_ptr<Link> link;
        std::vector<Command> commands{};
        BytesView newest{};  ///< Of the newest command, if it is a write.
        bool due = false;    ///< There are others than questions, which can wait.
        std::uint64_t written = 0;
    };
    struct State {
        std::vector<Lane> lanes;
        std::unordered_map<ConnectionId, Connection> connections{};
        std::size_t connections_max = 0;
        std::size_t backlog_max = 0;
        std::vector<News> news{};
        Queue<TransportEvent> events{};
        std::size_t datagrams = 0;  ///< Among them.
        TimePoint now{};
        /// Of the turn, once they were asked for.
        std::optional<std::unordered_map<ConnectionId, PathStats>> paths{};
    };

    /// One that we have not closed.
    Connection* find_open(ConnectionId id) const;
    Command& command(Command::Kind kind, ConnectionId id, const Connection& connection) const;
    void measure(ConnectionId id, Connection& connection, Stream* stream) const;
    static void forget(Connection& connection, const Stream& stream);

    void take(News news);
    void open(Opened opened);
    void take_data(StreamData data);
    void take_measured(const Measured& measured);
    void push(TransportEvent event) { state_->events.push_back(std::move(event)); }

    std::unique_ptr<State> state_;
};

static_assert(quicchat::Transport<Transport> && MeasuresItself<Transport>);

}  // namespace quicchat::shards

#ifndef QUICCHAT_COMPILED
#include "quicchat/shards/impl/transport.ipp"
#endif

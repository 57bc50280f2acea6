#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quicchat/base/network.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/quic/afterlife.hpp"
#include "quicchat/quic/config.hpp"
#include "quicchat/quic/connection.hpp"
#include "quicchat/quic/connection_id.hpp"
#include "quicchat/quic/doorman.hpp"
#include "quicchat/quic/route.hpp"
#include "quicchat/quic/timer_heap.hpp"
#include "quicchat/quic/token.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat::quic {

/// All QUIC connections of one UDP socket, as a value that can be stepped: datagrams and the time
/// go in by `handle_*`, datagrams and events come out by `poll_*`. It has no socket, clock or
/// thread, so it runs on a real socket (run.hpp) as well as in a simulation. Single-threaded.
///
/// One turn: `handle_datagram` for everything that arrived, `handle_timeout`, the application's
/// part (`poll_event` and requests), then `poll_transmit` until it returns nothing.
class Endpoint {
public:
    /// A server. Fails with an error of `certificate_category` if the pair is of no use.
    static Result<Endpoint> server(ServerConfig server, Config config = {});

    /// A client that dials one server. Fails with an error of `certificate_category` if the trust
    /// that is asked for has no authorities.
    static Result<Endpoint> client(ClientConfig client, Config config = {});

    // --- Inputs.

    /// Takes one datagram, from anybody and with anything in it.
    void handle_datagram(const Datagram& datagram, TimePoint now);

    /// Does what is due. Call it when `next_deadline` has passed, and once per turn.
    void handle_timeout(TimePoint now);

    /// The socket reported that nothing listens at the server's address: the one that is bound to
    /// `local`, or the only one.
    void handle_unreachable(TimePoint now, const SocketAddress& local = {});

    // --- A client's ways to its server, of an endpoint with `ClientConfig::routes_later`.

    /// True while a dial waits for `offer_routes`.
    bool wants_routes() const { return state_->race && state_->race->waits(); }
    /// True while a dial is under way.
    bool is_dialling() const { return state_->race.has_value(); }

    /// Dials by these, each a quarter of a second after the one before or as soon as that has
    /// failed. The first that comes through is the connection (RFC 8305). None: `text` says why.
    void offer_routes(std::vector<Route> routes, TimePoint now, std::string text = {});

    /// The connection at the address `from` goes on from another one, `to`: the socket is another
    /// (RFC 9000 §9). An attempt to connect ends: nobody can go on with that.
    void migrate(const SocketAddress& from, const SocketAddress& to, TimePoint now);

    /// Ends the connections at this address of ours without a word: they lead nowhere.
    void abandon(const SocketAddress& local, std::string_view text);

    /// True if a connection speaks from this address.
    bool speaks_from(const SocketAddress& local) const;

    /// The newest token of the server for this client's address (RFC 9000 §8.1.3), which the next
    /// dial shows; empty if there is none. One from an earlier run may be given back. A Dialler
    /// does both where it has `Destination::tokens`.
    const std::vector<std::uint8_t>& address_token() const { return state_->token; }
    /// Shown by the next dial. One that is empty, or longer than `address_token_bytes_max`: none
    /// is.
    void set_address_token(std::vector<std::uint8_t> token) {
        if (token.size() > address_token_bytes_max) token.clear();
        state_->token = std::move(token);
    }

    // --- Requests; see transport/concept.hpp for their promises.

    /// Dials the server. A server's endpoint cannot.
    Result<ConnectionId> connect(TimePoint now);

    /// `too_many_streams` if the peer permits no more at the moment.
    Result<StreamId> open_stream(ConnectionId id);

    /// A stream that only we write to. Only a peer with HTTP/3 takes any; `too_many_streams`
    /// otherwise.
    Result<StreamId> open_uni_stream(ConnectionId id);

    /// As the concept Transport has it.
    /// @{
    Result<Backlog> write(ConnectionId id, StreamId stream, Bytes bytes, bool fin);

    void reset_stream(ConnectionId id, StreamId stream, std::uint64_t code);

    Backlog backlog(ConnectionId id, StreamId stream) const;

    std::size_t unacknowledged(ConnectionId id) const;

    std::size_t unacknowledged() const { return state_->shared.unacknowledged; }

    void consume(ConnectionId id, StreamId stream, std::size_t bytes);

    bool send_datagram(ConnectionId id, Bytes bytes);

    Result<ChannelBinding> channel_binding(ConnectionId id) const;
    /// @}

    /// What the server showed, in DER, at a client's endpoint; empty if there is none.
    std::vector<std::uint8_t> peer_certificate(ConnectionId id) const;

    /// Streams are cut, and what was not polled is forgotten. `text` is cut to what a packet holds.
    void close(ConnectionId id, Errc why, std::string_view text);

    /// Changes the keys of a connection (RFC 9001 §6). ngtcp2 does so by itself in time; this is
    /// for tests and for the careful.
    bool update_keys(ConnectionId id, TimePoint now);

    // --- A server's settings, while it runs.

    /// Shows another certificate, of this key, to those who connect from now on. Connections keep
    /// theirs, also while their handshake is under way; so does the endpoint the secrets behind its
    /// tokens and stateless resets. An error of `certificate_category`, and no change, if the pair
    /// is of no use. `not_ready` at a client's endpoint.
    std::error_code set_certificate(const std::string& certificate_pem, const std::string& key_pem);
    /// The same for those who ask for HTTP/3; with empty texts they are shown what all others are.
    std::error_code set_http3_certificate(const std::string& certificate_pem,
                                          const std::string& key_pem);

    /// The application knows whose connection this is, and the peer gets a token that says so. With
    /// it, it is not one of the strangers when it comes again.
    void note_login(ConnectionId id);

    /// Something will be written to that stream soon: its memory is fetched meanwhile.
    void look_ahead(ConnectionId id, StreamId stream) const;

    /// Gives those who connect from now on other limits: timeouts, windows, the number of streams
    /// and of connections. `stream_backlog_bytes_max` stays, since the application relies on it.
    void set_limits(const Limits& limits);

    // --- Outputs.

    /// The oldest first; nothing if all was fetched.
    std::optional<TransportEvent> poll_event();

    /// The next datagrams to send, or nothing. Call it until it returns nothing, with one and the
    /// same time.
    std::optional<Transmit> poll_transmit(TimePoint now);

    /// With `Config::shards`: a datagram of a connection of another one, to be handed to it.
    std::optional<Stray> poll_stray();

    /// When the next turn is due, whatever else happens: in the past if something waits to be sent.
    /// May be a little early.
    std::optional<TimePoint> next_deadline() const;

    // --- Getters.

    /// True if requests since the last turn wait to be sent.
    bool wants_transmit() const { return !state_->dirty.empty() || !state_->replies.empty(); }
    /// What it has done since its start.
    TransportStats stats() const;
    /// How the way of a connection is; nothing if it has ended.
    std::optional<PathStats> path_stats(ConnectionId id) const;
    /// Connections, those included whose end was not fetched yet.
    std::size_t connections() const { return state_->entries.size(); }
    /// Handshakes that are not finished.
    std::size_t half_open() const { return state_->half_open; }
    /// Connection ids that packets are recognised by.
    std::size_t connection_ids() const { return state_->ids.size(); }
    /// Streams of one connection that are not forgotten yet.
    std::size_t streams(ConnectionId id) const;

private:
    struct Entry {
        std::unique_ptr<Connection> connection;
        std::vector<ngtcp2_cid> cids{};
        std::optional<TimePoint> armed{};  ///< Its earliest entry in the timer heap.
        bool dirty = false;                ///< It is in the queue of those to write for.
        bool has_news = false;             ///< It is in the queue of those with events.
        bool counted_half_open = true;
        bool known = false;   ///< Of a server: a stranger he is not.
        bool racing = false;  ///< An attempt of the race; the application does not know its id.
    };

    struct State {
        State(Config config, TlsContext tls, const TokenSecrets& secrets);

        Shared shared;
        std::optional<Doorman> doorman;  ///< Of a server.
        SocketAddress remote;            ///< Of a client's server.
        SocketAddress local;
        std::vector<std::uint8_t> token;  ///< From the server, for the next time.
        bool routes_later = false;
        std::optional<Race> race;        ///< A dial that is not connected yet.
        std::deque<Disconnected> ended;  ///< Dials of which there is no connection.
        ConnectionIdTable ids;
        std::unordered_map<ConnectionId, Entry> entries;
        Afterlife afterlife;
        Replies replies;
        Queue<Stray> strays;
        TimerHeap timers;
        std::deque<ConnectionId> dirty;
        std::deque<ConnectionId> news;
        std::vector<std::uint8_t> buffer;
        TimePoint now{};
        std::uint64_t next_id = 1;
        std::size_t half_open = 0;
        TransportStats counts;
        Newcomers newcomers;        ///< Of a server: those half open.
        Newcomers known_newcomers;  ///< Those who were logged in before have room of their own.
        std::size_t newcomers_per_prefix_max = 0;
    };

    explicit Endpoint(std::unique_ptr<State> state);

    static StreamNumber number_of(StreamId stream) { return static_cast<StreamNumber>(stream); }

    Entry* find(ConnectionId id);
    const Entry* find(ConnectionId id) const;

    /// The one place where time comes in. ngtcp2 aborts the process if it ever goes back.
    void advance(TimePoint now) { state_->now = std::max(state_->now, now); }

    Entry* add(const Opening& opening, ConnectionId& id);
    Entry* attempt(const Route& route, ConnectionId& id);
    void handle_stranger(const Datagram& datagram, const ngtcp2_version_cid& head);
    bool is_stray(const ngtcp2_version_cid& head) const;
    bool make_room_for(ConnectionId id, const SocketAddress& remote, bool known);
    void deliver(ConnectionId id, const Datagram& datagram);
    bool settle(ConnectionId id, Entry& entry);
    void write_or_arm(ConnectionId id, Entry& entry);
    void settle_and_write(ConnectionId id, Entry& entry);
    void bury(ConnectionId id, Entry& entry);
    void run_race();
    void end_race(CloseReason reason);
    ConnectionId win_race(ConnectionId attempt);
    Transmit counted(const Transmit& transmit);
    void arm(ConnectionId id, Entry& entry);
    void mark_dirty(ConnectionId id, Entry& entry);
    template <class Action>
    void for_each(Action action);

    std::unique_ptr<State> state_;
};

static_assert(DialingTransport<Endpoint> && MeasuresItself<Endpoint>);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/endpoint.ipp"
#include "quicchat/quic/impl/endpoint_routes.ipp"
#include "quicchat/quic/impl/endpoint_turn.ipp"
#endif

#pragma once

#include <ngtcp2/ngtcp2.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/quic/acknowledgement_hold.hpp"
#include "quicchat/quic/callbacks.hpp"
#include "quicchat/quic/config.hpp"
#include "quicchat/quic/connection_memory.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/quic/interface_payloads.hpp"
#include "quicchat/quic/tls.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/transport/stats.hpp"

namespace quicchat::quic {

/// Datagrams that we send and accept fit into the smallest packet that QUIC allows.
inline constexpr std::size_t datagram_bytes_max = 1100;

/// What all connections of one endpoint share. Does not move.
struct Shared {
    /// `context` is for new connections, of HTTP/3 too until `use_for_http3`.
    Shared(Config configuration, TlsContext context, const TokenSecrets& secrets);

    /// Gives new connections this context, or those of HTTP/3.
    void use(TlsContext context) { tls = prepared(std::move(context)); }
    /// Only of a server. `http3_tls` set to null undoes it.
    void use_for_http3(TlsContext context) { http3_tls = prepared(std::move(context)); }
    /// Makes it shared, and writes its keys to a file where this was built and configured for that.
    std::shared_ptr<const TlsContext> prepared(TlsContext context) const;

    Config config;  ///< As the endpoint was made with it, but for limits that are changed.
    std::shared_ptr<const TlsContext> tls;        ///< For new connections.
    std::shared_ptr<const TlsContext> http3_tls;  ///< For those of HTTP/3; null: as the others.
    Random random;                 ///< Drawn from `config.seed`: the same seed gives the same run.
    Tokens tokens;                 ///< Makes and checks those of addresses and of stateless resets.
    ConnectionMemory memory;       ///< Where ngtcp2 takes memory for each connection from.
    InterfacePayloads interfaces;  ///< How long the packets of a new connection may be.
    std::size_t unacknowledged = 0;  ///< Bytes that all connections keep.
};

/// What a new connection needs to know about the packets that led to it.
struct Opening {
    /// Our address, where the packet came in or where the first one goes out.
    SocketAddress local;
    SocketAddress remote;  ///< The peer's address, which may not be proven yet.
    /// The version of QUIC that the first packet has: 1 (RFC 9000) or 2 (RFC 9369).
    std::uint32_t version = NGTCP2_PROTO_VER_V1;
    ngtcp2_cid peer_id{};                   ///< Where our packets go.
    ngtcp2_cid initial_id{};                ///< Where the client's first packet went.
    std::optional<ngtcp2_cid> retry_of{};   ///< The same before our Retry, if there was one.
    std::span<const std::uint8_t> token{};  ///< That proves, or may prove, the client's address.
};

/// How a connection ended, and what the peer is told about it.
struct Ending {
    /// What is done about a connection once it has ended.
    enum class Farewell : std::uint8_t {
        close,   ///< Send CONNECTION_CLOSE and answer stragglers with it.
        drain,   ///< The peer closed: say nothing, but recognise stragglers.
        silent,  ///< Say nothing and forget everything.
        retry,   ///< Forget everything and ask the client to begin again with a Retry.
    };
    CloseReason reason;                   ///< What the application is told.
    Farewell farewell = Farewell::close;  ///< What the peer is told.
    ngtcp2_ccerr error{};                 ///< Without its reason, which points elsewhere.
    std::string text{};                   ///< The reason for the peer.
};

/// One QUIC connection: an ngtcp2_conn with its TLS and streams. Knows nothing of other connections
/// and of sockets. Once `ending()` has a value the connection is dead, and only what it received
/// before may still be fetched.
class Connection {
public:
    /// A server's or a client's, as `shared.tls` is. nullptr if TLS or ngtcp2 refuses it.
    static std::unique_ptr<Connection> create(Shared& shared, const Opening& opening,
                                              TimePoint now);

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // --- Inputs.

    /// A packet that has one of its connection ids, or pretends to. An ended connection only counts
    /// it.
    void handle_datagram(const Datagram& datagram, TimePoint now);

    /// Does what ngtcp2's timers want; see `next_deadline`.
    void handle_timeout(TimePoint now);

    // --- Requests. All of them do nothing on a connection that is not established.

    /// `too_many_streams` if the peer permits no more at the moment.
    /// @{
    Result<StreamNumber> open_stream();
    Result<StreamNumber> open_uni_stream();
    /// @}

    /// See the concept Transport. `fin`: nothing is written to that stream after these bytes.
    Result<Backlog> write(StreamNumber number, Bytes bytes, bool fin);

    /// Gives up both directions (RFC 9000 §3.1, §3.2). What was not fetched yet is dropped.
    void reset_stream(StreamNumber number, std::uint64_t code);

    /// Something will be written to that stream soon: fetches it from far memory.
    void look_ahead(StreamNumber number) const;
    /// 0 for a stream that is not known, or not any more.
    Backlog backlog(StreamNumber number) const;

    /// The application is done with bytes that it fetched. Never gives back more than it has.
    void consume(StreamNumber number, std::size_t bytes);

    /// False if it is empty, too long, or the peer takes none (RFC 9221 §3). The oldest that waits
    /// goes if there are `datagrams_max`.
    bool send_datagram(Bytes bytes);

    /// False if the last change is not confirmed yet (RFC 9001 §6.1).
    bool update_keys(TimePoint now);

    /// Of a server: the peer is logged in, and shall have a token that says so.
    void give_token();

    /// Ends the connection from our side.
    void close(Errc errc, std::string_view text);

    /// Goes on from another address of ours.
    void migrate(const SocketAddress& local, TimePoint now);

    /// Ends the connection without a word to the peer, whom it would not reach.
    void abandon(std::string_view text);

    /// Ends a handshake that we have no room for.
    void refuse();

    /// The system says that nothing listens there (ICMP). Anybody could claim that, so it is
    /// believed only of a server that never answered.
    void handle_unreachable();

    // --- Outputs.

    /// Writes the next packets, all for one path. Nothing is written when there is nothing to say,
    /// or not now.
    Transmit poll_transmit(std::span<std::uint8_t> buffer, TimePoint now);

    /// True if the last `poll_transmit` may have left something behind.
    bool more_to_send() const { return more_to_send_; }

    /// The CONNECTION_CLOSE packet of an ended connection.
    Transmit poll_close(std::span<std::uint8_t> buffer, TimePoint now);

    /// The next news for the application, or nothing. Disconnected is the endpoint's to report.
    std::optional<TransportEvent> poll_event(ConnectionId id);

    /// When to call `handle_timeout`; nothing once it has ended.
    std::optional<TimePoint> next_deadline() const;

    /// True if it is time to call `poll_transmit`: there is something to send, or a deadline has
    /// come. An acknowledgement alone has time.
    bool wants_transmit(TimePoint now) const;

    // --- Getters.

    /// The handshake is done. Stays true when the connection ends.
    bool is_established() const { return established_; }
    /// Whether `poll_event` may have something.
    bool has_news() const { return !record_.streams.notices().empty(); }
    /// Nothing while it lives.
    const std::optional<Ending>& ending() const { return ending_; }
    /// The peer's address as it was when the connection began.
    const SocketAddress& remote() const { return remote_; }
    /// Our address on the path in use; empty when the connection is over.
    SocketAddress local() const;
    /// Datagrams that were given to this, good ones or not.
    std::uint64_t datagrams_received() const { return datagrams_received_; }
    /// Streams that are not forgotten yet.
    std::size_t streams() const { return record_.streams.size(); }
    /// Bytes that are kept until the peer acknowledges them; 0 once it has ended.
    std::size_t unacknowledged() const { return ending_ ? 0 : record_.streams.held(); }
    /// All zeros once it has ended.
    PathStats stats() const;
    /// What the callbacks have noted: the endpoint takes the new ids from it.
    Record& record() { return record_; }
    /// The first connection id that we chose.
    const ngtcp2_cid& own_id() const { return own_id_; }
    /// The TLS exporter (RFC 9266). `not_ready` before the handshake is done and after the end.
    Result<ChannelBinding> channel_binding() const;
    /// Of a client: the server's, in DER.
    const std::vector<std::uint8_t>& peer_certificate() const { return facts_.peer_certificate; }

    /// RFC 9000 §10.2: "The closing and draining connection states SHOULD persist for at least
    /// three times the current PTO interval".
    Duration linger() const;

    /// Gives ngtcp2's and TLS's memory back. Only news can be fetched after that.
    void release();

    /// Throws away what the application has not fetched.
    void discard_news();

private:
    static constexpr std::size_t packets_per_train_max = 40;  // the kernel's GSO takes 64
    static constexpr std::uint64_t code_max = (std::uint64_t{1} << 62) - 1;  // RFC 9000 §16
    static constexpr ngtcp2_tstamp expiry_max = std::uint64_t{INT64_MAX} / 2;
    /// Timers join, so that one turn serves many connections. RFC 9002 §6.1.2: "The RECOMMENDED
    /// value of the timer granularity is 1 millisecond".
    static constexpr Duration timer_granularity = std::chrono::milliseconds{1};
    /// How long nothing may be acknowledged, the last part of it while the peer is heard; and what
    /// pause between its packets counts as silence.
    static constexpr Duration progress_patience = std::chrono::seconds{15};
    static constexpr Duration heard_for_min = std::chrono::seconds{3};
    static constexpr Duration silence_min = std::chrono::seconds{5};

    Connection(Shared& shared, const SocketAddress& remote);

    bool is_alive() const { return conn_ != nullptr && !ending_; }
    bool is_ready() const { return is_alive() && established_; }
    bool wants_to_send() const;
    /// A stream that ngtcp2 has not closed. It must look for it in any case when it writes.
    Stream* find_open(StreamNumber number) const;
    bool can_write(StreamNumber number) const;
    /// HTTP/3 has codes of its own, also for connections.
    bool has_http3() const { return facts_.alpn == http3_alpn; }
    Result<StreamNumber> open_by(decltype(ngtcp2_conn_open_bidi_stream)* make);

    /// While nothing of ours is in flight, the only timers that can be due are those of
    /// acknowledgements and of idleness, and neither minds 20 ms.
    bool may_hold() const;

    static TimePoint rounded_up(TimePoint deadline);

    // The addresses are only read, and only during the call that the path is given to.
    static ngtcp2_path make_path(const SocketAddress& local, const SocketAddress& remote);

    bool open(const Opening& opening, TimePoint now);
    void begin_qlog(const Opening& opening);
    ngtcp2_settings make_settings(const Opening& opening);
    /// Bytes of a UDP payload each, in the order in which they are tried.
    using Probes = std::array<std::uint16_t, 6>;
    void set_packet_sizes(const Opening& opening, Probes& probes, ngtcp2_settings& settings,
                          ngtcp2_transport_params& params);
    ngtcp2_transport_params make_params(const Opening& opening) const;
    /// Of the streams that an acknowledgement would be about.
    void look_ahead() const;
    void settle(int error);
    void finish_handshake();
    void keep_alive();
    void set_time(TimePoint now) { record_.now = now; }
    /// Bytes that may go out at once.
    std::size_t burst_max() const;
    /// More would hardly have fit into it.
    bool is_full(std::size_t packet_bytes) const;
    void check_progress(TimePoint now);
    bool is_stuck(std::optional<TimePoint> waits_since, std::uint64_t packets_received,
                  TimePoint now);
    void fail(int error);
    void end(Ending ending);
    void forget_if_spent(StreamNumber number);
    std::optional<TransportEvent> make_event(ConnectionId id, const Notice& notice);
    std::optional<TransportEvent> make_data(ConnectionId id, StreamNumber number, Stream& stream);

    Shared& shared_;
    SocketAddress remote_;
    AcknowledgementHold hold_;
    std::size_t window_;             ///< The smaller one, as it was when the connection began.
    std::size_t unsent_credit_ = 0;  ///< Given by `consume` since the last packet.
    Record record_;                  // before conn_, which writes to it until it is gone
    std::unique_ptr<TlsSession> tls_;
    Handle<ngtcp2_conn, ngtcp2_conn_del> conn_;
    ngtcp2_cid own_id_{};
    TlsFacts facts_;
    std::optional<Ending> ending_;
    /// ngtcp2's deadline without the pacing timer that follows each packet: only who has more to
    /// send waits for that. Until something else happens.
    std::optional<ngtcp2_tstamp> unpaced_expiry_{};
    bool is_timeout_ = false;              ///< Since then not everything has been said.
    std::optional<TimePoint> check_at_{};  ///< Whether what was sent is acknowledged in time.
    std::uint64_t packets_heard_ = 0;      ///< At the last check that found more than before.
    TimePoint heard_at_{};                 ///< Its time.
    TimePoint hears_since_{};              ///< Without a silence from then to `heard_at_`.
    std::uint64_t datagrams_received_ = 0;
    bool established_ = false;
    bool more_to_send_ = false;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/connection.ipp"
#include "quicchat/quic/impl/connection_life.ipp"
#endif

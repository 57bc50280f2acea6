#pragma once

#include <ngtcp2/ngtcp2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/quic/acknowledgement_hold.hpp"
#include "quicchat/quic/callbacks.hpp"
#include "quicchat/quic/config.hpp"
#include "quicchat/quic/error.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/quic/packet_writer.hpp"
#include "quicchat/quic/tls.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::quic {

/// Datagrams that we send and accept fit into the smallest packet that QUIC allows.
inline constexpr std::size_t datagram_bytes_max = 1100;

/// UDP payload that we try to reach: an Ethernet frame without the IPv6 and UDP heads.
inline constexpr std::size_t udp_payload_bytes_max = 1452;

/// What all connections of one endpoint share. Does not move.
struct Shared {
    Shared(Config configuration, TlsContext context, const std::optional<Seed>& reset_secret)
        : config(std::move(configuration)),
          tls(std::make_shared<const TlsContext>(std::move(context))),
          random(config.seed),
          tokens(random, reset_secret) {}

    Config config;
    std::shared_ptr<const TlsContext> tls;  ///< For new connections.
    Random random;
    Tokens tokens;
};

/// What a new connection needs to know about the packets that led to it.
struct Opening {
    SocketAddress local;
    SocketAddress remote;
    std::uint32_t version = NGTCP2_PROTO_VER_V1;
    ngtcp2_cid peer_id{};                   ///< Where our packets go.
    ngtcp2_cid initial_id{};                ///< Where the client's first packet went.
    std::optional<ngtcp2_cid> retry_of{};   ///< The same before our Retry, if there was one.
    std::span<const std::uint8_t> token{};  ///< That proves, or may prove, the client's address.
};

/// How a connection ended, and what the peer is told about it.
struct Ending {
    enum class Farewell : std::uint8_t {
        close,   ///< Send CONNECTION_CLOSE and answer stragglers with it.
        drain,   ///< The peer closed: say nothing, but recognise stragglers.
        silent,  ///< Say nothing and forget everything.
        retry,   ///< Forget everything and ask the client to begin again with a Retry.
    };
    CloseReason reason;
    Farewell farewell = Farewell::close;
    ngtcp2_ccerr error{};  ///< Without its reason, which points elsewhere.
    std::string text{};    ///< The reason for the peer.
};

/// One QUIC connection: an ngtcp2_conn with its TLS and streams. Knows nothing of other connections
/// and of sockets. Once `ending()` has a value the connection is dead, and only what it received
/// before may still be fetched.
class Connection {
public:
    static std::unique_ptr<Connection> create(Shared& shared, const Opening& opening,
                                              TimePoint now) {
        std::unique_ptr<Connection> connection{new Connection{shared, opening.remote}};
        return connection->open(opening, now) ? std::move(connection) : nullptr;
    }

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // --- Inputs.

    void handle_datagram(const Datagram& datagram, TimePoint now) {
        ++datagrams_received_;
        if (!is_alive()) return;
        now_ = now;
        const ngtcp2_path path = make_path(datagram.local, datagram.remote);
        const ngtcp2_pkt_info info{.ecn = datagram.ecn};
        settle(ngtcp2_conn_read_pkt(conn_.get(), &path, &info,
                                    reinterpret_cast<const std::uint8_t*>(datagram.bytes.data()),
                                    datagram.bytes.size(), to_tstamp(now)));
        if (is_ready()) hold_.handle_received(datagram.bytes.size(), now);
    }

    void handle_timeout(TimePoint now) {
        if (!is_alive()) return;
        now_ = now;
        settle(ngtcp2_conn_handle_expiry(conn_.get(), to_tstamp(now)));
    }

    // --- Requests. All of them do nothing on a connection that is not established.

    Result<StreamNumber> open_stream() {
        if (!is_ready()) return Errc::not_ready;
        StreamNumber number = -1;
        const int error = ngtcp2_conn_open_bidi_stream(conn_.get(), &number, nullptr);
        if (error == NGTCP2_ERR_STREAM_ID_BLOCKED) return Errc::too_many_streams;
        if (error != 0) return Errc::internal_error;
        record_.streams.handle_open(number);
        return number;
    }

    Result<Backlog> write(StreamNumber number, Bytes bytes, bool fin) {
        Stream* stream = is_ready() ? record_.streams.find(number) : nullptr;
        if (stream == nullptr || stream->cut || stream->closed || stream->fin_queued) {
            return Errc::not_ready;
        }
        stream->send.append(std::move(bytes));
        stream->fin_queued = fin;
        if (stream->send.unsent() >= record_.backlog_max) stream->throttled = true;
        record_.streams.schedule(number, *stream);
        return Backlog{stream->send.unsent()};
    }

    void reset_stream(StreamNumber number, std::uint64_t code) {
        Stream* stream = is_ready() ? record_.streams.find(number) : nullptr;
        if (stream == nullptr || stream->cut) return;
        const std::size_t credit = record_.streams.cut(*stream);
        ngtcp2_conn_shutdown_stream(conn_.get(), 0, number, std::min(code, code_max));
        ngtcp2_conn_extend_max_offset(conn_.get(), credit);
        hold_.end();
        forget_if_spent(number);
    }

    Backlog backlog(StreamNumber number) const {
        const Stream* stream = is_ready() ? record_.streams.find(number) : nullptr;
        return {stream != nullptr && !stream->cut ? stream->send.unsent() : 0};
    }

    /// The application is done with bytes that it fetched. Never gives back more than it has.
    void consume(StreamNumber number, std::size_t bytes) {
        Stream* stream = is_ready() ? record_.streams.find(number) : nullptr;
        if (stream == nullptr) return;
        bytes = std::min(bytes, stream->unconsumed - stream->received.size());
        stream->unconsumed -= bytes;
        ngtcp2_conn_extend_max_stream_offset(conn_.get(), number, bytes);
        ngtcp2_conn_extend_max_offset(conn_.get(), bytes);
        // ngtcp2 tells the peer about a quarter of a window, and only when it writes.
        unsent_credit_ += bytes;
        if (unsent_credit_ > window_ / 8) hold_.end();
        forget_if_spent(number);
    }

    bool send_datagram(Bytes bytes) {
        if (!is_ready() || bytes.empty() || bytes.size() > datagram_bytes_max) return false;
        const auto* peer = ngtcp2_conn_get_remote_transport_params2(conn_.get());
        // RFC 9221 §3: the limit counts the whole frame.
        constexpr std::size_t frame_head = 3;
        if (peer == nullptr || peer->max_datagram_frame_size < bytes.size() + frame_head) {
            return false;
        }
        if (record_.datagrams_to_send.size() == datagrams_max) {
            record_.datagrams_to_send.pop_front();
        }
        record_.datagrams_to_send.push_back(std::move(bytes));
        return true;
    }

    bool update_keys(TimePoint now) {
        hold_.end();
        return is_ready() && ngtcp2_conn_initiate_key_update(conn_.get(), to_tstamp(now)) == 0;
    }

    /// Ends the connection from our side.
    void close(Errc errc, std::string_view text) {
        if (!is_alive()) return;
        // Not in one expression: GCC 12 at -O3 believes that strings could be destroyed unmade.
        Ending ending;
        ending.reason.errc = errc;
        ending.reason.text = text;
        ending.text = bounded_reason(text);
        ngtcp2_ccerr_set_application_error(&ending.error, wire_code(errc), nullptr, 0);
        end(std::move(ending));
    }

    /// The system says that nothing listens there (ICMP). Anybody could claim that, so it is
    /// believed only of a server that never answered.
    void handle_unreachable() {
        if (is_alive() && !established_ && datagrams_received_ == 0) {
            end({.reason = {.errc = Errc::unreachable}, .farewell = Ending::Farewell::silent});
        }
    }

    // --- Outputs.

    /// Writes the next packets, all for one path. Nothing is written when there is nothing to say,
    /// or not now.
    Transmit poll_transmit(std::span<std::uint8_t> buffer, TimePoint now) {
        if (!is_alive()) return {};
        now_ = now;
        unsent_credit_ = 0;
        hold_.handle_written();
        ngtcp2_path_storage path;
        ngtcp2_path_storage_zero(&path);
        ngtcp2_pkt_info info{};
        std::size_t segment = 0;
        // RFC 9002 §7.7: bursts are limited to what the congestion controller allows at once.
        const std::size_t limit =
            std::max(ngtcp2_conn_get_send_quantum2(conn_.get()), udp_payload_bytes_max);
        const ngtcp2_ssize size = ngtcp2_conn_write_aggregate_pkt2(
            conn_.get(), &path.path, &info, buffer.data(), std::min(buffer.size(), limit), &segment,
            PacketWriter::write, packets_per_train_max, to_tstamp(now));
        if (size < 0) {
            fail(static_cast<int>(size));
            return {};
        }
        ngtcp2_conn_update_pkt_tx_time(conn_.get(), to_tstamp(now));
        settle(0);
        if (size == 0 || !is_alive()) {
            more_to_send_ = false;
            return {};
        }
        const auto written = static_cast<std::size_t>(size);
        more_to_send_ = !established_ || written % segment == 0 || wants_to_send();
        return {.local = {path.path.local.addr, path.path.local.addrlen},
                .remote = {path.path.remote.addr, path.path.remote.addrlen},
                .ecn = info.ecn,
                .bytes = std::as_bytes(std::span{buffer.data(), written}),
                .segment_size = segment};
    }

    /// True if the last `poll_transmit` may have left something behind.
    bool more_to_send() const { return more_to_send_; }

    /// The CONNECTION_CLOSE packet of an ended connection.
    Transmit poll_close(std::span<std::uint8_t> buffer, TimePoint now) {
        ngtcp2_path_storage path;
        ngtcp2_path_storage_zero(&path);
        ngtcp2_pkt_info info{};
        ngtcp2_ccerr error = ending_->error;
        error.reason = reinterpret_cast<const std::uint8_t*>(ending_->text.data());
        error.reasonlen = ending_->text.size();
        const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
            conn_.get(), &path.path, &info, buffer.data(),
            std::min(buffer.size(), udp_payload_bytes_max), &error, to_tstamp(now));
        if (size <= 0) return {};
        const auto written = static_cast<std::size_t>(size);
        return {.local = {path.path.local.addr, path.path.local.addrlen},
                .remote = {path.path.remote.addr, path.path.remote.addrlen},
                .ecn = info.ecn,
                .bytes = std::as_bytes(std::span{buffer.data(), written}),
                .segment_size = written};
    }

    /// The next news for the application, or nothing. Disconnected is the endpoint's to report.
    std::optional<TransportEvent> poll_event(ConnectionId id) {
        auto& notices = record_.streams.notices();
        while (!notices.empty()) {
            const Notice notice = notices.front();
            notices.pop_front();
            if (auto event = make_event(id, notice)) return event;
        }
        return std::nullopt;
    }

    std::optional<TimePoint> next_deadline() const {
        if (!is_alive()) return std::nullopt;
        const ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry2(conn_.get());
        if (expiry == UINT64_MAX) return std::nullopt;
        const TimePoint deadline{
            Duration{static_cast<Duration::rep>(std::min(expiry, expiry_max))}};
        return may_hold() ? hold_.at_least(deadline) : deadline;
    }

    /// True if it is time to call `poll_transmit`: there is something to send, or a deadline has
    /// come. An acknowledgement alone has time.
    bool wants_transmit(TimePoint now) const {
        if (!is_ready() || wants_to_send() || !hold_.is_on()) return true;
        const std::optional<TimePoint> deadline = next_deadline();
        return deadline && *deadline <= now;
    }

    // --- Getters.

    bool is_established() const { return established_; }
    bool has_news() const { return !record_.streams.notices().empty(); }
    const std::optional<Ending>& ending() const { return ending_; }
    const SocketAddress& remote() const { return remote_; }
    std::uint64_t datagrams_received() const { return datagrams_received_; }
    std::size_t streams() const { return record_.streams.size(); }
    Record& record() { return record_; }
    const ngtcp2_cid& own_id() const { return own_id_; }
    Result<ChannelBinding> channel_binding() const {
        if (!is_ready()) return Errc::not_ready;
        return facts_.channel_binding;
    }

    /// RFC 9000 §10.2: "The closing and draining connection states SHOULD persist for at least
    /// three times the current PTO interval".
    Duration linger() const {
        return Duration{static_cast<Duration::rep>(3 * ngtcp2_conn_get_pto2(conn_.get()))};
    }

    /// Gives ngtcp2's and TLS's memory back. Only news can be fetched after that.
    void release() {
        conn_.reset();
        tls_.reset();
    }

    /// Throws away what the application has not fetched.
    void discard_news() { record_.streams.notices().clear(); }

private:
    static constexpr std::size_t packets_per_train_max = 40;  // the kernel's GSO takes 64
    static constexpr std::uint64_t code_max = (std::uint64_t{1} << 62) - 1;  // RFC 9000 §16
    static constexpr ngtcp2_tstamp expiry_max = INT64_MAX;

    Connection(Shared& shared, const SocketAddress& remote)
        : shared_(shared),
          remote_(remote),
          hold_(shared.config.hold_acknowledgements),
          window_(std::min(shared.config.limits.stream_receive_window,
                           shared.config.limits.connection_receive_window)),
          record_{.random = shared.random,
                  .tokens = shared.tokens,
                  .shard = shared.config.shard,
                  .backlog_max = shared.config.limits.stream_backlog_bytes_max} {}

    bool is_alive() const { return conn_ != nullptr && !ending_; }
    bool is_ready() const { return is_alive() && established_; }
    bool wants_to_send() const {
        return record_.streams.sendable() > 0 || !record_.datagrams_to_send.empty();
    }

    /// While nothing of ours is in flight, the only timers that can be due are those of
    /// acknowledgements and of idleness, and neither minds 20 ms.
    bool may_hold() const {
        if (!hold_.is_on() || !established_ || wants_to_send()) return false;
        ngtcp2_conn_info info{};
        ngtcp2_conn_get_conn_info2(conn_.get(), &info);
        return info.bytes_in_flight == 0;
    }

    // The addresses are only read, and only during the call that the path is given to.
    static ngtcp2_path make_path(const SocketAddress& local, const SocketAddress& remote) {
        return {.local = {const_cast<sockaddr*>(local.data()), local.size()},
                .remote = {const_cast<sockaddr*>(remote.data()), remote.size()},
                .user_data = nullptr};
    }

    bool open(const Opening& opening, TimePoint now);
    ngtcp2_settings make_settings(const Opening& opening, TimePoint now);
    ngtcp2_transport_params make_params(const Opening& opening) const;
    void settle(int error);
    void finish_handshake();
    void keep_alive();
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
    TimePoint now_{};  ///< Of the last input or output.
    std::uint64_t datagrams_received_ = 0;
    bool established_ = false;
    bool more_to_send_ = false;
};

}  // namespace quicchat::quic

#include "quicchat/quic/connection_life.hpp"

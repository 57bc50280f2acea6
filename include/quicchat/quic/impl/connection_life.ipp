#pragma once

// How a Connection comes into being, and how it ends. Included by connection.hpp.

#include <algorithm>
#include <array>
#include <cstring>

#include "quicchat/quic/connection.hpp"

namespace quicchat::quic {

/// RFC 9000 and RFC 9369, in the order of preference.
QUICCHAT_DECL constexpr std::array<std::uint32_t, 2> supported_versions = {NGTCP2_PROTO_VER_V1,
                                                                           NGTCP2_PROTO_VER_V2};

QUICCHAT_DECL bool Connection::open(const Opening& opening, TimePoint now) {
    const bool is_server = shared_.tls->is_server();
    set_time(now);
    tls_ = TlsSession::create(shared_.tls, shared_.http3_tls);
    if (tls_ == nullptr) return false;

    own_id_ = new_connection_id(shared_.random, shared_.config.shard);
    record_.ids_added.push_back(own_id_);
    if (is_server) record_.ids_added.push_back(opening.initial_id);

    begin_qlog(opening);
    const ngtcp2_callbacks callbacks = make_callbacks(is_server);
    ngtcp2_settings settings = make_settings(opening);
    ngtcp2_transport_params params = make_params(opening);
    Probes probes;  // ngtcp2 copies them
    set_packet_sizes(opening, probes, settings, params);
    const ngtcp2_path path = make_path(opening.local, opening.remote);
    const ngtcp2_mem* mem = shared_.memory.get();
    ngtcp2_conn* conn = nullptr;
    const int error =
        is_server
            ? ngtcp2_conn_server_new(&conn, &opening.peer_id, &own_id_, &path, opening.version,
                                     &callbacks, &settings, &params, mem, &record_)
            : ngtcp2_conn_client_new(&conn, &opening.peer_id, &own_id_, &path, opening.version,
                                     &callbacks, &settings, &params, mem, &record_);
    if (error != 0) return false;
    conn_.reset(conn);
    tls_->attach(conn);
    return true;
}

QUICCHAT_RARE_DECL void Connection::begin_qlog(const Opening& opening) {
    if (shared_.config.qlog == nullptr) return;
    const bool is_server = shared_.tls->is_server();
    const ngtcp2_cid& first = opening.retry_of ? *opening.retry_of : opening.initial_id;
    record_.qlog =
        shared_.config.qlog->begin(to_hex(is_server ? first : opening.peer_id), is_server);
}

QUICCHAT_DECL ngtcp2_settings Connection::make_settings(const Opening& opening) {
    ngtcp2_settings settings;
    ngtcp2_settings_default(&settings);
    settings.initial_ts = to_tstamp(record_.now);
    if (record_.qlog != nullptr) settings.qlog_write = detail::on_qlog;
    settings.handshake_timeout = to_ngtcp2(shared_.config.limits.handshake_timeout);
    // RFC 9002 §6.2.2: "the initial RTT SHOULD be set to 333 milliseconds". That leaves four tries
    // within the ten seconds of a handshake, too few where a fifth is lost. On a path of 750 ms it
    // is three datagrams more.
    settings.initial_rtt = 100 * NGTCP2_MILLISECONDS;
    settings.rand_ctx.native_handle = &shared_.random;
    settings.available_versions = supported_versions.data();
    settings.available_versionslen = supported_versions.size();
    settings.token = opening.token.data();
    settings.tokenlen = opening.token.size();
    settings.token_type = opening.retry_of ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
    return settings;
}

QUICCHAT_DECL ngtcp2_transport_params Connection::make_params(const Opening& opening) const {
    const Limits& limits = shared_.config.limits;
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.initial_max_stream_data_bidi_local = limits.stream_receive_window;
    params.initial_max_stream_data_bidi_remote = limits.stream_receive_window;
    params.initial_max_data = limits.connection_receive_window;
    // A stream for each room, the control stream, and a few for history and files. The client opens
    // all of them (PROTOCOL.md §2.1), so a server gets none.
    params.initial_max_streams_bidi =
        shared_.tls->is_server() ? limits.rooms_per_connection_max + 8 : 0;
    params.initial_max_streams_uni = 0;
    const auto& alpn = shared_.config.alpn;
    // A server knows of each connection first which it is: see on_receive_key.
    if (!shared_.tls->is_server() &&
        std::find(alpn.begin(), alpn.end(), http3_alpn) != alpn.end()) {
        allow_http3(params);
    }
    params.max_idle_timeout = to_ngtcp2(limits.idle_timeout);
    params.max_datagram_frame_size = datagram_bytes_max + 3;
    params.active_connection_id_limit = 4;
    if (!shared_.tls->is_server()) return params;

    params.original_dcid = opening.retry_of ? *opening.retry_of : opening.initial_id;
    params.original_dcid_present = 1;
    if (opening.retry_of) {
        params.retry_scid = opening.initial_id;
        params.retry_scid_present = 1;
    }
    const ngtcp2_stateless_reset_token token = shared_.tokens.reset_token(own_id_);
    static_assert(sizeof token.data == sizeof params.stateless_reset_token);
    std::memcpy(params.stateless_reset_token, token.data, sizeof token.data);
    params.stateless_reset_token_present = 1;
    return params;
}

/// How long packets may become that the path carries. Probes of what only one side's interface
/// takes are lost, so each tells the other, and a server with jumbo frames tries none on clients
/// without.
QUICCHAT_DECL void Connection::set_packet_sizes(const Opening& opening, Probes& probes,
                                                ngtcp2_settings& settings,
                                                ngtcp2_transport_params& params) {
    constexpr std::size_t ethernet = PacketSize::ordinary;
    std::size_t most = shared_.config.udp_payload_bytes_max;
    if (most == 0) most = shared_.interfaces.max_from(opening.local, record_.now);
    settings.max_tx_udp_payload_size = ethernet;
    if (most == 0) return;
    // RFC 9000 §18.2: "The maximum UDP payload size parameter is an integer value that limits the
    // size of UDP payloads that the endpoint is willing to receive." IPv4 leaves 20 bytes more.
    params.max_udp_payload_size = std::min<std::size_t>(std::max(most, ethernet) + 20, 65'527);
    most = std::clamp(most, PacketSize::base, PacketSize::jumbo);
    settings.max_tx_udp_payload_size = most;
    if (most <= ethernet) return;
    // ngtcp2 tries none that is longer than one which was lost. Its own list ends with 1444.
    probes = {ethernet, static_cast<std::uint16_t>(most), 1406, 1342, 1232, 1444};
    settings.pmtud_probes = probes.data();
    settings.pmtud_probeslen = probes.size();
}

/// What every call into ngtcp2 that can run callbacks is followed by.
QUICCHAT_DECL void Connection::settle(int error) {
    if (error != 0) return fail(error);
    if (record_.handshake_completed && !established_) {
        finish_handshake();
        if (ending_) return;
    }
    for (const StreamNumber number : record_.streams.take_abandoned()) {
        if (const Stream* stream = record_.streams.find(number)) {
            ngtcp2_conn_shutdown_stream(conn_.get(), 0, number, stream->reset_code);
            hold_.end();
        }
    }
    for (const StreamNumber number : record_.streams.take_closed()) forget_if_spent(number);
}

QUICCHAT_DECL void Connection::finish_handshake() {
    Result<TlsFacts> facts = tls_->finish();
    if (!facts) {
        const Errc errc = to_errc(facts.error());
        std::uint8_t alert = alert_internal_error;
        if (errc == Errc::version_mismatch) alert = alert_no_application_protocol;
        if (tls_->refusal() || tls_->shown_key()) alert = alert_bad_certificate;
        Ending ending{.reason = {.errc = errc,
                                 .text = transport_code_text(crypto_error + alert),
                                 .transport_code = crypto_error + alert,
                                 .peer_key = tls_->shown_key()}};
        ngtcp2_ccerr_set_tls_alert(&ending.error, alert, nullptr, 0);
        discard_news();
        return end(std::move(ending));
    }
    facts_ = *std::move(facts);
    established_ = true;
    hold_.end();
    // Nothing of TLS is needed any more, and it is half of an idle connection's memory.
    record_.tls_gone = true;
    ngtcp2_conn_set_tls_native_handle(conn_.get(), nullptr);
    tls_.reset();
    if (!shared_.tls->is_server()) return keep_alive();
    const std::vector<std::uint8_t> token = shared_.tokens.make_regular(remote_, record_.now);
    ngtcp2_conn_submit_new_token(conn_.get(), token.data(), token.size());
}

/// A client keeps the connection open for both. The server may have announced a shorter idle
/// timeout than ours, so it speaks thrice in that time: packets get lost. But no server can make it
/// speak all the time.
QUICCHAT_DECL void Connection::keep_alive() {
    ngtcp2_duration interval = to_ngtcp2(shared_.config.limits.keep_alive);
    const auto* peer = ngtcp2_conn_get_remote_transport_params2(conn_.get());
    if (peer != nullptr && peer->max_idle_timeout != 0) {
        constexpr ngtcp2_duration interval_min = 250 * NGTCP2_MILLISECONDS;
        interval = std::min(interval, std::max(peer->max_idle_timeout / 3, interval_min));
    }
    ngtcp2_conn_set_keep_alive_timeout(conn_.get(), interval);
}

QUICCHAT_RARE_DECL void Connection::fail(int error) {
    using Farewell = Ending::Farewell;
    const std::uint8_t alert = ngtcp2_conn_get_tls_alert2(conn_.get());
    Ending ending{.reason = reason_from_failure(error, alert)};
    switch (error) {
        case NGTCP2_ERR_DRAINING:
            ending.farewell = Farewell::drain;
            ending.reason =
                record_.stateless_reset
                    ? CloseReason{.errc = Errc::transport_failed,
                                  .by_peer = true,
                                  .text = "the peer does not know the connection"}
                    : reason_from_peer(*ngtcp2_conn_get_ccerr2(conn_.get()), has_http3());
            break;
        case NGTCP2_ERR_RETRY:
            ending.farewell = Farewell::retry;
            break;
        case NGTCP2_ERR_IDLE_CLOSE:
            // RFC 9000 §10.1: "the connection is silently closed and its state is discarded".
            if (!established_) ending.reason.errc = Errc::handshake_timeout;
            ending.farewell = Farewell::silent;
            break;
        case NGTCP2_ERR_DROP_CONN:
        case NGTCP2_ERR_CLOSING:
        case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
            ending.farewell = Farewell::silent;
            break;
        case NGTCP2_ERR_CRYPTO:
            ngtcp2_ccerr_set_tls_alert(&ending.error, alert, nullptr, 0);
            if (tls_ != nullptr && tls_->refusal()) {
                ending.reason.errc = *tls_->refusal();
                ending.reason.peer_key = tls_->shown_key();
            }
            break;
        default:
            ngtcp2_ccerr_set_liberr(&ending.error, error, nullptr, 0);
            break;
    }
    end(std::move(ending));
}

QUICCHAT_RARE_DECL void Connection::end(Ending ending) {
    if (ending_) return;
    ending.reason.datagrams_received = datagrams_received_;
    more_to_send_ = false;
    ending_ = std::move(ending);
}

/// Forgets a finished stream. If the peer had opened it, it may open another one for it.
QUICCHAT_DECL void Connection::forget_if_spent(StreamNumber number) {
    if (!record_.streams.erase_if_spent(number) || conn_ == nullptr) return;
    if (ngtcp2_conn_is_local_stream2(conn_.get(), number) == 0) {
        if (ngtcp2_is_bidi_stream(number) != 0) {
            ngtcp2_conn_extend_max_streams_bidi(conn_.get(), 1);
        } else {
            ngtcp2_conn_extend_max_streams_uni(conn_.get(), 1);
        }
        hold_.end();
    }
}

QUICCHAT_DECL std::optional<TransportEvent> Connection::make_event(ConnectionId id,
                                                                   const Notice& notice) {
    using Kind = Notice::Kind;
    if (notice.kind == Kind::connected) {
        return Connected{id, remote_.to_string(), facts_.peer_key, facts_.alpn,
                         facts_.certificate_hash};
    }
    if (notice.kind == Kind::datagram) {
        Bytes bytes = std::move(record_.datagrams_received.front());
        record_.datagrams_received.pop_front();
        return DatagramReceived{id, std::move(bytes)};
    }
    Stream* stream = record_.streams.find(notice.stream);
    if (stream == nullptr) return std::nullopt;
    const auto stream_id = static_cast<StreamId>(notice.stream);
    switch (notice.kind) {
        case Kind::data:
            return make_data(id, notice.stream, *stream);
        case Kind::writable:
            if (!std::exchange(stream->writable_noticed, false) || stream->cut) break;
            return Writable{id, stream_id};
        case Kind::reset: {
            if (!std::exchange(stream->reset_noticed, false)) break;
            const std::uint64_t code = stream->reset_code;
            // The application is about to forget the stream; what it did not consume goes back.
            stream->received = {};
            const std::size_t credit = std::exchange(stream->unconsumed, 0);
            if (is_alive()) ngtcp2_conn_extend_max_offset(conn_.get(), credit);
            hold_.end();
            forget_if_spent(notice.stream);
            return StreamReset{id, stream_id, code};
        }
        default:
            break;
    }
    forget_if_spent(notice.stream);
    return std::nullopt;
}

QUICCHAT_DECL std::optional<TransportEvent> Connection::make_data(ConnectionId id,
                                                                  StreamNumber number,
                                                                  Stream& stream) {
    if (!std::exchange(stream.data_noticed, false)) return std::nullopt;
    StreamData data{id, static_cast<StreamId>(number), Bytes{std::exchange(stream.received, {})},
                    stream.fin_received};
    forget_if_spent(number);
    return data;
}

}  // namespace quicchat::quic

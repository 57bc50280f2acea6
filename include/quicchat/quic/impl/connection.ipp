#pragma once

#include "quicchat/quic/connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/error.hpp"
#include "quicchat/quic/packet_writer.hpp"

namespace quicchat::quic {

QUICCHAT_DECL Shared::Shared(Config configuration, TlsContext context, const TokenSecrets& secrets)
    : config(std::move(configuration)), random(config.seed), tokens(random, secrets) {
    use(std::move(context));
}

QUICCHAT_DECL std::shared_ptr<const TlsContext> Shared::prepared(TlsContext context) const {
#ifdef QUICCHAT_TLS_KEY_LOG
    if (!config.key_log_file.empty()) context.log_keys(config.key_log_file);
#endif
    return std::make_shared<const TlsContext>(std::move(context));
}

QUICCHAT_DECL std::unique_ptr<Connection> Connection::create(Shared& shared, const Opening& opening,
                                                             TimePoint now) {
    std::unique_ptr<Connection> connection{new Connection{shared, opening.remote}};
    return connection->open(opening, now) ? std::move(connection) : nullptr;
}

QUICCHAT_DECL void Connection::handle_datagram(const Datagram& datagram, TimePoint now) {
    ++datagrams_received_;
    if (!is_alive()) return;
    set_time(now);
    look_ahead();
    const bool ignored_pacing = std::exchange(unpaced_expiry_, std::nullopt).has_value();
    const ngtcp2_path path = make_path(datagram.local, datagram.remote);
    const ngtcp2_pkt_info info{.ecn = datagram.ecn};
    settle(ngtcp2_conn_read_pkt(conn_.get(), &path, &info,
                                reinterpret_cast<const std::uint8_t*>(datagram.bytes.data()),
                                datagram.bytes.size(), to_tstamp(now)));
    const bool brought_something = std::exchange(record_.something_came, false);
    const ShortNumber number = take_opened_number();
    if (is_ready()) {
        hold_.handle_received({brought_something, datagram.bytes.size(), datagram.ecn, number},
                              now);
    }
    // A pacing timer that is over would look like a reason to write.
    if (ignored_pacing && is_alive() && ngtcp2_conn_get_expiry2(conn_.get()) <= to_tstamp(now)) {
        handle_timeout(now);
    }
}

/// Most of what comes to a server are acknowledgements. With many rooms they are about many
/// streams, each far away in memory: looked for in a row they are fetched together. ngtcp2 would
/// wait for one after the other.
QUICCHAT_DECL void Connection::look_ahead() const {
    constexpr std::size_t count_max = AcknowledgementHold::packets_max;
    std::size_t count = 0;
    for (const Stream* stream : record_.streams.waiting()) {
        if (++count > count_max) return;
        __builtin_prefetch(&stream->unacknowledged);
        (void)find_open(stream->number);
    }
}

QUICCHAT_DECL void Connection::handle_timeout(TimePoint now) {
    if (!is_alive()) return;
    set_time(now);
    unpaced_expiry_.reset();
    is_timeout_ = true;
    settle(ngtcp2_conn_handle_expiry(conn_.get(), to_tstamp(now)));
}

QUICCHAT_DECL Result<StreamNumber> Connection::open_stream() {
    return open_by(ngtcp2_conn_open_bidi_stream);
}

QUICCHAT_RARE_DECL Result<StreamNumber> Connection::open_uni_stream() {
    return open_by(ngtcp2_conn_open_uni_stream);
}

QUICCHAT_DECL Result<StreamNumber> Connection::open_by(
    decltype(ngtcp2_conn_open_bidi_stream)* make) {
    if (!is_ready()) return Errc::not_ready;
    StreamNumber number = -1;
    const int error = make(conn_.get(), &number, nullptr);
    if (error == NGTCP2_ERR_STREAM_ID_BLOCKED) return Errc::too_many_streams;
    if (error != 0) return Errc::internal_error;
    attach_stream(conn_.get(), record_.streams.handle_open(number));
    return number;
}

QUICCHAT_DECL Result<Backlog> Connection::write(StreamNumber number, Bytes bytes, bool fin) {
    Stream* stream = is_ready() ? find_open(number) : nullptr;
    if (stream == nullptr || stream->cut || stream->fin_queued || !can_write(number)) {
        return Errc::not_ready;
    }
    record_.streams.hold(*stream, std::move(bytes));
    stream->fin_queued = fin;
    if (stream->send.unsent() >= record_.backlog_max) stream->throttled = true;
    record_.streams.schedule(*stream);
    return Backlog{stream->send.unsent()};
}

QUICCHAT_DECL void Connection::reset_stream(StreamNumber number, std::uint64_t code) {
    Stream* stream = is_ready() ? record_.streams.find(number) : nullptr;
    if (stream == nullptr || stream->cut) return;
    const std::size_t credit = record_.streams.cut(*stream);
    ngtcp2_conn_shutdown_stream(conn_.get(), 0, number, std::min(code, code_max));
    ngtcp2_conn_extend_max_offset(conn_.get(), credit);
    hold_.end();
    forget_if_spent(number);
}

QUICCHAT_DECL PathStats Connection::stats() const {
    if (!is_alive()) return {};
    ngtcp2_conn_info info{};
    ngtcp2_conn_get_conn_info2(conn_.get(), &info);
    const auto time = [](ngtcp2_duration duration) {
        // Nothing is measured yet: ngtcp2 has the largest number there is.
        if (duration == UINT64_MAX) return Duration{};
        return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{duration});
    };
    return {.round_trip = time(info.smoothed_rtt),
            .round_trip_min = time(info.min_rtt),
            .round_trip_latest = time(info.latest_rtt),
            .congestion_window = info.cwnd,
            .bytes_in_flight = info.bytes_in_flight,
            .packet_bytes_max = ngtcp2_conn_get_path_max_tx_udp_payload_size2(conn_.get()),
            .packets_sent = info.pkt_sent,
            .packets_received = info.pkt_recv,
            .packets_lost = info.pkt_lost,
            .bytes_sent = info.bytes_sent,
            .bytes_received = info.bytes_recv,
            .bytes_lost = info.bytes_lost,
            .unacknowledged = unacknowledged(),
            .streams = streams()};
}

QUICCHAT_DECL void Connection::look_ahead(StreamNumber number) const {
    const Stream* stream = is_ready() ? find_open(number) : nullptr;
    if (stream != nullptr) stream->send.look_ahead();
}

QUICCHAT_DECL Backlog Connection::backlog(StreamNumber number) const {
    const Stream* stream = is_ready() ? find_open(number) : nullptr;
    return {stream != nullptr && !stream->cut ? stream->send.unsent() : 0};
}

QUICCHAT_DECL void Connection::consume(StreamNumber number, std::size_t bytes) {
    Stream* stream = is_ready() ? record_.streams.find(number) : nullptr;
    if (stream == nullptr) return;
    bytes = std::min(bytes, stream->unconsumed - stream->received.size());
    stream->unconsumed -= bytes;
    ngtcp2_conn_extend_max_stream_offset(conn_.get(), number, bytes);
    ngtcp2_conn_extend_max_offset(conn_.get(), bytes);
    // ngtcp2 tells the peer about a quarter of a window, and only when it writes.
    unsent_credit_ += bytes;
    if (unsent_credit_ > window_ / 4) hold_.end();
    forget_if_spent(number);
}

QUICCHAT_DECL bool Connection::send_datagram(Bytes bytes) {
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

QUICCHAT_RARE_DECL bool Connection::update_keys(TimePoint now) {
    hold_.end();
    return is_ready() && ngtcp2_conn_initiate_key_update(conn_.get(), to_tstamp(now)) == 0;
}

QUICCHAT_DECL void Connection::give_token() {
    if (!is_ready()) return;
    const std::vector<std::uint8_t> token = shared_.tokens.make_known(remote_, record_.now);
    ngtcp2_conn_submit_new_token(conn_.get(), token.data(), token.size());
    hold_.end();
}

QUICCHAT_DECL void Connection::close(Errc errc, std::string_view text) {
    if (!is_alive()) return;
    // Not in one expression: GCC 12 at -O3 believes that strings could be destroyed unmade.
    Ending ending;
    ending.reason.errc = errc;
    ending.reason.text = text;
    ending.text = bounded_reason(text);
    const std::uint64_t code = has_http3() ? http3_code(errc) : wire_code(errc);
    ngtcp2_ccerr_set_application_error(&ending.error, code, nullptr, 0);
    end(std::move(ending));
}

QUICCHAT_RARE_DECL SocketAddress Connection::local() const {
    if (!is_alive()) return {};
    const ngtcp2_addr& local = ngtcp2_conn_get_path2(conn_.get())->local;
    return {local.addr, local.addrlen};
}

QUICCHAT_RARE_DECL void Connection::migrate(const SocketAddress& local, TimePoint now) {
    if (!is_alive()) return;
    set_time(now);
    // RFC 9000 §9: "An endpoint MUST NOT initiate connection migration before the handshake is
    // confirmed", and servers ignore it.
    if (!established_) return abandon("our address has changed");
    unpaced_expiry_.reset();
    hold_.end();
    const ngtcp2_path path = make_path(local, remote_);
    const int error = ngtcp2_conn_initiate_immediate_migration(conn_.get(), &path, to_tstamp(now));
    record_.packet_size = {};
    if (error == 0) return settle(0);
    // The server has not confirmed the handshake, or given us no connection id for another path.
    // Then it sees what a NAT could have done as well.
    ngtcp2_conn_set_local_addr(conn_.get(), &path.local);
}

QUICCHAT_RARE_DECL void Connection::abandon(std::string_view text) {
    if (!is_alive()) return;
    end({.reason = {.errc = Errc::transport_failed, .text = std::string{text}},
         .farewell = Ending::Farewell::silent});
}

QUICCHAT_RARE_DECL void Connection::refuse() {
    if (!is_alive()) return;
    Ending ending;
    ending.reason.errc = Errc::server_full;
    ngtcp2_ccerr_set_transport_error(&ending.error, NGTCP2_CONNECTION_REFUSED, nullptr, 0);
    end(std::move(ending));
}

QUICCHAT_RARE_DECL void Connection::handle_unreachable() {
    if (is_alive() && !established_ && datagrams_received_ == 0) {
        end({.reason = {.errc = Errc::unreachable}, .farewell = Ending::Farewell::silent});
    }
}

QUICCHAT_DECL Transmit Connection::poll_transmit(std::span<std::uint8_t> buffer, TimePoint now) {
    if (!is_alive()) return {};
    set_time(now);
    unsent_credit_ = 0;
    if (check_at_ && now >= *check_at_) check_progress(now);
    if (!is_alive()) return {};
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info info{};
    std::size_t segment = 0;
    const ngtcp2_ssize size = ngtcp2_conn_write_aggregate_pkt2(
        conn_.get(), &path.path, &info, buffer.data(), std::min(buffer.size(), burst_max()),
        &segment, PacketWriter::write, packets_per_train_max, to_tstamp(now));
    if (size < 0) {
        fail(static_cast<int>(size));
        return {};
    }
    hold_.handle_written(size > 0, now);
    unpaced_expiry_ = ngtcp2_conn_get_expiry2(conn_.get());
    ngtcp2_conn_update_pkt_tx_time(conn_.get(), to_tstamp(now));
    settle(0);
    if (std::exchange(record_.stream_data_was_sent, false) && !check_at_) {
        check_at_ = now + PacketSize::check_pause;
    }
    if (size == 0 || !is_alive()) {
        // Was there more, and is it the pacing timer that it waits for? Only ngtcp2 knows.
        if (more_to_send_) unpaced_expiry_.reset();
        more_to_send_ = false;
        is_timeout_ = false;
        return {};
    }
    const auto written = static_cast<std::size_t>(size);
    // A packet that is not full was the last one, but for the probes of a timeout: these are two.
    const bool was_full = written % segment == 0 && is_full(segment);
    more_to_send_ = !established_ || was_full || is_timeout_ || wants_to_send();
    return {.local = {path.path.local.addr, path.path.local.addrlen},
            .remote = {path.path.remote.addr, path.path.remote.addrlen},
            .ecn = info.ecn,
            .bytes = std::as_bytes(std::span{buffer.data(), written}),
            .segment_size = segment};
}

/// RFC 9002 §7.7: bursts are limited to what the congestion controller allows at once. ngtcp2
/// allows ten packets and more; of long ones that is a whole window, and the pause that follows it
/// lasts a round trip as long as that was measured until then.
QUICCHAT_DECL std::size_t Connection::burst_max() const {
    const std::size_t packet = ngtcp2_conn_get_path_max_tx_udp_payload_size2(conn_.get());
    const std::size_t quantum =
        std::max(ngtcp2_conn_get_send_quantum2(conn_.get()), PacketSize::jumbo);
    if (packet <= PacketSize::ordinary) return quantum;
    ngtcp2_conn_info info{};
    ngtcp2_conn_get_conn_info2(conn_.get(), &info);
    const std::uint64_t in_a_millisecond =
        info.cwnd * NGTCP2_MILLISECONDS / std::max<ngtcp2_duration>(info.smoothed_rtt, 1);
    // Of a path that was found to take longer packets just now, ngtcp2's ten are shorter ones.
    return std::max<std::size_t>(2 * packet, std::min<std::uint64_t>(in_a_millisecond, quantum));
}

QUICCHAT_DECL bool Connection::is_full(std::size_t packet_bytes) const {
    if (packet_bytes < PacketSize::base) return false;
    const std::size_t most = ngtcp2_conn_get_path_max_tx_udp_payload_size2(conn_.get());
    return packet_bytes >= record_.packet_size.limit(most) / 4 * 3;
}

QUICCHAT_DECL void Connection::check_progress(TimePoint now) {
    const std::optional<TimePoint> since = record_.streams.waits_since();
    ngtcp2_conn_info info{};
    ngtcp2_conn_get_conn_info2(conn_.get(), &info);
    const Duration pto{static_cast<Duration::rep>(ngtcp2_conn_get_pto2(conn_.get()))};
    record_.packet_size.check({since, pto, info.pkt_lost}, now);
    check_at_.reset();
    if (since) check_at_ = now + PacketSize::check_pause;
    if (!is_stuck(since, info.pkt_recv, now)) return;
    Ending ending{.reason = {.errc = Errc::transport_failed,
                             .text = "the peer acknowledges nothing that it is sent"}};
    ngtcp2_ccerr_set_liberr(&ending.error, NGTCP2_ERR_INTERNAL, nullptr, 0);
    end(std::move(ending));
}

/// The network is there, but what was sent before holds up what is sent now: the congestion window
/// is full of packets that nothing but a probe can declare lost, and RFC 9002 §6.2.1 doubles the
/// pauses between probes. They begin at the round trip, which is minutes for whoever slept so long.
/// A new connection takes a second.
QUICCHAT_DECL bool Connection::is_stuck(std::optional<TimePoint> waits_since,
                                        std::uint64_t packets_received, TimePoint now) {
    const bool silent = now - heard_at_ >= silence_min;
    if (packets_received != std::exchange(packets_heard_, packets_received)) {
        if (silent) hears_since_ = now;
        heard_at_ = now;
    } else if (silent) {
        return false;
    }
    return waits_since && now - *waits_since >= progress_patience &&
           now - hears_since_ >= heard_for_min;
}

QUICCHAT_DECL Transmit Connection::poll_close(std::span<std::uint8_t> buffer, TimePoint now) {
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info info{};
    ngtcp2_ccerr error = ending_->error;
    error.reason = reinterpret_cast<const std::uint8_t*>(ending_->text.data());
    error.reasonlen = ending_->text.size();
    const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
        conn_.get(), &path.path, &info, buffer.data(), std::min(buffer.size(), PacketSize::jumbo),
        &error, to_tstamp(now));
    if (size <= 0) return {};
    const auto written = static_cast<std::size_t>(size);
    return {.local = {path.path.local.addr, path.path.local.addrlen},
            .remote = {path.path.remote.addr, path.path.remote.addrlen},
            .ecn = info.ecn,
            .bytes = std::as_bytes(std::span{buffer.data(), written}),
            .segment_size = written};
}

QUICCHAT_DECL std::optional<TransportEvent> Connection::poll_event(ConnectionId id) {
    auto& notices = record_.streams.notices();
    while (!notices.empty()) {
        const Notice notice = notices.front();
        notices.pop_front();
        if (auto event = make_event(id, notice)) return event;
    }
    return std::nullopt;
}

QUICCHAT_DECL std::optional<TimePoint> Connection::next_deadline() const {
    if (!is_alive()) return std::nullopt;
    const bool waits_to_send = wants_to_send();
    const ngtcp2_tstamp expiry =
        unpaced_expiry_ && !waits_to_send ? *unpaced_expiry_ : ngtcp2_conn_get_expiry2(conn_.get());
    if (expiry == UINT64_MAX) return check_at_;
    TimePoint deadline{Duration{static_cast<Duration::rep>(std::min(expiry, expiry_max))}};
    if (may_hold()) deadline = hold_.at_least(deadline);
    deadline = *earlier(check_at_, deadline);
    return waits_to_send ? deadline : rounded_up(deadline);
}

QUICCHAT_DECL bool Connection::wants_transmit(TimePoint now) const {
    if (!is_ready() || wants_to_send() || !hold_.is_on()) return true;
    const std::optional<TimePoint> deadline = next_deadline();
    return deadline && *deadline <= now;
}

QUICCHAT_DECL Result<ChannelBinding> Connection::channel_binding() const {
    if (!is_ready()) return Errc::not_ready;
    return facts_.channel_binding;
}

QUICCHAT_DECL Duration Connection::linger() const {
    return Duration{static_cast<Duration::rep>(3 * ngtcp2_conn_get_pto2(conn_.get()))};
}

QUICCHAT_DECL void Connection::release() {
    conn_.reset();
    tls_.reset();
}

QUICCHAT_DECL void Connection::discard_news() { record_.streams.notices().clear(); }

QUICCHAT_DECL Connection::Connection(Shared& shared, const SocketAddress& remote)
    : shared_(shared),
      remote_(remote),
      hold_(shared.config.hold_acknowledgements),
      window_(std::min(shared.config.limits.stream_receive_window,
                       shared.config.limits.connection_receive_window)),
      record_{.random = shared.random,
              .tokens = shared.tokens,
              .shard = shared.config.shard,
              .backlog_max = shared.config.limits.stream_backlog_bytes_max,
              .streams = Streams{&shared.unacknowledged}} {}

QUICCHAT_DECL bool Connection::wants_to_send() const {
    return record_.streams.sendable() > 0 || !record_.datagrams_to_send.empty();
}

QUICCHAT_DECL Stream* Connection::find_open(StreamNumber number) const {
    return static_cast<Stream*>(ngtcp2_conn_get_stream_user_data2(conn_.get(), number));
}

QUICCHAT_DECL bool Connection::can_write(StreamNumber number) const {
    return ngtcp2_is_bidi_stream(number) != 0 ||
           ngtcp2_conn_is_local_stream2(conn_.get(), number) != 0;
}

QUICCHAT_DECL bool Connection::may_hold() const {
    if (!hold_.is_on() || !established_ || wants_to_send()) return false;
    ngtcp2_conn_info info{};
    ngtcp2_conn_get_conn_info2(conn_.get(), &info);
    return info.bytes_in_flight == 0;
}

QUICCHAT_DECL TimePoint Connection::rounded_up(TimePoint deadline) {
    const Duration late = deadline.time_since_epoch() % timer_granularity;
    return late == Duration{} ? deadline : deadline + (timer_granularity - late);
}

QUICCHAT_DECL ngtcp2_path Connection::make_path(const SocketAddress& local,
                                                const SocketAddress& remote) {
    return {.local = {const_cast<sockaddr*>(local.data()), local.size()},
            .remote = {const_cast<sockaddr*>(remote.data()), remote.size()},
            .user_data = nullptr};
}

}  // namespace quicchat::quic

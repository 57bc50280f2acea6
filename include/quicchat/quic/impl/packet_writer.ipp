#pragma once

#include "quicchat/quic/packet_writer.hpp"

#include <algorithm>
#include <array>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/send_buffer.hpp"

namespace quicchat::quic {

QUICCHAT_DECL ngtcp2_ssize PacketWriter::write(ngtcp2_conn* connection, ngtcp2_path* path,
                                               ngtcp2_pkt_info* info, std::uint8_t* packet,
                                               std::size_t capacity, ngtcp2_tstamp now,
                                               void* user_data) noexcept {
    Record& record = *static_cast<Record*>(user_data);
    capacity = limit(connection, record.packet_size.limit(capacity));
    PacketWriter writer{connection, path, info, packet, capacity, now, record};
    const ngtcp2_ssize size = writer.write();
    if (size > 0) record.packet_size.handle_written(static_cast<std::size_t>(size));
    return size;
}

QUICCHAT_DECL std::size_t PacketWriter::limit(ngtcp2_conn* connection, std::size_t capacity) {
    if (capacity <= PacketSize::ordinary) return capacity;
    const std::size_t known = ngtcp2_conn_get_path_max_tx_udp_payload_size2(connection);
    if (capacity <= known) return capacity;
    ngtcp2_conn_info info{};
    ngtcp2_conn_get_conn_info2(connection, &info);
    return info.cwnd >= 4 * capacity ? capacity : std::max(known, PacketSize::ordinary);
}

QUICCHAT_DECL PacketWriter::PacketWriter(ngtcp2_conn* connection, ngtcp2_path* path,
                                         ngtcp2_pkt_info* info, std::uint8_t* packet,
                                         std::size_t capacity, ngtcp2_tstamp now, Record& record)
    : connection_(connection),
      path_(path),
      info_(info),
      packet_(packet),
      capacity_(capacity),
      now_(now),
      record_(record) {}

QUICCHAT_DECL ngtcp2_ssize PacketWriter::write() {
    const bool datagrams_first = !record_.datagram_was_sent;
    Step step = datagrams_first ? write_datagrams() : write_streams();
    if (!step.done) step = datagrams_first ? write_streams() : write_datagrams();
    if (step.done) return step.result;
    return ngtcp2_conn_writev_stream(connection_, path_, info_, packet_, capacity_, nullptr,
                                     padding_, -1, nullptr, 0, now_);
}

QUICCHAT_DECL PacketWriter::Step PacketWriter::write_datagrams() {
    while (!record_.datagrams_to_send.empty()) {
        const Step step = write_datagram();
        if (step.done) return step;
    }
    return {.done = false, .result = 0};
}

QUICCHAT_DECL PacketWriter::Step PacketWriter::write_streams() {
    for (std::size_t tries = record_.streams.sendable(); tries > 0; --tries) {
        Stream* const stream = record_.streams.next_sendable();
        if (stream == nullptr) break;
        const Step step = write_stream(*stream);
        record_.streams.schedule(*stream);
        if (step.done) return step;
    }
    return {.done = false, .result = 0};
}

QUICCHAT_DECL PacketWriter::Step PacketWriter::write_datagram() {
    const Bytes& bytes = record_.datagrams_to_send.front();
    const ngtcp2_vec vec = to_vec(bytes.view());
    int accepted = 0;
    const ngtcp2_ssize result =
        ngtcp2_conn_writev_datagram(connection_, path_, info_, packet_, capacity_, &accepted,
                                    NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0, &vec, 1, now_);
    const bool refused =
        result == NGTCP2_ERR_INVALID_STATE || result == NGTCP2_ERR_INVALID_ARGUMENT;
    if (accepted != 0 || refused) record_.datagrams_to_send.pop_front();
    record_.datagram_was_sent |= accepted != 0;
    return {.done = result != NGTCP2_ERR_WRITE_MORE && !refused, .result = result};
}

QUICCHAT_DECL PacketWriter::Step PacketWriter::write_stream(Stream& stream) {
    std::array<ngtcp2_vec, pieces_max> vecs;
    std::size_t count = 0;
    const std::size_t offered = stream.send.show(
        pieces_max, capacity_, [&](BytesView piece) { vecs[count++] = to_vec(piece); });
    const bool fin = stream.fin_queued && offered == stream.send.unsent();
    // A train needs packets of equal size, so a few bytes of padding are worth it while there
    // is more to come than fits. Pieces may be so small that they do not fill a packet.
    if (offered >= capacity_) padding_ = NGTCP2_WRITE_STREAM_FLAG_PADDING;

    // Where nobody else wants into the packet, it is finished at once.
    const bool alone = record_.streams.sendable() == 0 && record_.datagrams_to_send.empty();
    const std::uint32_t flags = (alone ? 0U : NGTCP2_WRITE_STREAM_FLAG_MORE) |
                                (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0U) | padding_;
    ngtcp2_ssize taken = -1;
    const ngtcp2_ssize result =
        ngtcp2_conn_writev_stream(connection_, path_, info_, packet_, capacity_, &taken, flags,
                                  stream.number, vecs.data(), count, now_);
    if (taken >= 0) handle_taken(stream, static_cast<std::size_t>(taken), offered, fin);
    switch (result) {
        case NGTCP2_ERR_WRITE_MORE:
        case NGTCP2_ERR_STREAM_DATA_BLOCKED:  // the peer's window is full; ask again next time
        case NGTCP2_ERR_STREAM_SHUT_WR:       // being reset; Streams knows or will soon
        case NGTCP2_ERR_STREAM_NOT_FOUND:
            return {.done = false, .result = 0};
        default:
            return {.done = true, .result = result};
    }
}

QUICCHAT_DECL void PacketWriter::handle_taken(Stream& stream, std::size_t taken,
                                              std::size_t offered, bool fin) {
    record_.streams.handle_sent(stream, taken, record_.now);
    if (taken > 0) record_.datagram_was_sent = false;
    record_.stream_data_was_sent |= taken > 0;
    if (fin && taken == offered) stream.fin_sent = true;
    if (!stream.throttled || stream.send.unsent() >= record_.backlog_max / 2) return;
    stream.throttled = false;
    stream.writable_noticed = true;
    record_.streams.notice({Notice::Kind::writable, stream.number});
}

QUICCHAT_DECL ngtcp2_vec PacketWriter::to_vec(BytesView bytes) {
    // ngtcp2 only reads from it; the type is not const because of struct iovec.
    auto* base = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(bytes.data()));
    return {base, bytes.size()};
}

}  // namespace quicchat::quic

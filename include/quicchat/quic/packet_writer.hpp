#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstddef>
#include <cstdint>

#include "quicchat/quic/callbacks.hpp"
#include "quicchat/quic/stream.hpp"

namespace quicchat::quic {

/// Fills one packet of a connection with whatever wants to be sent: datagrams first, because they
/// are useless when late, but in every other packet only while streams wait as well; then the
/// streams in turn, and last what QUIC itself has to say. ngtcp2 calls it once per packet.
class PacketWriter {
public:
    /// The signature of ngtcp2_write_pkt; `user_data` is the connection's Record.
    static ngtcp2_ssize write(ngtcp2_conn* connection, ngtcp2_path* path, ngtcp2_pkt_info* info,
                              std::uint8_t* packet, std::size_t capacity, ngtcp2_tstamp now,
                              void* user_data) noexcept;

private:
    /// That a packet is made of, of one stream.
    static constexpr std::size_t pieces_max = 64;

    // What ngtcp2 returned: go on with the same packet, or hand it back.
    struct Step {
        bool done;
        ngtcp2_ssize result;
    };

    PacketWriter(ngtcp2_conn* connection, ngtcp2_path* path, ngtcp2_pkt_info* info,
                 std::uint8_t* packet, std::size_t capacity, ngtcp2_tstamp now, Record& record);

    ngtcp2_ssize write();

    Step write_datagrams();

    Step write_streams();

    Step write_datagram();

    Step write_stream(Stream& stream);

    void handle_taken(Stream& stream, std::size_t taken, std::size_t offered, bool fin);

    /// Without what would be a long probe of the path, until that is a small part of the congestion
    /// window: it would hold up what follows it.
    static std::size_t limit(ngtcp2_conn* connection, std::size_t capacity);

    static ngtcp2_vec to_vec(BytesView bytes);

    ngtcp2_conn* connection_;
    ngtcp2_path* path_;
    ngtcp2_pkt_info* info_;
    std::uint8_t* packet_;
    std::size_t capacity_;
    ngtcp2_tstamp now_;
    Record& record_;
    std::uint32_t padding_ = 0;
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/packet_writer.ipp"
#endif

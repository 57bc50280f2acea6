#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/config.hpp"

// Linux has had them since 4.18 and 5.0; the C library's headers are sometimes older.
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace quicchat::quic {

/// Room for the control messages of one datagram: ECN, address, segment size.
struct ControlBuffer {
    /// For `msg_control`, which this must outlive.
    alignas(cmsghdr) std::byte bytes[128];
};

/// What the control messages of a received datagram say.
struct ReceivedControl {
    SocketAddress local;           ///< The address it was sent to.
    std::uint8_t ecn = 0;          ///< The two bits of ECN (RFC 3168 §5).
    std::size_t segment_size = 0;  ///< Not 0: these are several datagrams of that size.
};

namespace detail {

QUICCHAT_DECL std::uint8_t read_ecn(const cmsghdr* message);

}  // namespace detail

/// `bound` is the socket's own address, whose port the datagram was sent to.
QUICCHAT_DECL ReceivedControl read_control(const msghdr& head, const SocketAddress& bound);

namespace detail {

/// Appends control messages to a message head.
class ControlWriter {
public:
    ControlWriter(msghdr& head, ControlBuffer& buffer) : head_(head), buffer_(buffer) {}

    template <class T>
    void append(int level, int type, const T& value) {
        auto* message = reinterpret_cast<cmsghdr*>(buffer_.bytes + used_);
        message->cmsg_level = level;
        message->cmsg_type = type;
        message->cmsg_len = CMSG_LEN(sizeof value);
        std::memcpy(CMSG_DATA(message), &value, sizeof value);
        used_ += CMSG_SPACE(sizeof value);
        head_.msg_control = buffer_.bytes;
        head_.msg_controllen = used_;
    }

private:
    msghdr& head_;
    ControlBuffer& buffer_;
    std::size_t used_ = 0;
};

}  // namespace detail

/// The control messages for sending. `with_source` keeps the address that the peer knows us by: on
/// a socket that is bound to all addresses the system might choose another.
QUICCHAT_DECL void write_control(msghdr& head, ControlBuffer& buffer, const Transmit& transmit,
                                 bool with_source);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/udp_control.ipp"
#endif

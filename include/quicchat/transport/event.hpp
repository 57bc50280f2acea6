#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"

namespace quicchat {

/// The `tls-exporter` channel binding of a connection (RFC 9266 §2): equal at both ends and
/// different for every connection.
using ChannelBinding = std::array<std::byte, 32>;

/// SHA-256 over the DER SubjectPublicKeyInfo of a certificate. It names the key, so a renewed
/// certificate with the same key has the same fingerprint.
using Fingerprint = std::array<std::byte, 32>;

/// SHA-256 over the DER of the certificate that a server shows on a connection: what a page pins by
/// `serverCertificateHashes`, and the `tls-server-end-point` of RFC 5929 §4.1 for a certificate
/// that is signed with SHA-256. Equal at both ends, but not different for every connection.
using CertificateHash = std::array<std::byte, 32>;

/// RFC 9114 §3.1: the ALPN of HTTP/3, by which browsers come.
inline constexpr std::string_view http3_alpn = "h3";

/// What a server knows of a connection that a web page made (PROTOCOL.md §5.9).
struct PageSession {
    CertificateHash certificate{};  ///< Of the certificate that this connection was shown.
    std::string origin{};           ///< What the browser said whose page it is; empty: nothing.
};

/// The connection can be used: the handshake is complete, the peer passed the trust check, and both
/// sides agreed on an ALPN of ours.
struct Connected {
    ConnectionId connection;              ///< Whose events begin.
    std::string peer_address;             ///< For people and logs: "127.0.0.1:4433", "[::1]:4433".
    std::optional<Fingerprint> peer_key;  ///< The server's key, at the client of a real transport.
    std::string alpn{};                   ///< What both sides agreed on; empty without TLS.
    std::optional<CertificateHash> certificate_hash{};  ///< Of the server's; none without TLS.
    std::string origin{};  ///< At a server: what a browser said whose page it is (RFC 6454).
};

/// Bytes that arrived on a stream, in order. They count against the peer's flow-control credit
/// until `consume` gives it back. An empty piece carries `fin` only.
struct StreamData {
    ConnectionId connection;  ///< On which.
    StreamId stream;          ///< Of it.
    Bytes bytes;              ///< Behind those before.
    bool fin = false;         ///< Nothing follows on this stream.
};

/// The peer abandoned a stream. Nothing more arrives on it and nothing more is sent.
struct StreamReset {
    ConnectionId connection;  ///< On which.
    StreamId stream;          ///< Of it.
    std::uint64_t code = 0;   ///< Of the application that abandoned it.
};

/// A stream's backlog, which was at or above `Limits::stream_backlog_bytes_max`, fell below half of
/// it.
struct Writable {
    ConnectionId connection;  ///< On which.
    StreamId stream;          ///< Of it.
};

/// An unreliable datagram (RFC 9221).
struct DatagramReceived {
    ConnectionId connection;  ///< On which.
    Bytes bytes;              ///< All of it.
};

/// Why a connection ended.
struct CloseReason {
    Errc errc = Errc::closed;  ///< In our words.
    bool by_peer = false;      ///< The peer ended it, and not we.
    /// What the peer or the stack said. From the network: clean it before showing it.
    std::string text{};
    /// QUIC's or TLS's own number, for logs: a transport error code (RFC 9000 §20.1), or 0.
    std::uint64_t transport_code = 0;
    /// Datagrams that were received from the peer at all. Zero tells "down" from "not QUIC".
    std::uint64_t datagrams_received = 0;
    /// The key that the server showed, where trust in it was the reason.
    std::optional<Fingerprint> peer_key{};
};

/// The last event of a connection. Its id is not used again. Also ends an attempt that never
/// reached Connected.
struct Disconnected {
    ConnectionId connection;  ///< Which ended.
    CloseReason reason;       ///< Why.
};

/// What a transport reports. The events of one connection begin with Connected and end with
/// Disconnected.
using TransportEvent =
    std::variant<Connected, StreamData, StreamReset, Writable, DatagramReceived, Disconnected>;

}  // namespace quicchat

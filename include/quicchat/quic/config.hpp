#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/quic/address.hpp"
#include "quicchat/quic/qlog.hpp"
#include "quicchat/quic/random.hpp"
#include "quicchat/quic/trust.hpp"

namespace quicchat::quic {

/// PROTOCOL.md §1.2: the ALPN names the major version.
inline constexpr std::string_view default_alpn = "quicchat/1";

/// What a peer may have open on a connection with HTTP/3. RFC 9114 §6.2: the transport parameters
/// "MUST allow the peer to create at least three unidirectional streams".
inline constexpr std::uint64_t http3_uni_streams = 3;
/// Bytes on the way on each of these. RFC 9114 §6.2: "SHOULD also provide at least 1,024 bytes".
inline constexpr std::uint64_t http3_uni_window = 4096;

#if defined(QUICCHAT_TLS_KEY_LOG) && defined(NDEBUG)
#error "QUICCHAT_TLS_KEY_LOG is for debug builds only"
#endif

/// When a server makes strangers prove their address before it keeps anything (RFC 9000 §8.1.2).
/// That costs them one round trip.
enum class RetryPolicy : std::uint8_t {
    never,       ///< For tests, and where nobody can forge an address.
    under_load,  ///< While there are `half_open_max` unfinished handshakes or more.
    always,      ///< Also while nobody attacks.
};

/// What both sides can choose. The defaults are right for real use.
struct Config {
    Limits limits{};  ///< What the transport allows the peer.
    /// All that the endpoint draws at random comes from here. A test gives `test_seed(number)`.
    Seed seed = system_seed();
    /// The application protocols that we speak, the best first. `http3_alpn` is for a server whose
    /// endpoint a webtransport::Transport stands on; see `Endpoint::open_uni_stream`.
    std::vector<std::string> alpn{std::string{default_alpn}};
    /// Which of how many endpoints behind one address: the first byte of our connection ids. See
    /// shards.hpp.
    std::uint8_t shard = 0;
    std::uint8_t shards = 1;  ///< Packets that name another one are strays.
    /// Wait up to 20 ms before a packet that carries nothing but an acknowledgement, in the hope
    /// that there is something to say by then. See acknowledgement_hold.hpp.
    bool hold_acknowledgements = true;
    /// The longest UDP payload that is tried on a path, and about the longest that the peer may
    /// try, in bytes. 0: what the interface takes that has our address, which is asked of the
    /// system once in 10 s, and at most 8952, which is an Ethernet frame of 9000 (jumbo). A run
    /// that is to be the same on any machine needs a number.
    std::size_t udp_payload_bytes_max = 0;
    /// Who writes about the connections, such as a QlogFolder. Null: nobody, at no cost.
    std::shared_ptr<QlogSink> qlog{};
#ifdef QUICCHAT_TLS_KEY_LOG
    /// A file that the secrets of all connections are appended to, as in SSLKEYLOGFILE: whoever has
    /// it reads everything. Empty: none. It is here only if CMake was told QUICCHAT_TLS_KEY_LOG,
    /// which it refuses for all but debug builds.
    std::string key_log_file{};
#endif
};

/// What a server is.
struct ServerConfig {
    std::string certificate_pem{};  ///< Its own certificate first, then those that vouch for it.
    std::string key_pem{};          ///< The private key of it.
    /// Shown in its place to who asks for HTTP/3 (`http3_alpn`), as browsers do: they let pages pin
    /// no other than short-lived ones of P-256. Empty: all are shown the one above.
    std::string http3_certificate_pem{};
    std::string http3_key_pem{};                  ///< The private key of that.
    RetryPolicy retry = RetryPolicy::under_load;  ///< When strangers must prove their address.
    /// Unfinished handshakes before strangers must prove their address; each costs up to 60 KiB. Of
    /// those that have, a network may have four times as many, and all together sixteen times.
    std::size_t half_open_max = 64;
    /// Kept over restarts, it lets the new process tell clients of the old one that it is gone.
    std::optional<Seed> reset_secret{};
    /// Whoever has it knows the tokens that others have given (RFC 9000 §8.1.3): endpoints behind
    /// one address, or a process after a restart. Their times are of the steady clock, so it should
    /// be another one when that begins anew.
    std::optional<Seed> token_secret{};
};

/// Where a client goes.
struct ClientConfig {
    SocketAddress remote{};  ///< Of the server.
    SocketAddress local{};   ///< Of the socket that will carry it.
    /// Each `connect` waits for `Endpoint::offer_routes`, and neither address above counts.
    bool routes_later = false;
    std::string server_name{};  ///< The name that the certificate must have; sent to the server.
    Trust trust{};              ///< Whom the client believes.
};

/// One UDP datagram that arrived. The bytes may be overwritten after the call that takes it.
struct Datagram {
    SocketAddress local;   ///< Where it arrived.
    SocketAddress remote;  ///< From where.
    std::uint8_t ecn = 0;  ///< The two ECN bits of RFC 3168 §5.
    BytesView bytes;       ///< What was in it.
};

/// A datagram that belongs to another endpoint behind the same address.
struct Stray {
    SocketAddress local;    ///< As of Datagram.
    SocketAddress remote;   ///< The same.
    std::uint8_t ecn = 0;   ///< The same.
    Buffer bytes;           ///< What was in it.
    std::size_t shard = 0;  ///< Whose it is.

    /// As it came. Valid as long as this.
    Datagram datagram() const { return {local, remote, ecn, bytes}; }
};

/// UDP datagrams to send, one behind the other: all of `segment_size` bytes, but the last may be
/// shorter. The bytes are valid until the next call to the endpoint.
struct Transmit {
    SocketAddress local;           ///< From where they go.
    SocketAddress remote;          ///< Where they go.
    std::uint8_t ecn = 0;          ///< For all of them, as of Datagram.
    BytesView bytes;               ///< One datagram behind the other.
    std::size_t segment_size = 0;  ///< Of each but the last.
};

}  // namespace quicchat::quic

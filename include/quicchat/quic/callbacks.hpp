#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "quicchat/base/bytes.hpp"
#include "quicchat/base/config.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/quic/packet_size.hpp"
#include "quicchat/quic/qlog.hpp"
#include "quicchat/quic/random.hpp"
#include "quicchat/quic/stream.hpp"
#include "quicchat/quic/token.hpp"

namespace quicchat::quic {

/// Datagrams that wait in one direction. They are typing hints: old ones are worth nothing.
inline constexpr std::size_t datagrams_max = 64;

/// What ngtcp2 tells us about one connection while it works. Its callbacks only write here,
/// because most of ngtcp2 must not be called from inside them; Connection acts on it afterwards.
struct Record {
    Random& random;               ///< The endpoint's, for connection ids and path challenges.
    const Tokens& tokens;         ///< The endpoint's, for the reset tokens of our connection ids.
    std::uint8_t shard = 0;       ///< For the connection ids that we choose.
    std::size_t backlog_max = 0;  ///< Limits::stream_backlog_bytes_max

    Streams streams{};                   ///< Those that are not forgotten, and news.
    PacketSize packet_size{};            ///< How long the next packets may be.
    std::unique_ptr<QlogWriter> qlog{};  ///< If somebody writes about this connection.
    TimePoint now{};                     ///< Of the latest call into ngtcp2.
    Queue<Bytes> datagrams_to_send{};    ///< At most `datagrams_max`, the oldest first.
    bool stream_data_was_sent = false;   ///< Since the Connection looked.
    bool something_came = false;         ///< In order, or that of ours arrived; since it looked.
    bool datagram_was_sent = false;      ///< Since stream data was sent.
    Queue<Bytes> datagrams_received{};   ///< At most `datagrams_max`, the oldest first.
    /// Connection ids of ours that the peer may use, or not any more, since the endpoint looked.
    /// @{
    std::vector<ngtcp2_cid> ids_added{};
    std::vector<ngtcp2_cid> ids_removed{};
    /// @}

    std::vector<std::uint8_t> new_token{};  ///< From the server's NEW_TOKEN frame.
    bool handshake_completed = false;       ///< Once it is, for ever.
    /// The peer has lost the connection: it answered by a stateless reset (RFC 9000 §10.3).
    bool stateless_reset = false;
    bool tls_gone = false;  ///< The TLS object was freed: crypto data is of no interest any more.
};

/// Tells ngtcp2 where we keep a stream, which comes back with all that happens to it: with many
/// rooms looking for it would be most of what an acknowledgement costs. It stays there until ngtcp2
/// has closed it.
QUICCHAT_DECL void attach_stream(ngtcp2_conn* connection, Stream& stream);

namespace detail {

inline Record& record_of(void* user_data) { return *static_cast<Record*>(user_data); }

QUICCHAT_DECL BytesView view_of(const std::uint8_t* data, std::size_t size);

// RFC 9001 §4.1.3: after the handshake TLS may still send data, session tickets in practice. We
// use none, and the TLS object may be gone.
QUICCHAT_DECL int on_crypto_data(ngtcp2_conn* connection, ngtcp2_encryption_level level,
                                 std::uint64_t offset, const std::uint8_t* data, std::size_t size,
                                 void* user_data) noexcept;

/// Of a server, when the ALPN is known and our transport parameters are not sent yet: those of
/// HTTP/3 are others.
QUICCHAT_DECL int on_receive_key(ngtcp2_conn* connection, ngtcp2_encryption_level level,
                                 void* user_data) noexcept;

QUICCHAT_DECL int on_handshake_completed(ngtcp2_conn*, void* user_data) noexcept;

QUICCHAT_DECL int on_stream_open(ngtcp2_conn* connection, StreamNumber stream,
                                 void* user_data) noexcept;

QUICCHAT_DECL int on_stream_data(ngtcp2_conn*, std::uint32_t flags, StreamNumber, std::uint64_t,
                                 const std::uint8_t* data, std::size_t size, void* user_data,
                                 void* stream) noexcept;

QUICCHAT_DECL int on_acknowledged(ngtcp2_conn*, StreamNumber, std::uint64_t, std::uint64_t size,
                                  void* user_data, void* stream) noexcept;

QUICCHAT_DECL int on_stream_reset(ngtcp2_conn*, StreamNumber stream, std::uint64_t,
                                  std::uint64_t code, void* user_data, void*) noexcept;

QUICCHAT_DECL int on_stop_sending(ngtcp2_conn*, StreamNumber stream, std::uint64_t code,
                                  void* user_data, void*) noexcept;

QUICCHAT_DECL int on_stream_close(ngtcp2_conn*, std::uint32_t, StreamNumber stream, std::uint64_t,
                                  void* user_data, void*) noexcept;

QUICCHAT_DECL int on_datagram(ngtcp2_conn*, std::uint32_t, const std::uint8_t* data,
                              std::size_t size, void* user_data) noexcept;

QUICCHAT_DECL void on_random(std::uint8_t* output, std::size_t size,
                             const ngtcp2_rand_ctx* context) noexcept;

QUICCHAT_DECL int on_new_connection_id(ngtcp2_conn*, ngtcp2_cid* cid,
                                       ngtcp2_stateless_reset_token* token, std::size_t size,
                                       void* user_data) noexcept;

QUICCHAT_DECL int on_remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* cid,
                                          void* user_data) noexcept;

QUICCHAT_DECL int on_path_challenge_data(ngtcp2_conn*, ngtcp2_path_challenge_data* data,
                                         void* user_data) noexcept;

QUICCHAT_DECL int on_new_token(ngtcp2_conn*, const std::uint8_t* token, std::size_t size,
                               void* user_data) noexcept;

QUICCHAT_DECL void on_qlog(void* user_data, std::uint32_t flags, const void* data,
                           std::size_t size) noexcept;

QUICCHAT_DECL int on_stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset2*,
                                     void* user_data) noexcept;

}  // namespace detail

/// With HTTP/3 a peer has unidirectional streams (RFC 9114 §6.2), and one more for its request.
QUICCHAT_DECL void allow_http3(ngtcp2_transport_params& params);

/// The callbacks of one side. ngtcp2 copies them; their user data is a Record.
QUICCHAT_DECL ngtcp2_callbacks make_callbacks(bool is_server);

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/callbacks.ipp"
#endif

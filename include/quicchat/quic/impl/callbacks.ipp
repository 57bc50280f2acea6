#pragma once

#include "quicchat/quic/callbacks.hpp"

#include <span>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/config.hpp"
#include "quicchat/quic/connection_id.hpp"
#include "quicchat/quic/packet_keys.hpp"
#include "quicchat/quic/packet_protection.hpp"
#include "quicchat/quic/tls.hpp"

namespace quicchat::quic::detail {

QUICCHAT_DECL BytesView view_of(const std::uint8_t* data, std::size_t size) {
    return std::as_bytes(std::span{data, size});
}

QUICCHAT_DECL int on_crypto_data(ngtcp2_conn* connection, ngtcp2_encryption_level level,
                                 std::uint64_t offset, const std::uint8_t* data, std::size_t size,
                                 void* user_data) noexcept {
    if (record_of(user_data).tls_gone) return 0;
    return ngtcp2_crypto_recv_crypto_data_cb(connection, level, offset, data, size, user_data);
}

QUICCHAT_DECL int on_receive_key(ngtcp2_conn* connection, ngtcp2_encryption_level level,
                                 void*) noexcept {
    if (level != NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE) return 0;
    auto* ssl = static_cast<WOLFSSL*>(ngtcp2_conn_get_tls_native_handle2(connection));
    if (selected_alpn(ssl) != http3_alpn) return 0;
    ngtcp2_transport_params params = *ngtcp2_conn_get_local_transport_params2(connection);
    allow_http3(params);
    return ngtcp2_conn_set_local_transport_params(connection, &params) == 0
               ? 0
               : NGTCP2_ERR_CALLBACK_FAILURE;
}

QUICCHAT_DECL int on_handshake_completed(ngtcp2_conn*, void* user_data) noexcept {
    Record& record = record_of(user_data);
    record.handshake_completed = true;
    record.streams.notice({Notice::Kind::connected});
    return 0;
}

QUICCHAT_DECL int on_stream_open(ngtcp2_conn* connection, StreamNumber stream,
                                 void* user_data) noexcept {
    attach_stream(connection, record_of(user_data).streams.handle_open(stream));
    return 0;
}

QUICCHAT_DECL int on_stream_data(ngtcp2_conn*, std::uint32_t flags, StreamNumber, std::uint64_t,
                                 const std::uint8_t* data, std::size_t size, void* user_data,
                                 void* stream) noexcept {
    Record& record = record_of(user_data);
    record.something_came = true;
    record.streams.handle_data(*static_cast<Stream*>(stream), view_of(data, size),
                               (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0);
    return 0;
}

QUICCHAT_DECL int on_acknowledged(ngtcp2_conn*, StreamNumber, std::uint64_t, std::uint64_t size,
                                  void* user_data, void* stream) noexcept {
    Record& record = record_of(user_data);
    record.something_came = true;
    record.streams.handle_acknowledged(*static_cast<Stream*>(stream), size, record.now);
    return 0;
}

QUICCHAT_DECL int on_stream_reset(ngtcp2_conn*, StreamNumber stream, std::uint64_t,
                                  std::uint64_t code, void* user_data, void*) noexcept {
    Streams& streams = record_of(user_data).streams;
    const Stream* known = streams.find(stream);
    // All that the peer had to say is here already. If it does not want to hear us either, a
    // STOP_SENDING tells.
    if (known != nullptr && known->fin_received) return 0;
    streams.handle_reset(stream, code);
    return 0;
}

QUICCHAT_DECL int on_stop_sending(ngtcp2_conn*, StreamNumber stream, std::uint64_t code,
                                  void* user_data, void*) noexcept {
    record_of(user_data).streams.handle_reset(stream, code);
    return 0;
}

QUICCHAT_DECL int on_stream_close(ngtcp2_conn*, std::uint32_t, StreamNumber stream, std::uint64_t,
                                  void* user_data, void*) noexcept {
    record_of(user_data).streams.handle_closed(stream);
    return 0;
}

QUICCHAT_DECL int on_datagram(ngtcp2_conn*, std::uint32_t, const std::uint8_t* data,
                              std::size_t size, void* user_data) noexcept {
    Record& record = record_of(user_data);
    record.something_came = true;
    if (record.datagrams_received.size() == datagrams_max) {
        record.datagrams_received.pop_front();  // its notice will find the next one
    } else {
        record.streams.notice({Notice::Kind::datagram});
    }
    record.datagrams_received.push_back(Bytes::copy_of(view_of(data, size)));
    return 0;
}

QUICCHAT_DECL void on_random(std::uint8_t* output, std::size_t size,
                             const ngtcp2_rand_ctx* context) noexcept {
    static_cast<Random*>(context->native_handle)->fill({output, size});
}

QUICCHAT_DECL int on_new_connection_id(ngtcp2_conn*, ngtcp2_cid* cid,
                                       ngtcp2_stateless_reset_token* token, std::size_t size,
                                       void* user_data) noexcept {
    if (size != connection_id_bytes) return NGTCP2_ERR_CALLBACK_FAILURE;
    Record& record = record_of(user_data);
    *cid = new_connection_id(record.random, record.shard);
    *token = record.tokens.reset_token(*cid);
    record.ids_added.push_back(*cid);
    return 0;
}

QUICCHAT_DECL int on_remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* cid,
                                          void* user_data) noexcept {
    record_of(user_data).ids_removed.push_back(*cid);
    return 0;
}

QUICCHAT_DECL int on_path_challenge_data(ngtcp2_conn*, ngtcp2_path_challenge_data* data,
                                         void* user_data) noexcept {
    record_of(user_data).random.fill(data->data);
    return 0;
}

QUICCHAT_DECL int on_new_token(ngtcp2_conn*, const std::uint8_t* token, std::size_t size,
                               void* user_data) noexcept {
    if (size <= address_token_bytes_max) {
        record_of(user_data).new_token.assign(token, token + size);
    }
    return 0;
}

QUICCHAT_DECL int on_stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset2*,
                                     void* user_data) noexcept {
    record_of(user_data).stateless_reset = true;
    return 0;
}

QUICCHAT_DECL void on_qlog(void* user_data, std::uint32_t flags, const void* data,
                           std::size_t size) noexcept {
    std::unique_ptr<QlogWriter>& qlog = record_of(user_data).qlog;
    if (qlog == nullptr) return;
    if (size != 0) qlog->write({static_cast<const char*>(data), size});
    if ((flags & NGTCP2_QLOG_WRITE_FLAG_FIN) != 0) qlog.reset();
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_DECL void attach_stream(ngtcp2_conn* connection, Stream& stream) {
    ngtcp2_conn_set_stream_user_data(connection, stream.number, &stream);
}

QUICCHAT_DECL void allow_http3(ngtcp2_transport_params& params) {
    params.initial_max_streams_uni = http3_uni_streams;
    params.initial_max_stream_data_uni = http3_uni_window;
    if (params.initial_max_streams_bidi > 0) ++params.initial_max_streams_bidi;
}

QUICCHAT_DECL ngtcp2_callbacks make_callbacks(bool is_server) {
    ngtcp2_callbacks callbacks{};
    if (is_server) {
        callbacks.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
        callbacks.recv_rx_key = detail::on_receive_key;
    } else {
        callbacks.client_initial = ngtcp2_crypto_client_initial_cb;
        callbacks.recv_retry = ngtcp2_crypto_recv_retry_cb;
        callbacks.recv_new_token = detail::on_new_token;
    }
    callbacks.recv_crypto_data = detail::on_crypto_data;
    callbacks.handshake_completed = detail::on_handshake_completed;
    callbacks.encrypt = encrypt_packet;
    callbacks.decrypt = decrypt_packet;
    callbacks.hp_mask = mask_header;
    callbacks.update_key = update_packet_keys;
    callbacks.delete_crypto_aead_ctx = delete_packet_key;
    callbacks.delete_crypto_cipher_ctx = delete_mask_key;
    callbacks.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    callbacks.stream_open = detail::on_stream_open;
    callbacks.recv_stream_data = detail::on_stream_data;
    callbacks.acked_stream_data_offset = detail::on_acknowledged;
    callbacks.stream_reset = detail::on_stream_reset;
    callbacks.recv_stop_sending = detail::on_stop_sending;
    callbacks.stream_close = detail::on_stream_close;
    callbacks.recv_datagram = detail::on_datagram;
    callbacks.rand = detail::on_random;
    callbacks.get_new_connection_id2 = detail::on_new_connection_id;
    callbacks.remove_connection_id = detail::on_remove_connection_id;
    callbacks.get_path_challenge_data2 = detail::on_path_challenge_data;
    callbacks.recv_stateless_reset2 = detail::on_stateless_reset;
    return callbacks;
}

}  // namespace quicchat::quic

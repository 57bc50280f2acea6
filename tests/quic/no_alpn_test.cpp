#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/printers.hpp"
#include "support/quic_world.hpp"

using namespace quicchat;
using namespace quicchat::test;

namespace {

/// A client of the barest kind, made of ngtcp2, its crypto helper and wolfSSL alone, which names
/// the application protocol that it is told to, or none, and does not care what the server thinks
/// of it.
class RawClient {
public:
    RawClient(std::string alpn, TimePoint now, const char* ciphers = nullptr)
        : context_(wolfSSL_CTX_new(wolfTLSv1_3_client_method())) {
        ngtcp2_crypto_wolfssl_configure_client_context(context_.get());
        wolfSSL_CTX_set_verify(context_.get(), WOLFSSL_VERIFY_NONE, nullptr);
        if (ciphers != nullptr) wolfSSL_CTX_set_cipher_list(context_.get(), ciphers);
        ssl_.reset(wolfSSL_new(context_.get()));
        reference_ = {[](ngtcp2_crypto_conn_ref* reference) {
                          return static_cast<RawClient*>(reference->user_data)->conn_.get();
                      },
                      this};
        wolfSSL_set_app_data(ssl_.get(), &reference_);
        wolfSSL_set_connect_state(ssl_.get());
        if (!alpn.empty()) {
            wolfSSL_UseALPN(ssl_.get(), alpn.data(), static_cast<unsigned>(alpn.size()),
                            WOLFSSL_ALPN_FAILED_ON_MISMATCH);
        }
        ngtcp2_callbacks callbacks = quic::make_callbacks(false);
        callbacks.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
        callbacks.encrypt = ngtcp2_crypto_encrypt_cb;
        callbacks.decrypt = ngtcp2_crypto_decrypt_cb;
        callbacks.hp_mask = ngtcp2_crypto_hp_mask_cb;
        callbacks.update_key = ngtcp2_crypto_update_key_cb;
        callbacks.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
        callbacks.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
        callbacks.handshake_confirmed = [](ngtcp2_conn*, void* user_data) {
            // HANDSHAKE_DONE comes in a 1-RTT packet; the record has no other use for this.
            static_cast<quic::Record*>(user_data)->something_came = true;
            return 0;
        };
        ngtcp2_settings settings;
        ngtcp2_settings_default(&settings);
        settings.initial_ts = quic::to_tstamp(now);
        settings.rand_ctx.native_handle = &random_;
        ngtcp2_transport_params params;
        ngtcp2_transport_params_default(&params);
        const ngtcp2_cid there = quic::new_connection_id(random_, 0);
        const ngtcp2_cid here = quic::new_connection_id(random_, 0);
        ngtcp2_conn* conn = nullptr;
        ngtcp2_path route = path();
        ngtcp2_conn_client_new(&conn, &there, &here, &route, NGTCP2_PROTO_VER_V1, &callbacks,
                               &settings, &params, nullptr, &record_);
        conn_.reset(conn);
        ngtcp2_conn_set_tls_native_handle(conn, ssl_.get());
    }

    /// Exchanges datagrams with the server until neither has anything to say, a few times over.
    void talk(Host& server, TimePoint now) {
        for (int round = 0; round < 20 && error_ == 0; ++round) {
            std::array<std::uint8_t, 1452> packet{};
            while (true) {
                ngtcp2_path_storage storage;
                ngtcp2_path_storage_zero(&storage);
                const ngtcp2_ssize size =
                    ngtcp2_conn_write_pkt(conn_.get(), &storage.path, nullptr, packet.data(),
                                          packet.size(), quic::to_tstamp(now));
                if (size <= 0) break;
                const auto bytes = std::as_bytes(std::span{packet});
                server.endpoint.handle_datagram(
                    {server.address, address_, 0, bytes.first(static_cast<std::size_t>(size))},
                    now);
            }
            while (const auto transmit = server.endpoint.poll_transmit(now)) {
                receive(*transmit, now);
            }
            now += 1ms;
            server.endpoint.handle_timeout(now);
        }
    }

    /// From now on it says something whenever it talks after a pause.
    bool update_keys(TimePoint now) {
        ngtcp2_conn_set_keep_alive_timeout(conn_.get(), 200 * NGTCP2_MILLISECONDS);
        return ngtcp2_conn_initiate_key_update(conn_.get(), quic::to_tstamp(now)) == 0;
    }

    bool confirmed() const { return record_.something_came; }
    bool completed() const { return record_.handshake_completed; }
    int error() const { return error_; }
    const ngtcp2_ccerr& close() const { return *ngtcp2_conn_get_ccerr2(conn_.get()); }

private:
    void receive(const quic::Transmit& transmit, TimePoint now) {
        BytesView rest = transmit.bytes;
        while (!rest.empty() && error_ == 0) {
            const std::size_t size = std::min(rest.size(), transmit.segment_size);
            const ngtcp2_path route = path();
            error_ = ngtcp2_conn_read_pkt(conn_.get(), &route, nullptr,
                                          reinterpret_cast<const std::uint8_t*>(rest.data()), size,
                                          quic::to_tstamp(now));
            rest = rest.subspan(size);
        }
    }

    ngtcp2_path path() {
        return {{const_cast<sockaddr*>(address_.data()), address_.size()},
                {const_cast<sockaddr*>(server_.data()), server_.size()},
                nullptr};
    }

    quic::SocketAddress address_ = *quic::SocketAddress::parse("10.0.5.5:5555");
    quic::SocketAddress server_ = *quic::SocketAddress::parse("10.0.0.1:4433");
    quic::Random random_{quic::test_seed(5)};
    quic::Tokens tokens_{random_, {}};
    quic::Record record_{.random = random_, .tokens = tokens_};
    quic::Handle<WOLFSSL_CTX, wolfSSL_CTX_free> context_;
    quic::Handle<WOLFSSL, wolfSSL_free> ssl_;
    ngtcp2_crypto_conn_ref reference_{};
    quic::Handle<ngtcp2_conn, ngtcp2_conn_del> conn_;
    int error_ = 0;
};

}  // namespace

TEST_CASE("a server and a foreign client", "[quic][alpn]") {
    World world;
    Host& server = world.add_server();

    SECTION("connect if the client names our protocol") {
        RawClient client{"quicchat/1", world.now};
        client.talk(server, world.now);
        world.run_for(1s);
        CHECK(client.completed());
        CHECK(client.error() == 0);
        CHECK(find_event<Connected>(server) != nullptr);
    }
    SECTION("do not connect if it names another") {
        RawClient client{GENERATE("quicchat/2", "quicchat/", "h3", "QUICCHAT/1"), world.now};
        client.talk(server, world.now);
        world.run_for(1s);
        CHECK_FALSE(client.completed());
        CHECK(client.error() == NGTCP2_ERR_DRAINING);
        CHECK(client.close().error_code == 0x178);
        CHECK(server.events.empty());
    }
    SECTION("do not connect if it names none, though TLS would let it") {
        RawClient client{"", world.now};
        client.talk(server, world.now);
        world.run_for(1s);
        CHECK(client.completed());  // as far as it knows
        CHECK(client.error() == NGTCP2_ERR_DRAINING);
        CHECK(client.close().error_code == 0x178);
        CHECK(server.events.empty());
        CHECK(server.endpoint.connections() == 0);
    }
}

TEST_CASE("a foreign client shares keys with the server, and those after updates", "[quic]") {
    const std::string ciphers = GENERATE("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256");
    CAPTURE(ciphers);
    World world;
    Host& server = world.add_server();
    RawClient client{"quicchat/1", world.now, ciphers.c_str()};
    client.talk(server, world.now);
    CHECK(client.confirmed());
    for (int update = 0; update < 3; ++update) {
        CAPTURE(update);
        // RFC 9001 §6.1: not before the server has answered with the keys of the last one.
        world.now += 5s;
        client.talk(server, world.now);
        world.now += 1s;
        REQUIRE(client.update_keys(world.now));
        client.talk(server, world.now);
        CHECK(client.error() == 0);
    }
    world.now += 1s;
    world.run_for(1s);
    CHECK(find_event<Connected>(server) != nullptr);
    CHECK(find_event<Disconnected>(server) == nullptr);
}
